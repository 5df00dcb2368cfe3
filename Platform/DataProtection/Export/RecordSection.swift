public import Kernel
public import PostgreSQL

/// A part of what is stored about users: what their export shows, and what becomes of it when they are erased.
public struct RecordSection: Sendable {
    /// A record, with the id that puts it in its place.
    public typealias Entry = (id: UInt128, json: JSON)
    /// Reads a user's records with ids after one, in the order of their ids, at most so many.
    public typealias Read = @Sendable (_ user: ID<User>, _ after: UInt128, _ limit: Int) async throws -> [Entry]

    /// What becomes of records when their user is erased.
    public enum Fate: Hashable, Sendable {
        /// They go.
        case erased
        /// They stay, for a reason that the receipt gives.
        case kept(because: String)
    }

    /// Its name, beginning with the place: `banking.transactions`.
    public let name: String
    /// What becomes of it.
    public let fate: Fate
    /// What reads it.
    public let read: Read

    /// A section that is read by a function.
    public init(_ name: String, _ fate: Fate, read: @escaping Read) {
        (self.name, self.fate, self.read) = (name, fate, read)
    }

    /// A section that a statement reads: rows of an id and an object.
    ///
    /// Members named in `amounts` are texts of minor units; they are written in the units of the object's `asset`.
    public init(
        _ name: String,
        _ fate: Fate,
        in pool: Pool,
        amounts: Set<String> = [],
        _ statement: @escaping @Sendable (_ user: ID<User>, _ after: UInt128, _ limit: Int) -> SQL
    ) {
        self.init(name, fate) { user, after, limit in
            try await pool.query(statement(user, after, limit)).map { row in
                (id: try row[0], json: try RecordSection.written(try row[1], amounts))
            }
        }
    }

    private static func written(_ record: JSON, _ amounts: Set<String>) throws -> JSON {
        guard !amounts.isEmpty, case .object(let members) = record,
            let asset = record["asset"]?.stringValue.flatMap({ Asset(code: $0) })
        else { return record }
        return .object(
            members.map { member in
                guard amounts.contains(member.name), let units = member.value.stringValue.flatMap({ Int128($0) }) else {
                    return member
                }
                return JSON.Member(member.name, .string(Money(minorUnits: units, asset).wire))
            }
        )
    }
}
