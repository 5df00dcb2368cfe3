import HTTP
import Kernel
import Messaging
import PostgreSQL
import Testing
import Webhooks

@testable import KYC

@Suite struct VendorTests {
    /// `second` is when it happened, by the vendor's clock.
    private static func persona(
        _ name: String,
        of application: String,
        event: String = "evt_1",
        second: Int = 1
    ) -> [UInt8] {
        let body: JSON = [
            "data": [
                "type": "event", "id": .string(event),
                "attributes": [
                    "name": .string(name), "created-at": .string("2026-11-21T13:00:0\(second).000Z"),
                    "payload": [
                        "data": [
                            "type": "inquiry", "id": "inq_1",
                            "attributes": ["status": "completed", "reference-id": .string(application)],
                        ]
                    ],
                ],
            ]
        ]
        return body.serialized()
    }

    private static func sumsub(_ answer: String, of application: String, type: String? = nil) -> [UInt8] {
        var result: [JSON.Member] = [JSON.Member("reviewAnswer", .string(answer))]
        if let type {
            result.append(JSON.Member("reviewRejectType", .string(type)))
            result.append(JSON.Member("rejectLabels", ["UNSATISFACTORY_PHOTOS"]))
        }
        let body: JSON = [
            "type": "applicantReviewed", "applicantId": "5c9e177b0a975a6eeccf5960",
            "createdAtMs": "2026-11-21 13:23:19.002", "externalUserId": .string(application),
            "reviewResult": .object(result),
        ]
        return body.serialized()
    }

    private static func tell(
        _ world: KYCWorld,
        persona body: [UInt8],
        secrets: [String] = [KYCWorld.persona[0]]
    ) async throws -> (status: Int, body: JSON) {
        let header = WebhookSigner.persona(body: body, secrets: secrets, at: world.clock.now())
        return try await world.send("POST", "/v1/webhooks/persona", bytes: body, headers: [header])
    }

    private static func tell(_ world: KYCWorld, sumsub body: [UInt8]) async throws -> Int {
        let headers = WebhookSigner.sumsub(body: body, secret: KYCWorld.sumsub).map { ($0.name, $0.value) }
        return try await world.send("POST", "/v1/webhooks/sumsub", bytes: body, headers: headers).status
    }

    private static func submitted(_ world: KYCWorld, for user: ID<User>) async throws -> String {
        let id = try await world.opened("full", for: user)
        _ = try await world.send("POST", "/v1/me/identity/applications/\(id)/submission", by: user.wire)
        return id
    }

    @Test func `a vendor's approval counts once, however often it is told`() async throws {
        try await KYCWorld.with(vendor: "persona") { world in
            let ana = try await world.user()
            let id = try await Self.submitted(world, for: ana)
            let body = Self.persona("inquiry.approved", of: id)
            #expect(try await Self.tell(world, persona: body).body["status"] == "stored")
            #expect(try await Self.tell(world, persona: body).body["status"] == "duplicate")
            try await world.worker.drain()
            #expect(try await world.level(of: ana) == "full")
            let processed: SQL =
                "select count(*) from platform.inbox where status = 'processed' and body = \(Bytes(body))"
            #expect(try await world.count(processed) == 1)
            let decided: SQL = """
                select count(*) from platform.kyc_applications where provider = 'persona' and decided_by is null
                """
            #expect(try await world.count(decided) == 1)
        }
    }

    @Test func `a vendor's youngest word counts, in whichever order they come`() async throws {
        try await KYCWorld.with(vendor: "persona") { world in
            let (ana, ben) = (try await world.user(), try await world.user())
            let words = ["inquiry.marked-for-review", "inquiry.approved", "inquiry.declined"]
            for (user, order) in [(ana, [0, 1, 2]), (ben, [2, 1, 0])] {
                let id = try await Self.submitted(world, for: user)
                for place in order {
                    let event = "evt_\(user)_\(place)"
                    let body = Self.persona(words[place], of: id, event: event, second: place)
                    let answer = try await Self.tell(world, persona: body)
                    #expect(answer.body["status"] == "stored")
                    try await world.worker.drain()
                }
                #expect(try await world.status(of: user) == "rejected")
                #expect(try await world.level(of: user) == "none")
            }
            #expect(try await world.count("select count(*) from platform.kyc_levels") == 0)
        }
    }

    @Test func `a vendor and an officer who decide at once agree on one of them`() async throws {
        for _ in 0..<4 {
            try await KYCWorld.with(vendor: "persona") { world in
                let (ana, officer) = (try await world.user(), try await world.officer())
                let id = try await Self.submitted(world, for: ana)
                _ = try await Self.tell(world, persona: Self.persona("inquiry.approved", of: id))
                let decided = try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask { try await world.decide(id, "rejected", by: officer).status }
                    group.addTask {
                        try await world.worker.drain()
                        return 0
                    }
                    return try await group.reduce(0, +)
                }
                #expect([200, 409].contains(decided))
                #expect(try await world.status(of: ana) == (decided == 200 ? "rejected" : "approved"))
                let levels = try await world.count("select count(*) from platform.kyc_levels")
                #expect(levels == (decided == 200 ? 0 : 1))
            }
        }
    }

    @Test func `what a vendor tells before the customer hands in waits for it`() async throws {
        try await KYCWorld.with(vendor: "persona") { world in
            let ana = try await world.user()
            let id = try await world.opened("full", for: ana)
            _ = try await Self.tell(world, persona: Self.persona("inquiry.approved", of: id))
            try await world.worker.drain()
            #expect(try await world.status(of: ana) == "none")
            _ = try await world.send("POST", "/v1/me/identity/applications/\(id)/submission", by: ana.wire)
            try await world.worker.drain()
            #expect(try await world.status(of: ana) == "approved")
        }
    }

    @Test func `what a vendor can't decide, or what a case stands against, goes to the staff`() async throws {
        try await KYCWorld.with(vendor: "persona") { world in
            let (ana, ben) = (try await world.user(), try await world.user())
            let unclear = try await Self.submitted(world, for: ana)
            let held = try await Self.submitted(world, for: ben)
            try await world.hold(ben)
            _ = try await Self.tell(world, persona: Self.persona("inquiry.marked-for-review", of: unclear, event: "a"))
            _ = try await Self.tell(world, persona: Self.persona("inquiry.approved", of: held, event: "b"))
            try await world.worker.drain()
            let waiting: SQL = """
                select count(*) from platform.kyc_applications where status = 'submitted' and referred_at is not null
                """
            #expect(try await world.count(waiting) == 2)
            #expect(try await world.status(of: ben) == "pending")
            let queue = try await world.send("GET", "/v1/operator/identity/applications", by: try await world.officer())
            #expect(queue.body["data"]?.elements?.count == 2)
            #expect(try await world.count("select count(*) from platform.inbox where status = 'processed'") == 2)
        }
    }

    @Test func `Sumsub's refusals are for good only when they say so`() async throws {
        try await KYCWorld.with(vendor: "sumsub") { world in
            let (ana, ben) = (try await world.user(), try await world.user())
            let blurred = Self.sumsub("RED", of: try await Self.submitted(world, for: ana), type: "RETRY")
            let refused = Self.sumsub("RED", of: try await Self.submitted(world, for: ben), type: "FINAL")
            let first = try await Self.tell(world, sumsub: blurred)
            #expect(first == 200)
            try await world.worker.drain()
            let asked = try await world.send("GET", "/v1/me/identity", by: ana.wire).body["application"]
            #expect((asked?["status"], asked?["reason"]) == ("incomplete", "UNSATISFACTORY_PHOTOS"))
            // Its events have no id: the same applicant at the same instant is the same event.
            let second = try await Self.tell(world, sumsub: refused)
            #expect(second == 200)
            #expect(try await world.count("select count(*) from platform.inbox_conflicts") == 1)
        }
    }

    @Test func `what isn't signed by the vendor isn't kept`() async throws {
        try await KYCWorld.with { world in
            let body = Self.persona("inquiry.approved", of: "kyc_1")
            let rotated = try await Self.tell(world, persona: body, secrets: ["wbhsec_other", KYCWorld.persona[1]])
            #expect(rotated.status == 200)
            let forged = try await Self.tell(world, persona: body, secrets: ["wbhsec_other"])
            #expect((forged.status, forged.body["code"]) == (401, "signature_mismatch"))
            let bare = try await world.send("POST", "/v1/webhooks/sumsub", bytes: body)
            #expect((bare.status, bare.body["code"]) == (400, "missing_header"))
            let timeless = Self.persona("inquiry.approved", of: "kyc_1", second: 77)
            #expect(try await Self.tell(world, persona: timeless).body["code"] == "invalid_payload")
            let garbage = try await Self.tell(world, persona: Array(#"{"data":[]}"#.utf8))
            #expect((garbage.status, garbage.body["code"]) == (400, "invalid_payload"))
            let twice = try await Self.tell(world, persona: Array(#"{"a":1,"a":2}"#.utf8))
            #expect((twice.status, twice.body["code"]) == (400, "duplicate_keys"))
            #expect(try await world.count("select count(*) from platform.inbox") == 1)
        }
    }

    @Test(
        arguments: [
            ("GREEN", nil, VendorEvent.Outcome.approved), ("RED", "FINAL", .rejected("UNSATISFACTORY_PHOTOS")),
            ("RED", "RETRY", .insufficient("UNSATISFACTORY_PHOTOS")), ("RED", nil, .insufficient("refused by sumsub")),
            ("YELLOW", nil, .unclear("sumsub answers neither green nor red")),
        ] as [(String, String?, VendorEvent.Outcome)]
    )
    func `only what Sumsub calls green is an approval`(
        answer: String,
        type: String?,
        outcome: VendorEvent.Outcome
    ) throws {
        let event = try SumsubVendor().event(try JSON.parse(Self.sumsub(answer, of: "kyc_1", type: type)))
        #expect(event.outcome == outcome)
        #expect(event.at == Timestamp("2026-11-21T13:23:19.002Z"))
    }

    @Test func `events that mean nothing to us are let pass`() async throws {
        try await KYCWorld.with(vendor: "persona") { world in
            let ana = try await world.user()
            let id = try await Self.submitted(world, for: ana)
            let unknown = ID<KYCApplication>(1).wire
            for (index, event) in [("inquiry.started", id), ("inquiry.approved", unknown), ("inquiry.approved", "x")]
                .enumerated()
            {
                _ = try await Self.tell(world, persona: Self.persona(event.0, of: event.1, event: "evt_\(index)"))
            }
            try await world.worker.drain()
            let foreign: JSON = [
                "data": ["id": "e", "attributes": ["name": "account.created", "created-at": "2026-11-21T13:00:00Z"]]
            ]
            let kept = try await Self.tell(world, persona: foreign.serialized())
            #expect(kept.status == 200)
            try await world.worker.drain()
            #expect(try await world.count("select count(*) from platform.inbox where status = 'ignored'") == 4)
            #expect(try await world.status(of: ana) == "pending")
        }
    }
}

extension KYCWorld {
    /// Holds a customer's money for a case.
    func hold(_ user: ID<User>) async throws {
        let id: ID<User> = ids.next()
        _ = try await pool.query(
            """
            insert into platform.compliance_cases (id, user_id, kind, evidence, opened_at, due_at)
            values (\(id), \(user), 'sanctions', '{}', \(clock.now()), \(clock.now().adding(seconds: 60)))
            """
        )
        _ = try await pool.query(
            """
            insert into platform.compliance_holds (user_id, case_id, held_at) values (\(user), \(id), \(clock.now()))
            """
        )
    }
}
