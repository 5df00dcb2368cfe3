import Audit
import Crypto
import Cryptography
import Kernel
import PostgreSQL
import TestSupport
import Testing

@Suite struct AuditChainTests {
    private static let ids = IDGenerator()

    /// Takes the chain's head back by a batch.
    private static let rollBack: SQL = """
        update banking.audit_chain
        set batch = 9, head = (select head from banking.audit_batches where batch = 9)
        """

    private static func entry(_ number: Int) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: "usr_1",
            action: "payment.created",
            entity: "transaction",
            entityID: UInt128(number),
            before: number.isMultiple(of: 3)
                ? nil : ["b": .number("1.50e1"), "a": ["x", .null, .number("-0.00"), true]],
            after: [
                "status": .string("n\(number)"), "amount": .number("12.30"), "é": .number("1E3"), "aa": "k",
                "b": 1.json,
            ],
            ip: "127.0.0.1",
            userAgent: number.isMultiple(of: 2) ? "curl/8" : nil,
            session: 5,
            correlation: nil
        )
    }

    private static func commit(_ pool: Pool, _ rows: [any StoredRow]) async throws {
        try await pool.withTransaction { transaction in
            let at: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            _ = try await transaction.pipeline(rows.statements(in: .banking, at: at))
        }
    }

    /// The tables' owner, who has switched off what refuses changes.
    private static func ownerWithoutTriggers(_ database: TestDatabase) async throws -> Pool {
        var options = database.options()
        options.role = "diboas_migrator"
        let owner = Pool(options, size: 2)
        for table: SQL in ["banking.audit_log", "banking.audit_batches", "banking.audit_chain"] {
            _ = try await owner.query("alter table \(table) disable trigger user")
        }
        return owner
    }

    /// Ten batches of five entries, as the domain's own role writes them.
    private static func withChain(_ body: (Pool, AuditVerifier) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let role = database.pool(.banking)
            for batch in 0..<10 { try await commit(role, (0..<5).map { entry(batch * 5 + $0) }) }
            try await body(try await ownerWithoutTriggers(database), AuditVerifier(pool: role, schema: .banking))
        }
    }

    @Test func `an untouched chain is intact and can be anchored`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            let report = try await verifier.verify()
            #expect(report.isIntact && report.batches == 10 && report.rows == 50 && report.head.batch == 10)
            try await AuditChainTests.commit(pool, [AuditChainTests.entry(99)])
            let later = try await verifier.verify(anchors: [report.head])
            #expect(later.isIntact && later.batches == 11)
        }
    }

    @Test func `an empty chain is intact`() async throws {
        try await TestDatabase.with { database in
            let report = try await AuditVerifier(pool: database.pool(.banking), schema: .banking).verify()
            #expect(report.isIntact && report.batches == 0 && report.head.head == AuditDigest.genesis)
        }
    }

    @Test(arguments: [
        "update banking.audit_log set actor = 'usr_2' where batch = 4 and place = 2",
        "update banking.audit_log set after = after || '{\"amount\": 12.31}' where batch = 4 and place = 2",
        "update banking.audit_log set before = '{}' where batch = 4 and place = 3",
        "update banking.audit_log set ip = null where batch = 4 and place = 2",
        "update banking.audit_log set recorded_at = recorded_at + interval '1 us' where batch = 4",
        "update banking.audit_log set digest = sha256('x') where batch = 4 and place = 2",
        "delete from banking.audit_log where batch = 4 and place = 2",
        "delete from banking.audit_log where batch = 4",
        "update banking.audit_log set place = 7 - place where batch = 4 and place in (3, 4)",
        "update banking.audit_log set batch = case batch when 4 then 5 else 4 end where batch in (4, 5)",
        """
        insert into banking.audit_log (id, batch, place, recorded_at, actor, action, entity, digest)
        select blocks.uuid_at(now()), 4, 6, recorded_at, 'x', 'y', 'z', sha256('')
        from banking.audit_batches where batch = 4
        """,
        "update banking.audit_batches set digest = sha256('x') where batch = 4",
        "update banking.audit_batches set head = sha256('x') where batch = 4",
        "update banking.audit_batches set recorded_at = now() where batch = 4",
        "update banking.audit_batches set entries = 4 where batch = 4",
        "delete from banking.audit_batches where batch = 4",
    ])
    func `any change of a row or batch is found`(tampering: String) async throws {
        try await AuditChainTests.withChain { pool, verifier in
            _ = try await pool.withConnection { try await $0.execute(script: tampering) }
            let report = try await verifier.verify()
            let batches = report.faults.compactMap(\.batch)
            #expect(!report.isIntact)
            #expect(batches.allSatisfy { $0 == 4 || $0 == 5 } && batches.contains(4))
        }
    }

    @Test func `a row that was changed together with its digest and its batch's breaks the heads`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            let row = try await pool.query(
                "select id, recorded_at from banking.audit_log where batch = 4 and place = 1"
            )[0]
            let forged = AuditEntry(id: try row[0], actor: "me", action: "a", entity: "e")
            let digest = Bytes(AuditDigest.of(forged, recordedAt: try row[1]))
            _ = try await pool.query(
                """
                update banking.audit_log
                set actor = 'me', action = 'a', entity = 'e', entity_id = null, before = null, after = null, ip = null,
                    user_agent = null, session = null, correlation = null, digest = \(digest)
                where batch = 4 and place = 1
                """
            )
            #expect(
                try await verifier.verify().faults == [.batchChanged(batch: 4, expectedEntries: 5, foundEntries: 5)]
            )
            _ = try await pool.query(
                """
                update banking.audit_batches
                set digest = (
                    select sha256(string_agg(digest, '' order by place)) from banking.audit_log where batch = 4
                )
                where batch = 4
                """
            )
            #expect(try await verifier.verify().faults == [.headBroken(batch: 4)])
            _ = try await pool.query(
                """
                update banking.audit_batches b
                set head = sha256(p.head || b.digest) from banking.audit_batches p where b.batch = 4 and p.batch = 3
                """
            )
            #expect(try await verifier.verify().faults == [.headBroken(batch: 5)])
        }
    }

    @Test func `a chain that was cut at its end is found`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            let anchor = try await verifier.verify().head
            _ = try await pool.query("delete from banking.audit_log where batch = 10")
            #expect(
                try await verifier.verify().faults == [.batchChanged(batch: 10, expectedEntries: 5, foundEntries: 0)]
            )
            _ = try await pool.query("delete from banking.audit_batches where batch = 10")
            let cut = try await verifier.verify().faults
            #expect(cut.contains(.batchMissing(batch: 10)) && cut.contains(.chainBroken(chainBatch: 10, lastBatch: 9)))
            // Rolled back as a whole the chain is consistent; the head that was noted outside says that it was longer.
            _ = try await pool.query(
                AuditChainTests.rollBack
            )
            #expect(try await verifier.verify().isIntact)
            #expect(try await verifier.verify(anchors: [anchor]).faults == [.anchorBroken(batch: 10)])
            // Grown again, it is another chain.
            try await AuditChainTests.commit(pool, [AuditChainTests.entry(99)])
            #expect(try await verifier.verify(anchors: [anchor]).faults == [.anchorBroken(batch: 10)])
        }
    }

    @Test func `rows beyond the chain's end are found`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            _ = try await pool.query(
                AuditChainTests.rollBack
            )
            let faults = try await verifier.verify().faults
            #expect(faults == [.chainBroken(chainBatch: 9, lastBatch: 10), .strayRows(count: 5)])
        }
    }

    @Test func `a chain without a head is found`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            _ = try await pool.query("delete from banking.audit_chain")
            #expect(try await !verifier.verify().isIntact)
            await #expect(throws: PostgresError.self) {
                try await AuditChainTests.commit(pool, [AuditChainTests.entry(1)])
            }
        }
    }

    @Test func `concurrent batches make one chain, with verifications beside them`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking, size: 10)
            let verifier = AuditVerifier(pool: pool, schema: .banking)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for batch in 0..<25 {
                            try await AuditChainTests.commit(
                                pool,
                                (0...(batch % 4)).map { AuditChainTests.entry(writer * 100 + $0) }
                            )
                        }
                    }
                }
                for _ in 0..<10 {
                    let report = try await verifier.verify()
                    #expect(report.isIntact)
                }
                try await group.waitForAll()
            }
            let report = try await verifier.verify()
            #expect(report.isIntact && report.batches == 200)
        }
    }

    @Test func `the domain's role can't change what was logged`() async throws {
        try await TestDatabase.with { database in
            let role = database.pool(.banking)
            try await AuditChainTests.commit(role, [AuditChainTests.entry(1)])
            for statement: SQL in [
                "update banking.audit_log set actor = 'x'", "delete from banking.audit_log",
                "delete from banking.audit_batches",
            ] {
                do {
                    _ = try await role.query(statement)
                    Issue.record("\(statement.text) was allowed")
                } catch let error as PostgresError { #expect(error.state == "42501") }
            }
        }
    }

    @Test(arguments: [
        "update banking.audit_log set actor = 'x'", "delete from banking.audit_log", "truncate banking.audit_log",
        "update banking.audit_batches set entries = 9", "delete from banking.audit_batches",
        "truncate banking.audit_batches", "delete from banking.audit_chain", "truncate banking.audit_chain",
        "update banking.audit_chain set batch = batch - 1", "update banking.audit_chain set head = sha256('x')",
        "do $$ begin execute (select 'truncate banking.' || relname from pg_class c join pg_inherits i on i.inhrelid = "
            + "c.oid where i.inhparent = 'banking.audit_log'::regclass limit 1); end $$",
    ])
    func `not even a superuser changes the log by a statement`(tampering: String) async throws {
        try await TestDatabase.with { database in
            try await AuditChainTests.commit(database.pool(.banking), [AuditChainTests.entry(1)])
            await #expect {
                try await database.pool().withConnection { try await $0.execute(script: tampering) }
            } throws: { ($0 as? PostgresError)?.state == "D0403" }
            #expect(try await AuditVerifier(pool: database.pool(.banking), schema: .banking).verify().isIntact)
        }
    }

    @Test func `signed heads find a chain that was cut as a whole, and what nobody signed is no head`() async throws {
        try await AuditChainTests.withChain { pool, verifier in
            let signer = try #require(AuditSigner(secret: RandomBytes.make(32)))
            let stranger = try #require(AuditSigner(secret: RandomBytes.make(32)))
            let now = SystemClock().now()
            let signed = try #require(signer.sign(try await verifier.head(), of: .banking, at: now))
            #expect(SignedAuditHead(signed.json) == signed)
            #expect(try await verifier.verify(heads: [signed], publicKeys: [signer.publicKey]).isIntact)
            #expect(
                try await verifier.verify(heads: [signed], publicKeys: [stranger.publicKey]).faults
                    == [.headForged(batch: 10)]
            )
            let elsewhere = try #require(signer.sign(try await verifier.head(), of: .defi, at: now))
            #expect(
                try await verifier.verify(heads: [elsewhere], publicKeys: [signer.publicKey]).faults
                    == [.headForged(batch: 10)]
            )
            for statement: SQL in [
                "delete from banking.audit_log where batch = 10", "delete from banking.audit_batches where batch = 10",
                AuditChainTests.rollBack,
            ] { _ = try await pool.query(statement) }
            #expect(try await verifier.verify().isIntact)
            #expect(
                try await verifier.verify(heads: [signed], publicKeys: [signer.publicKey]).faults
                    == [.anchorBroken(batch: 10)]
            )
        }
    }

    @Test(arguments: ["batch", "head", "signed_at", "schema", "signature", "key"])
    func `a signed head of which anything was changed counts for nothing`(member: String) throws {
        let signer = try #require(AuditSigner(secret: RandomBytes.make(32)))
        let head = AuditHead(batch: 7, head: RandomBytes.make(32))
        let signed = try #require(signer.sign(head, of: .banking, at: SystemClock().now()))
        guard case .object(let members) = signed.json else { return }
        let other = try #require(
            signer.sign(AuditHead(batch: 8, head: RandomBytes.make(32)), of: .defi, at: .init(seconds: 1))
        )
        let changed = JSON.object(
            members.map { $0.name == member ? .init(member, member == "key" ? "00" : other.json[member] ?? .null) : $0 }
        )
        let read = try #require(SignedAuditHead(changed))
        #expect(read.isSigned(byOneOf: [signer.publicKey]) == false)
        #expect(signed.isSigned(byOneOf: [signer.publicKey]))
    }

    @Test func `status changes and provider updates are stored as they are`() async throws {
        try await TestDatabase.with { database in
            let (role, ids) = (database.pool(.banking), AuditChainTests.ids)
            let thing = ID<AuditEntry>(77)
            try await AuditChainTests.commit(
                role,
                [
                    StatusChange(
                        id: ids.next(),
                        entity: "transaction",
                        entityID: thing,
                        version: 1,
                        from: nil,
                        to: "initiated"
                    ),
                    StatusChange(
                        id: ids.next(),
                        entity: "transaction",
                        entityID: thing,
                        version: 2,
                        from: "initiated",
                        to: "failed",
                        reason: "declined",
                        metadata: ["code": "51"]
                    ),
                    ProviderUpdate(
                        id: ids.next(),
                        provider: "stripe",
                        eventID: "evt_1",
                        entityID: 77,
                        type: "charge.failed",
                        raw: [0, 255],
                        processed: ["state": "failed"],
                        outcome: "applied"
                    ),
                ]
            )
            let changes = try await role.query(
                "select from_status, to_status, metadata from banking.status_history order by version"
            )
            let (from, to): (String?, String) = (try changes[1][0], try changes[1][1])
            #expect(changes.count == 2 && from == "initiated" && to == "failed")
            #expect(try changes[1][2] == JSON.object([.init("code", "51")]))
            let update = try await role.query("select raw, outcome from banking.provider_updates")
            #expect(try update[0][0] == Bytes([0, 255]))
        }
    }
}

extension AuditFault {
    fileprivate var batch: Int64? {
        switch self {
        case .rowChanged(let batch, _, _), .batchChanged(let batch, _, _), .headBroken(let batch),
            .batchMissing(let batch), .headForged(let batch), .anchorBroken(let batch):
            batch
        case .chainBroken, .strayRows: nil
        }
    }
}

extension Int {
    fileprivate var json: JSON { .integer(self) }
}
