import DataProtection
import HTTP
import Identity
import Kernel
import PostgreSQL
import Testing

@testable import KYC

/// What customers do, over the routes.
@Suite struct ApplicationTests {
    private static let path = "/v1/me/identity/applications"

    @Test func `a customer sees what is missing, adds it, and hands it in`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let opened = try await world.send("POST", Self.path, KYCWorld.ana("full"), by: ana.wire)
            #expect((opened.status, opened.body["status"]) == (201, "draft"))
            #expect(opened.body["missing"] == ["identity_document", "proof_of_address"])
            let place = Self.path + "/" + (opened.body["id"]?.stringValue ?? "")
            let early = try await world.send("POST", place + "/submission", by: ana.wire)
            #expect((early.status, early.body["code"]) == (422, "documents_missing"))
            for (kind, left) in [("identity_card", 1), ("proof_of_address", 0)] {
                let put = try await world.send(
                    "PUT",
                    place + "/documents/\(kind)",
                    bytes: KYCWorld.picture,
                    by: ana.wire
                )
                #expect(put.body["missing"]?.elements?.count == left)
            }
            let done = try await world.send("POST", place + "/submission", by: ana.wire)
            #expect((done.status, done.body["status"]) == (200, "submitted"))
            let seen = try await world.send("GET", "/v1/me/identity", by: ana.wire)
            #expect((seen.body["status"], seen.body["level"]) == ("pending", "none"))
            #expect(seen.body["application"] == done.body)
            #expect(
                try await world.count(
                    "select count(*) from platform.users where applied_name = 'Ana Ruiz' and name is null"
                ) == 1
            )
            let late = try await world.send("PUT", place + "/documents/selfie", bytes: KYCWorld.picture, by: ana.wire)
            #expect((late.status, late.body["code"]) == (409, "application_not_draft"))
            let back = try await world.send("DELETE", place, by: ana.wire)
            #expect((back.status, back.body["code"]) == (409, "application_not_draft"))
            let noted: SQL = """
                select count(*) from platform.audit_log where action = 'kyc.submitted' and entity = 'kyc_application'
                """
            #expect(try await world.count(noted) == 1)
        }
    }

    @Test func `documents are encrypted, bounded, and what their bytes say`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let place = Self.path + "/" + (try await world.opened("full", for: ana)) + "/documents/passport"
            for bytes: [UInt8] in [[], Array("MZ program".utf8), Array("<svg/>".utf8), [0xFF, 0xD8]] {
                let answer = try await world.send("PUT", place, bytes: bytes, by: ana.wire)
                #expect((answer.status, answer.body["code"]) == (422, "document_unreadable"))
            }
            let large = KYCWorld.picture + [UInt8](repeating: 0, count: KYCDocument.bytesMax)
            #expect(try await world.send("PUT", place, bytes: large, by: ana.wire).status == 413)
            for bytes in [Array("%PDF-1.7".utf8), KYCWorld.picture] {
                let put = try await world.send("PUT", place, bytes: bytes, by: ana.wire)
                #expect(put.body["documents"]?.elements?.count == 1)
            }
            let kept: SQL = "select count(*) from platform.encrypted_user_data where data_type = 'identity.document'"
            #expect(try await world.count(kept) == 1)
            let clear: SQL = """
                select count(*) from platform.encrypted_user_data where position('a face'::bytea in envelope) > 0
                """
            #expect(try await world.count(clear) == 0)
            #expect(try await world.bytes(place, by: ana.wire) == KYCWorld.picture)
            let stranger = try await world.user()
            #expect(try await world.send("GET", place, by: stranger.wire).status == 404)
            #expect(try await world.send("PUT", place, bytes: KYCWorld.picture, by: stranger.wire).status == 404)
        }
    }

    @Test func `who can't be a customer, or says too little, is refused`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let young = try await world.send("POST", Self.path, KYCWorld.ana("basic", born: "2015-01-01"), by: ana.wire)
            #expect((young.status, young.body["code"]) == (422, "under_age"))
            guard case .object(let members) = KYCWorld.ana("full") else { return }
            let homeless = JSON.object(members.filter { $0.name != "address" })
            let answer = try await world.send("POST", Self.path, homeless, by: ana.wire)
            #expect((answer.status, answer.body["code"]) == (422, "address_missing"))
            _ = try await world.pool.query("update platform.users set status = 'locked' where id = \(ana)")
            #expect(try await world.send("POST", Self.path, KYCWorld.ana("basic"), by: ana.wire).status == 404)
        }
    }

    @Test func `there is one application at a time, and one that is taken back leaves no document`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let place = Self.path + "/" + (try await world.opened("full", for: ana))
            let second = try await world.send("POST", Self.path, KYCWorld.ana("basic"), by: ana.wire)
            #expect((second.status, second.body["code"]) == (409, "application_open"))
            _ = try await world.send("PUT", place + "/documents/passport", bytes: KYCWorld.picture, by: ana.wire)
            #expect(try await world.send("DELETE", place, by: ana.wire).body["status"] == "withdrawn")
            let left: SQL = """
                select (select count(*) from platform.kyc_documents) + (select count(*)
                    from platform.encrypted_user_data where data_type = 'identity.document')
                """
            #expect(try await world.count(left) == 0)
            let late = try await world.send("POST", place + "/submission", by: ana.wire)
            #expect((late.status, late.body["code"]) == (409, "application_not_draft"))
            for _ in 1..<KYCApplications.yearlyMax {
                let next = try await world.opened("basic", for: ana)
                _ = try await world.send("DELETE", Self.path + "/" + next, by: ana.wire)
            }
            let many = try await world.send("POST", Self.path, KYCWorld.ana("basic"), by: ana.wire)
            #expect((many.status, many.body["code"]) == (409, "too_many_applications"))
            world.clock.advance(seconds: 366 * 86_400)
            #expect(try await world.send("POST", Self.path, KYCWorld.ana("basic"), by: ana.wire).status == 201)
        }
    }

    @Test func `of many applications at once one is opened`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await world.send("POST", Self.path, KYCWorld.ana("full"), by: ana.wire).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.sorted() == [201] + Array(repeating: 409, count: 7))
        }
    }

    @Test func `whoever was refused waits, and after three refusals talks to support`() async throws {
        try await KYCWorld.with { world in
            let (ana, officer) = (try await world.user(), try await world.officer())
            for attempt in 1...KYCApplications.rejectedMax {
                let id = try await world.submitted(for: ana)
                #expect(try await world.decide(id, "rejected", by: officer).body["status"] == "rejected")
                #expect(try await world.status(of: ana) == "rejected")
                let soon = try await world.send("POST", Self.path, KYCWorld.ana("full"), by: ana.wire)
                let code = attempt == KYCApplications.rejectedMax ? "too_many_applications" : "application_too_early"
                #expect((soon.status, soon.body["code"]) == (409, .string(code)))
                let seen = try await world.send("GET", "/v1/me/identity", by: ana.wire)
                #expect(seen.body["may_apply_at"]?.stringValue != nil)
                world.clock.advance(seconds: KYCApplications.retrySeconds)
            }
            let last = try await world.send("POST", Self.path, KYCWorld.ana("full"), by: ana.wire)
            #expect(last.body["code"] == "too_many_applications")
        }
    }

    @Test func `an erasure takes the documents, and says what stays and why`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let id = try await world.submitted(for: ana)
            let records = KYCRecords(pool: world.pool)
            let export = DataExport(Erasure(world.data, records: [records]))
            let shown = try await #require(export.section("platform.identity_documents")).read(ana, 0, 10)
            #expect(shown.map { $0.json["kind"] } == ["passport", "proof_of_address"])
            let path = try #require(shown[0].json["path"]?.stringValue)
            #expect(try await world.bytes(path, by: ana.wire) == KYCWorld.picture)
            let values = try await #require(export.section("platform.personal_data")).read(ana, 0, 10)
            #expect(values.allSatisfy { $0.json["data_type"] != "identity.document" } && values.count == 4)
            let erasure = Erasure(world.data, records: [records])
            _ = try await erasure.requests.make(for: ana, by: Requester(actor: "operator:olga"))
            let receipt = try await erasure.erase(ana, approvedBy: Requester(actor: "operator:olga"))
            #expect(receipt.removed.contains(.init(what: "platform.identity_documents", rows: 2)))
            #expect(receipt.kept.map(\.what).filter { $0.hasPrefix("platform.identity") }.count == 2)
            #expect(try await world.count("select count(*) from platform.encrypted_user_data") == 0)
            let stays = try await records.sections[0].read(ana, 0, 10)
            #expect(stays.map { $0.json["status"] } == ["withdrawn"])
            #expect(try await world.send("GET", path, by: ana.wire).status == 404)
            let again = try await world.send("POST", Self.path, KYCWorld.ana("basic"), by: ana.wire)
            #expect((again.status, again.body["code"]) == (410, "erased"))
            let officer = try await world.officer()
            #expect(try await world.decide(id, "rejected", by: officer).body["code"] == "application_not_submitted")
        }
    }

    private static let faults: [(constraint: String, statement: SQL)] = [
        (
            "kyc_applications_one",
            """
            insert into platform.kyc_applications (id, user_id, level, status, provider, created_at)
            select gen_random_uuid(), user_id, 1, 'draft', 'staff', now() from platform.kyc_applications
            """
        ),
        (
            "kyc_applications_not_ones_own",
            "update platform.kyc_applications set claimed_by = user_id, claimed_at = now()"
        ),
        ("kyc_applications_claimed", "update platform.kyc_applications set claimed_at = now()"),
        (
            "kyc_applications_take_two",
            """
            update platform.kyc_applications
            set proposed_by = id, decided_by = id, decided_at = now(), status = 'approved'
            """
        ),
        ("kyc_applications_decided", "update platform.kyc_applications set status = 'approved'"),
        (
            "kyc_applications_decider",
            "update platform.kyc_applications set status = 'approved', decided_at = now()"
        ),
        ("kyc_applications_submitted", "update platform.kyc_applications set submitted_at = null"),
        ("kyc_applications_told", "update platform.kyc_applications set told_at = now()"),
        (
            "kyc_documents_one",
            """
            insert into platform.kyc_documents
            select gen_random_uuid(), application_id, user_id, kind, media_type, bytes, added_at
            from platform.kyc_documents
            """
        ),
        ("kyc_documents_bytes_check", "update platform.kyc_documents set bytes = 6291457"),
        ("kyc_documents_media_type_check", "update platform.kyc_documents set media_type = 'text/html'"),
    ]

    @Test func `the database repeats what must hold`() async throws {
        try await KYCWorld.with { world in
            _ = try await world.submitted(for: try await world.user())
            for fault in Self.faults {
                let error = await #expect(throws: PostgresError.self) { try await world.pool.query(fault.statement) }
                #expect(error?.violates(fault.constraint) == true, "\(fault.constraint): \(error as Any)")
            }
        }
    }
}
