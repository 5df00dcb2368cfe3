import Compliance
import Kernel
import PostgreSQL
import Screening
import TestSupport
import Testing

@Suite struct ListSweepTests {
    private static let waiting: SQL = "select count(*) from platform.screening_queue"
    private static let alerts: SQL = "select count(*) from platform.compliance_alerts where kind = 'sanctions'"

    @Test func `each entry of an update is alerted, also the second one of the same customer`() async throws {
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
            try await world.load([("a", "Muhammad Hassan Qadri"), ("b", "Mohammad Hasan Qadri")], checksum: 1)
            #expect(try await world.count(Self.waiting) == 2)
            #expect(try await world.listSweep().sweepOnce() == 2)
            #expect(try await world.count(Self.alerts) == 2)
            #expect(try await world.cases.queue().count == 1)
            #expect(try await world.count(Self.waiting) == 0)
            #expect(try await world.listSweep().sweepOnce() == 0)
        }
    }

    @Test func `what isn't compared yet waits with the version, also when the same files come again`() async throws {
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
            try await world.load([("a", "Muhammad Hassan Qadri")], checksum: 1)
            #expect(try await world.load([("a", "Muhammad Hassan Qadri")], checksum: 1).isSame)
            #expect(try await world.cases.queue().isEmpty)
            _ = try await world.listSweep().sweepOnce()
            #expect(try await world.cases.queue().map { $0["user"] } == [.string(user.wire)])
        }
    }

    @Test func `a customer who fails keeps nobody else from being compared, and is compared later`() async throws {
        try await ComplianceWorld.with { world in
            let users: [ID<User>] = [world.ids.next(), world.ids.next(), world.ids.next()]
            for user in users { try await world.customers.screen(user, name: "Mohammed Hasan Qadri") }
            try await world.load([("a", "Muhammad Hassan Qadri"), ("b", "Mohammad Hasan Qadri")], checksum: 1)
            let owner = world.database.pool()
            _ = try await owner.query("create table platform.broken as select \(users[1])::uuid as user_id")
            _ = try await owner.query(
                """
                create function platform.break() returns trigger language plpgsql security definer as $$
                begin
                    if new.user_id in (select user_id from platform.broken) then raise exception 'broken'; end if;
                    return new;
                end $$
                """
            )
            _ = try await owner.query(
                """
                create trigger broken before insert on platform.compliance_alerts
                for each row execute function platform.break()
                """
            )
            #expect(try await world.listSweep().sweepOnce() == 2)
            #expect(try await world.count(Self.alerts) == 4)
            #expect(try await world.count(Self.waiting) == 2)
            #expect(try await world.listSweep().sweepOnce() == 0)
            _ = try await owner.query("delete from platform.broken")
            world.clock.advance(seconds: 21)
            #expect(try await world.listSweep().sweepOnce() == 2)
            #expect(try await world.count(Self.alerts) == 6)
            #expect(try await world.count(Self.waiting) == 0)
        }
    }

    @Test func `of a name that very many have all are compared`() async throws {
        try await ComplianceWorld.with { world in
            let last = ID<User>(.max)
            try await world.customers.screen(last, name: "Mohammed Hasan Qadri")
            let first = try await world.user("Mohammed Hasan Qadri")
            try await world.customers.screen(first, name: "Mohammed Hasan Qadri", birth: BirthDate("1960-05-05"))
            let other = try await world.user("Mohammed Hasan Qadri")
            try await world.customers.screen(other, name: "Mohammed Hasan Qadri", birth: BirthDate("1999-01-01"))
            // Whom the indices find by the same sounds, and who come before the last in the order of their ids.
            _ = try await world.pool.query(
                """
                insert into platform.screening_subjects (user_id, name, sounds, keys, screened_at)
                select gen_random_uuid(), 'Erika Mustermann', sounds, keys, screened_at
                from platform.screening_subjects, generate_series(1, 6000) where user_id = \(last)
                """
            )
            try await world.load([("a", "Muhammad Hassan Qadri")], checksum: 1)
            #expect(try await world.listSweep().sweepOnce() == 1)
            #expect(try await world.count(Self.alerts) == 2)
            #expect(try await world.count(Self.waiting) == 0)
        }
    }

    @Test func `whoever is screened while a list comes in is screened against it`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load([("a", "Somebody Else")], checksum: 1)
            // A version that comes in between a customer's look at the lists and the customer's being kept.
            let owner = world.database.pool()
            _ = try await owner.query(
                """
                create function platform.meanwhile() returns trigger language plpgsql security definer as $$
                begin
                    insert into platform.sanctions_lists
                    select gen_random_uuid(), source, 2, checksum, published, entries, names, added, changed, vanished,
                        rejected, faults, loaded_by, loaded_at
                    from platform.sanctions_lists on conflict do nothing;
                    return null;
                end $$
                """
            )
            _ = try await owner.query(
                """
                create trigger meanwhile after insert on platform.compliance_checks
                for each statement execute function platform.meanwhile()
                """
            )
            try await world.customers.screen(world.ids.next(), name: "Erika Mustermann")
            #expect(try await world.count("select count(*) from platform.compliance_checks") == 2)
            #expect(try await world.count("select count(*) from platform.screening_subjects") == 1)
        }
    }

    /// Wallets and address books of some customers; the first time that it is asked it fails.
    private actor Keeper: AddressKeeper {
        struct Away: Error {}
        let kept: [KeptAddress]
        private var asked = 0

        init(_ kept: [KeptAddress]) { self.kept = kept }

        func keepers(of address: String, after user: ID<User>, limit: Int) async throws -> [KeptAddress] {
            asked += 1
            if asked == 1 { throw Away() }
            return kept.filter { $0.user > user && $0.account.lowercased().hasSuffix(address.lowercased()) }
        }
    }

    @Test func `a newly listed address is compared with wallets and address books`() async throws {
        try await ComplianceWorld.with { world in
            let (owner, payer, stranger) = (world.ids.next(User.self), world.ids.next(User.self), ID<User>(.max))
            let evm = "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B"
            let base58 = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
            let keeper = Keeper([
                KeptAddress(user: owner, account: "eip155:1:\(evm)", use: .wallet),
                KeptAddress(user: payer, account: "eip155:10:\(evm.lowercased())", use: .payout),
                KeptAddress(user: stranger, account: "bip122:0:\(base58.lowercased())", use: .payout),
            ])
            var list = ReadList()
            list.parties = [
                ListedParty(
                    key: "a",
                    kind: .organisation,
                    names: [ListedParty.Name("Bad Company")],
                    addresses: [
                        WalletAddress(asset: "ETH", address: evm), WalletAddress(asset: "XBT", address: base58),
                    ].compactMap(\.self)
                )
            ]
            _ = try await world.lists.load(list, of: .ofac, checksum: [UInt8](repeating: 1, count: 32), by: "test")
            #expect(try await world.listSweep([keeper]).sweepOnce() == 1)
            #expect(try await world.count(Self.waiting) == 1)
            world.clock.advance(seconds: 21)
            #expect(try await world.listSweep([keeper]).sweepOnce() == 1)
            #expect(try await world.count(Self.waiting) == 0)
            let users = try await world.cases.queue().compactMap { $0["user"]?.stringValue }
            #expect(Set(users) == [owner.wire, payer.wire])
            #expect(try await world.gate.check(world.movement(.payment, 5, of: owner)).reasons == ["under_review"])
        }
    }
}
