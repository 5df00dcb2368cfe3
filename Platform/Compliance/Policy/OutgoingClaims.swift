import Kernel
import PostgreSQL

/// Money that was let leave, until the projections tell of it: of one movement, or of the small ones of a while.
struct OutgoingClaim: Sendable, Hashable {
    /// The movement, or an id of its own.
    let id: UInt128
    /// How much, in how many movements.
    let flow: Outflow
    /// From here on it counts no more: what it is about is told by then, or never came about.
    let until: Timestamp

    /// For so long a movement may be on its way to the projections.
    static let seconds: Int64 = 60

    var json: JSON {
        [
            "id": .string(ID<User>(id).description), "worth": .string("\(flow.hundredths)"),
            "count": .integer(flow.count), "until": .integer(Int(until.microseconds)),
        ]
    }

    init(id: UInt128, flow: Outflow, until: Timestamp) { (self.id, self.flow, self.until) = (id, flow, until) }

    init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue.flatMap({ ID<User>(uuid: $0) }),
            let worth = json["worth"]?.stringValue.flatMap({ Int128($0) }), let count = json["count"]?.integerValue,
            let until = json["until"]?.integerValue
        else { return nil }
        (self.id, flow) = (id.value, Outflow(hundredths: worth, count: count))
        self.until = Timestamp(microseconds: Int64(until))
    }
}

/// A customer's claims as they were read.
struct ReadClaims: Sendable {
    /// What they are; 0 where there are none.
    let version: Int64
    /// Those that count.
    var list: [OutgoingClaim]
}

/// What customers were let move out and what the projections may not know of: table `outgoing_claims`.
///
/// A claim is written over the version that was read, so that of movements that are decided at once each one sees those
/// that were decided before it.
struct OutgoingClaims: Sendable {
    /// Claims of one customer; from here on the oldest are kept as one.
    static let listMax = 500

    let pool: Pool

    /// Keeps a customer's claims; false where somebody has written meanwhile.
    func keep(_ list: [OutgoingClaim], over read: ReadClaims, of user: ID<User>) async throws -> Bool {
        let claims = JSON.array(OutgoingClaims.bounded(list).map(\.json))
        return try await pool.query(
            """
            insert into platform.outgoing_claims as c (user_id, version, claims) values (\(user), 1, \(claims))
            on conflict (user_id) do update set version = c.version + 1, claims = excluded.claims
            where c.version = \(read.version)
            """
        ).affected == 1
    }

    /// Takes a movement's claim back; whoever decides meanwhile over what was read before decides anew.
    func remove(_ movement: UInt128, of user: ID<User>) async throws {
        let text = ID<User>(movement).description
        let own: JSON = [["id": .string(text)]]
        _ = try await pool.query(
            """
            update platform.outgoing_claims c
            set version = c.version + 1, claims = coalesce((
                select jsonb_agg(e) from jsonb_array_elements(c.claims) e where e ->> 'id' <> \(text)
            ), '[]')
            where c.user_id = \(user) and c.claims @> \(own)
            """
        )
    }

    private static func bounded(_ list: [OutgoingClaim]) -> [OutgoingClaim] {
        guard list.count > listMax, let first = list.first else { return list }
        let old = list.dropLast(listMax / 2)
        let one = OutgoingClaim(
            id: first.id,
            flow: old.reduce(Outflow()) { $0 + $1.flow },
            until: old.map(\.until).max() ?? first.until
        )
        return [one] + list.suffix(listMax / 2)
    }
}
