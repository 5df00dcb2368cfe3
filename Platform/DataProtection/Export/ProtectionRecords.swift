import Cryptography
import Kernel
import PostgreSQL

/// What data protection itself stores about users.
struct ProtectionRecords: UserRecords {
    let data: PersonalValues

    var sections: [RecordSection] {
        let pool = data.pool
        return [
            RecordSection("platform.personal_data", .erased) { [data] user, after, _ in
                // They are few: one page holds them. Documents are large; whoever keeps them shows them one by one.
                guard after == 0 else { return [] }
                return try await data.read(user, but: [.document]).enumerated().map { place, value in
                    (id: UInt128(place + 1), json: ProtectionRecords.json(value))
                }
            },
            RecordSection(
                "platform.data_access",
                .kept(because: "Evidence of who read private data, for 7 years."),
                in: pool
            ) {
                """
                select id, jsonb_build_object('at', recorded_at, 'roles', roles, 'data_types', data_types,
                    'outcome', outcome, 'reason', reason)
                from platform.data_access_log_all
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("platform.erasure_requests", .kept(because: "Evidence that the data was erased."), in: pool) {
                """
                select id, jsonb_build_object('status', status, 'requested_at', requested_at,
                    'decided_at', decided_at, 'reason', reason)
                from platform.erasure_requests
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
        ]
    }

    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let isHeld: Bool = try await data.pool.query("select blocks.is_user_held(\(user))")[0][0]
        guard isHeld else { return [] }
        return [
            ErasureObstacle(place: "platform", code: "legal_hold", text: "The law holds the data of this user.")
        ]
    }

    static func json(_ value: PersonalValue) -> JSON {
        var members: [JSON.Member] = [.init("data_type", .string(value.type.name))]
        if value.item != 0 { members.append(.init("item", .string(ID<User>(value.item).description))) }
        // What isn't text, as documents are, is written in base 64.
        let bytes = value.bytes ?? []
        if let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) {
            members.append(.init("value", .string(text)))
        } else {
            members.append(.init("base64", .string(Base64.encode(bytes))))
        }
        return .object(members)
    }
}
