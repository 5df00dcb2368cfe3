import Approvals
import Compliance
import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import PostgreSQL
import TestSupport
import Testing

@testable import Composition

@Suite struct ManualPostingTests {
    /// Two operators, a customer with a case, and accounts with money.
    private struct World: Sendable {
        let database: TestDatabase
        let platform: Pool
        let runtime: DomainRuntime
        let api: API
        let clock: ManualClock
        let cases: ComplianceCases
        let maker: ID<User>
        let checker: ID<User>
        let customer: ID<User>

        static func with(_ body: (World) async throws -> Void) async throws {
            try await TestDatabase.with { database in try await body(try await World(database)) }
        }

        private init(_ database: TestDatabase) async throws {
            self.database = database
            platform = database.pool(.platform)
            clock = ManualClock(SystemClock().now())
            let ids = IDGenerator(clock: clock)
            let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            runtime = DomainRuntime(schema: .banking, pool: database.pool(.banking), ids: ids, logger: quiet)
            cases = ComplianceCases(pool: platform, ids: ids, clock: clock)
            (maker, checker, customer) = (ids.next(), ids.next(), ids.next())
            let postings = ManualPostings(runtimes: [runtime], cases: cases, ids: ids)
            let rules = RuleSets(pool: platform, clock: clock).approval(ids: ids)
            let approvals = Approvals([postings.kind, rules], pool: platform, ids: ids, clock: clock)
            api = API(
                ApprovalRoutes(approvals, cursors: CursorSigner(key: Array(repeating: 7, count: 32))).routes,
                description: APIDescription(title: "Test", version: "1", text: ""),
                services: API.Services(authenticator: Operators())
            )
            for (number, user) in [maker, checker, customer].enumerated() {
                _ = try await platform.query(
                    """
                    insert into platform.users (id, email, username, password_hash, created_at, updated_at)
                    values (\(user), \("user\(number)@example.com"), \("user\(number)"),
                        '$2b$10$' || repeat('a', 53), now(), now())
                    """
                )
            }
        }

        /// The customer's account, which is there once something happens on it.
        func prepare() async throws {
            _ = try await runtime.accounts.open(AccountKey(customer, "checking", .usd))
        }

        func send(_ path: String, _ body: JSON?, as user: ID<User>) async throws -> (status: Int, json: JSON) {
            let answer = await api.respond(
                "POST",
                path,
                headers: ["Authorization": "Bearer \(user.wire)", "Content-Type": "application/json"],
                body: body?.serialized() ?? []
            )
            return (answer.status, try answer.encodedBody().map { try JSON.parse($0.bytes) } ?? .null)
        }

        func propose(_ payload: JSON, kind: String = "ledger.post") async throws -> (status: Int, json: JSON) {
            try await send(
                "/v1/operator/approvals",
                ["kind": .string(kind), "payload": payload, "reason": "the provider paid twice"],
                as: maker
            )
        }

        func approve(_ id: String, as user: ID<User>) async throws -> (status: Int, json: JSON) {
            try await send("/v1/operator/approvals/\(id)/approve", nil, as: user)
        }

        func openCase() async throws -> String {
            let alert = ComplianceCases.Alert(
                user: customer,
                kind: .aml,
                subject: "correction",
                score: 100,
                explanation: ["paid twice"]
            )
            let id = try await cases.raise([alert], evidence: [:], holds: false)
            return try #require(id).wire
        }

        func posted(_ key: AccountKey) async throws -> Int128 {
            try await runtime.accounts.balances(of: key.owner).first { $0.kind == key.kind && $0.total.asset == .usd }?
                .total.minorUnits ?? 0
        }

        var payload: JSON {
            [
                "domain": "banking", "asset": "USD",
                "debit": [
                    ["account": "suspense:stripe", "amount": "3.00"], ["account": "suspense:ramp", "amount": "2.00"],
                ],
                "credit": [["account": "checking", "owner": .string(customer.wire), "amount": "5.00"]],
            ]
        }
    }

    /// Every token is a user's id, who may do what operators may.
    private struct Operators: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            let permissions = ["staff:approvals", "operate:money", "compliance:review"].map { Permission($0) }
            return Principal(user: user, permissions: Set(permissions), assurance: .signature)
        }
    }

    @Test func `one proposes, another approves, and then the ledger has it once`() async throws {
        try await World.with { world in
            try await world.prepare()
            let payload = world.payload.with("case", .string(try await world.openCase()))
            let proposed = try await world.propose(payload)
            #expect(proposed.status == 201, "\(proposed.json)")
            let id = try #require(proposed.json["id"]?.stringValue)
            let own = try await world.approve(id, as: world.maker)
            #expect(own.status == 403 && own.json["code"] == "own_proposal")
            let checking = AccountKey(world.customer, "checking", .usd)
            #expect(try await world.posted(checking) == 0)
            let done = try await world.approve(id, as: world.checker)
            #expect(done.status == 200 && done.json["status"] == "executed", "\(done.json)")
            #expect(try await world.posted(checking) == 500)
            #expect(try await world.posted(AccountKey(house: "suspense:stripe", .usd)) == -300)
            #expect(try await world.posted(AccountKey(house: "suspense:ramp", .usd)) == -200)
            let again = try await world.approve(id, as: world.checker)
            #expect(again.json["code"] == "proposal_not_open")
            #expect(try await LedgerVerifier(schema: .banking, pool: world.runtime.pool).verify().isEmpty)
            let entries = try await world.runtime.pool.query(
                "select actor, after from banking.audit_log where action = 'ledger.posted'"
            )
            #expect(entries.count == 1)
            #expect(try entries[0]["actor"] == "user:\(world.checker)")
            let after: JSON = try entries[0]["after"]
            let why = after["reason"]?.stringValue ?? ""
            #expect(why.contains("paid twice") && why.contains(world.maker.wire))
            let told: Int = try await world.runtime.pool.query(
                "select count(*) from banking.outbox_events where type = 'banking.ledger.posted'"
            )[0][0]
            #expect(told == 1)
        }
    }

    @Test func `an approval whose commit failed after the posting is approved again and posts nothing`() async throws {
        try await World.with { world in
            try await world.prepare()
            let payload = world.payload.with("case", .string(try await world.openCase()))
            let id = try #require(try await world.propose(payload).json["id"]?.stringValue)
            #expect(try await world.approve(id, as: world.checker).status == 200)
            _ = try await world.database.pool().query(
                """
                update platform.approvals set status = 'proposed', decided_by = null, decided_at = null, result = null
                """
            )
            #expect(try await world.approve(id, as: world.checker).status == 200)
            #expect(try await world.posted(AccountKey(world.customer, "checking", .usd)) == 500)
        }
    }

    /// What becomes of a proposal whose posting was made, but not its own commit.
    private enum Attempt: CaseIterable { case withdrawal, refusal, approval, expiry }

    @Test(arguments: Attempt.allCases)
    private func `what is posted counts as executed, whatever is tried after its commit failed`(
        _ attempt: Attempt
    )
        async throws
    {
        try await World.with { world in
            try await world.prepare()
            let payload = world.payload.with("case", .string(try await world.openCase()))
            let id = try #require(try await world.propose(payload).json["id"]?.stringValue)
            #expect(try await world.approve(id, as: world.checker).status == 200)
            _ = try await world.database.pool().query(
                """
                update platform.approvals set status = 'proposed', decided_by = null, decided_at = null, result = null
                """
            )
            world.clock.advance(seconds: Approvals.lifetimeSeconds)
            let (path, why): (String, JSON) = ("/v1/operator/approvals/\(id)", ["reason": "not needed any more"])
            switch attempt {
            case .withdrawal:
                let answer = try await world.send("\(path)/withdraw", why, as: world.maker)
                #expect(answer.json["code"] == "proposal_not_open", "\(answer.json)")
            case .refusal:
                let answer = try await world.send("\(path)/refuse", why, as: world.customer)
                #expect(answer.json["code"] == "proposal_not_open", "\(answer.json)")
            case .approval: #expect(try await world.approve(id, as: world.customer).status == 200)
            case .expiry: #expect(try await world.propose(payload).status == 201)
            }
            let row = try await world.platform.query(
                "select status, decided_by, result from platform.approvals where id = \(ID<Approval>(wire: id))"
            )[0]
            #expect(try row[0] == "executed")
            #expect(try row[1] == world.checker)
            #expect((try row[2] as JSON)["transfer"] != nil)
            #expect(try await world.posted(AccountKey(world.customer, "checking", .usd)) == 500)
        }
    }

    @Test func `what was changed or is over isn't posted`() async throws {
        try await World.with { world in
            try await world.prepare()
            let payload = world.payload.with("case", .string(try await world.openCase()))
            let late = try #require(try await world.propose(payload).json["id"]?.stringValue)
            world.clock.advance(seconds: Approvals.lifetimeSeconds)
            #expect(try await world.approve(late, as: world.checker).json["code"] == "proposal_not_open")
            let id = try #require(try await world.propose(payload).json["id"]?.stringValue)
            _ = try await world.database.pool().query(
                "update platform.approvals set payload = replace(payload::text, '5.00', '5000.00')::jsonb"
            )
            let changed = try await world.approve(id, as: world.checker)
            #expect(changed.json["code"] == "proposal_changed", "\(changed.json)")
            #expect(try await world.posted(AccountKey(world.customer, "checking", .usd)) == 0)
        }
    }

    @Test func `what doesn't balance, names an account twice or a customer without a case is refused`() async throws {
        try await World.with { world in
            try await world.prepare()
            let house: JSON = [["account": "suspense:stripe", "amount": "5.00"]]
            let theirs: JSON = [["account": "checking", "owner": .string(world.customer.wire), "amount": "5.00"]]
            let stranger: JSON = [["account": "checking", "owner": .string(world.checker.wire), "amount": "5.00"]]
            let openCase = JSON.string(try await world.openCase())
            func payload(_ debit: JSON, _ credit: JSON, _ caseID: JSON? = nil) -> JSON {
                let plain: JSON = ["domain": "banking", "asset": "USD", "debit": debit, "credit": credit]
                return caseID.map { plain.with("case", $0) } ?? plain
            }
            let less: JSON = [["account": "suspense:ramp", "amount": "4.99"]]
            let none: JSON = [["account": "nothing", "amount": "5.00"]]
            for (made, code) in [
                (payload(house, less), "posting_unbalanced"), (payload(house, house), "posting_repeats_account"),
                (payload(house, theirs), "posting_needs_case"),
                (payload(theirs, stranger, openCase), "posting_needs_case"),
                (payload(house, stranger, openCase), "posting_needs_case"), (payload(house, none), "no_such_account"),
            ] {
                let answer = try await world.propose(made)
                #expect(answer.status == 422 && answer.json["code"]?.stringValue == code, "\(code): \(answer.json)")
            }
            let investing = payload(house, less).with("domain", "investing")
            #expect(try await world.propose(investing).status == 400)
        }
    }

    @Test func `a version of the rules decides once two agree`() async throws {
        try await World.with { world in
            let sets = RuleSets(pool: world.platform, clock: world.clock)
            let version = try await sets.draft(PolicyParameters(), reason: "try", by: "test")
            #expect(try await world.propose(["version": .integer(99)], kind: "compliance.rules").status == 404)
            let proposed = try await world.propose(["version": .integer(version)], kind: "compliance.rules")
            let id = try #require(proposed.json["id"]?.stringValue, "\(proposed.json)")
            #expect(try await world.approve(id, as: world.maker).json["code"] == "own_proposal")
            let active: SQL = "select count(*) from platform.compliance_rule_sets where status = 'active'"
            #expect(try await world.platform.query(active)[0][0] == 0)
            #expect(try await world.approve(id, as: world.checker).status == 200)
            #expect(try await world.platform.query(active)[0][0] == 1)
            let told: Int = try await world.platform.query(
                "select count(*) from platform.audit_log where action = 'rules.activated'"
            )[0][0]
            #expect(told == 1)
        }
    }
}

extension JSON {
    /// The object with another value of a member.
    fileprivate func with(_ name: String, _ value: JSON) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name } + [Member(name, value)])
    }
}
