import DataProtection
import Kernel
import PostgreSQL
import TestSupport
import Testing

@Suite struct PersonalValuesTests {
    @Test func `what is stored is read back, replaced and removed, and lies in the table encrypted`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            #expect(try await world.data.read(user, nil) == [])
            try await world.data.write(user, [.init(.phone, "+351 912 345"), .init(.address, "Rua 1")])
            #expect(try await world.data.read(user, .phone)?.text == "+351 912 345")
            try await world.data.write(user, [.init(.phone, "+44 20"), .init(.address, nil)])
            #expect(try await world.data.read(user, nil) == [.init(.phone, "+44 20")])
            let version: Int = try await world.value("select version from platform.encrypted_user_data")
            #expect(version == 2)
            let holdsText: Bool = try await world.value(
                """
                select exists (
                    select from platform.encrypted_user_data d
                    where position('+44 20'::bytea in envelope) > 0 or position('+44 20' in d::text) > 0)
                """
            )
            #expect(!holdsText)
        }
    }

    @Test func `several documents of a user are told apart`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            let pages = (1...3).map {
                PersonalValue(.document, item: $0, bytes: [UInt8]($0 == 3 ? [] : [0, UInt8($0)]))
            }
            try await world.data.write(user, pages)
            #expect(try await world.data.read(user, nil) == pages)
            #expect(try await world.data.read(user, .document, item: 2) == pages[1])
        }
    }

    @Test(arguments: [
        (
            "moved to another user",
            "user_id = (select user_id from platform.user_data_keys order by user_id desc limit 1)",
            "data_type = 'profile.address'"
        ),
        ("moved to another kind", "data_type = 'profile.nationality'", "data_type = 'profile.address'"),
        ("moved to another item", "item = '00000000-0000-0000-0000-000000000001'", "data_type = 'profile.address'"),
        ("cut", "envelope = substring(envelope for length(envelope) - 1)", "true"),
        ("extended", "envelope = envelope || '\\x00'", "true"),
        ("changed", "envelope = set_byte(envelope, 20, get_byte(envelope, 20) # 1)", "true"),
        ("given another nonce", "envelope = set_byte(envelope, 5, get_byte(envelope, 5) # 1)", "true"),
        ("given another generation", "envelope = set_byte(envelope, 4, 2)", "true"),
    ])
    func `an envelope that was tampered with is refused`(what: String, change: String, which: String) async throws {
        try await Fixture.with { world in
            let (ada, bob) = (try await world.user(), try await world.user("bob"))
            try await world.data.write(ada, [.init(.address, "Rua 1, Lisboa")])
            try await world.data.write(bob, [.init(.phone, "1")])
            try await world.data.write(bob, [.init(.phone, nil)])
            try await world.tamper("update platform.encrypted_user_data set \(change) where \(which)")
            for user in [ada, bob] {
                let rows: Int = try await world.value(
                    "select count(*) from platform.encrypted_user_data where user_id = \(user)"
                )
                guard rows > 0 else { continue }
                let error = await #expect(throws: DataProtectionProblem.self) { try await world.data.read(user, nil) }
                guard case .notAuthentic? = error else {
                    Issue.record("\(what): \(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Test func `two envelopes that changed places are both refused`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            try await world.data.write(user, [.init(.address, "Rua 1"), .init(.nationality, "PT")])
            try await world.tamper(
                """
                update platform.encrypted_user_data d set envelope = o.envelope
                from platform.encrypted_user_data o where o.user_id = d.user_id and o.data_type <> d.data_type
                """
            )
            for type in [DataType.address, .nationality] {
                await #expect(throws: DataProtectionProblem.notAuthentic(type.name)) {
                    try await world.data.read(user, type)
                }
            }
        }
    }

    @Test func `a wrapped key that was moved to another user unwraps nothing`() async throws {
        try await Fixture.with { world in
            let (ada, bob) = (try await world.user(), try await world.user("bob"))
            for user in [ada, bob] { try await world.data.write(user, [.init(.phone, "1")]) }
            try await world.tamper(
                """
                update platform.user_data_keys k set wrapped = o.wrapped
                from platform.user_data_keys o where o.user_id <> k.user_id
                """
            )
            await #expect(throws: MasterKeyError.notAuthentic) { try await world.data.read(ada, nil) }
        }
    }

    @Test(arguments: ["+351 912 345 678", "00351912345678", "(351) 912-345-678"])
    func `a telephone number is found however it was typed`(typed: String) async throws {
        try await Fixture.with { world in
            let (ada, bob) = (try await world.user(), try await world.user("bob"))
            try await world.data.write(ada, [.init(.phone, "+351 912345678"), .init(.address, "Rua 1")])
            try await world.data.write(bob, [.init(.phone, "+351 912345679")])
            #expect(try await world.data.find(.phone, typed) == [ada])
            #expect(try await world.data.find(.address, "Rua 1") == [])
            try await world.data.write(ada, [.init(.phone, nil)])
            #expect(try await world.data.find(.phone, typed) == [])
        }
    }

    @Test func `a name is found in any case, width of spaces and form of accents`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            try await world.data.write(user, [.init(.legalName, "José  da Silva ")])
            #expect(try await world.data.find(.legalName, "jose\u{301} DA silva") == [user])
            #expect(try await world.data.find(.legalName, "jose da silva") == [])
        }
    }

    @Test func `kinds that aren't known and values that are too long are refused`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            await #expect(throws: DataProtectionProblem.unknownType("profile.shoe_size")) {
                try await world.data.write(user, [.init(DataType("profile.shoe_size"), "44")])
            }
            await #expect(throws: DataProtectionProblem.tooLong("profile.nationality", bytesMax: 16)) {
                try await world.data.write(user, [.init(.nationality, String(repeating: "P", count: 17))])
            }
            try await world.data.write(user, [.init(.nationality, String(repeating: "P", count: 16))])
            await #expect(throws: DataProtectionProblem.unknownType("profile.shoe_size")) {
                try await world.data.find(DataType("profile.shoe_size"), "44")
            }
        }
    }

    @Test func `many who write of one user at once leave one key and one value`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<16 {
                    group.addTask { try await world.data.write(user, [.init(.phone, "\(number)")]) }
                }
                try await group.waitForAll()
            }
            #expect(try await world.data.read(user, .phone) != nil)
            #expect(try await world.value("select version from platform.encrypted_user_data") == 16)
        }
    }

    @Test func `staff read what their roles may, each time with the reason kept`() async throws {
        try await Fixture.with { world in
            let (ada, olga) = (try await world.user(), try await world.user("olga"))
            try await world.data.write(ada, [.init(.phone, "1"), .init(.birthDate, "1990-01-01")])
            let reader = StaffReader(user: olga, roles: ["operator"], reason: "a call from the bank")
            let values = try await world.data.disclose([.phone, .birthDate], of: ada, to: reader)
            #expect(values == [.init(.birthDate, "1990-01-01"), .init(.phone, "1")])
            await #expect(throws: DataProtectionProblem.notPermitted(["identity.document"])) {
                try await world.data.disclose([.phone, .document], of: ada, to: reader)
            }
            await #expect(throws: DataProtectionProblem.notPermitted(["profile.phone"])) {
                try await world.data.disclose(
                    [.phone],
                    of: ada,
                    to: StaffReader(user: olga, roles: ["customer"], reason: "curious")
                )
            }
            let log = try await world.pool.query(
                "select reader, outcome, reason, data_types from platform.data_access_log order by id"
            )
            #expect(try log.map { try $0["outcome"] as String } == ["disclosed", "refused", "refused"])
            #expect(try log[0]["data_types"] == ["profile.phone", "profile.birth_date"])
            #expect(try log[0]["reason"] == "a call from the bank")
            #expect(try log.allSatisfy { try $0["reader"] == olga })
        }
    }

    @Test func `a policy that is taken away counts at once`() async throws {
        try await Fixture.with { world in
            let (ada, olga) = (try await world.user(), try await world.user("olga"))
            let reader = StaffReader(user: olga, roles: ["operator"], reason: "a check")
            #expect(try await world.data.disclose([.phone], of: ada, to: reader) == [])
            _ = try await world.pool.query("delete from platform.data_access_policies where role = 'operator'")
            await #expect(throws: DataProtectionProblem.notPermitted(["profile.phone"])) {
                try await world.data.disclose([.phone], of: ada, to: reader)
            }
        }
    }

    @Test func `nobody changes the log of who read what, not even its owner`() async throws {
        try await Fixture.with { world in
            let (ada, olga) = (try await world.user(), try await world.user("olga"))
            let reader = StaffReader(user: olga, roles: ["operator"], reason: "a check")
            _ = try await world.data.disclose([.phone], of: ada, to: reader)
            for statement: SQL in [
                "update platform.data_access_log set reason = 'none'", "delete from platform.data_access_log",
                "truncate platform.data_access_log",
            ] {
                await #expect { try await world.pool.query(statement) } throws: {
                    ($0 as? PostgresError)?.state == "42501"
                }
                await #expect { try await world.database.pool().query(statement) } throws: {
                    ($0 as? PostgresError)?.state == "D0403"
                }
            }
        }
    }

    @Test func `nothing is read or logged when the log can't be written`() async throws {
        try await Fixture.with { world in
            let (ada, olga) = (try await world.user(), try await world.user("olga"))
            try await world.data.write(ada, [.init(.phone, "1")])
            let reader = StaffReader(user: olga, roles: ["operator"], reason: "")
            await #expect { try await world.data.disclose([.phone], of: ada, to: reader) } throws: {
                ($0 as? PostgresError)?.violates("data_access_log_reason_check") == true
            }
        }
    }

    @Test func `staff find users by what their roles may read, and each search is kept without the value`() async throws
    {
        try await Fixture.with { world in
            let (ada, olga) = (try await world.user(), try await world.user("olga"))
            try await world.data.write(ada, [.init(.phone, "+351912345678"), .init(.legalName, "Ada Byron")])
            let support = StaffReader(user: olga, roles: ["support"], reason: "a call")
            #expect(try await world.data.search(.phone, "00351 912 345 678", by: support) == [ada])
            #expect(try await world.data.search(.phone, "+351000000000", by: support) == [])
            await #expect(throws: DataProtectionProblem.notPermitted(["identity.legal_name"])) {
                try await world.data.search(.legalName, "ada byron", by: support)
            }
            let reads = try await world.pool.query("select user_id, reader, reason from platform.data_access_log")
            #expect(try reads.count == 1 && reads[0]["user_id"] == ada && reads[0]["reader"] == olga)
            let searches = try await world.pool.query(
                "select action, after::text as after from platform.audit_log order by id"
            )
            let refused = "personal_data.search_refused"
            let actions: [String] = try searches.map { try $0["action"] }
            #expect(actions == ["personal_data.searched", "personal_data.searched", refused])
            #expect(try searches.allSatisfy { !(try $0["after"] as String).contains("351") })
        }
    }
}
