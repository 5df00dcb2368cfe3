import Compliance
import Identity
import Kernel
import Randomness
import Testing

@testable import KYC

/// The rules of applications, as values.
@Suite struct FileTests {
    private static let now = Timestamp(seconds: 1_800_000_000)
    private static let ana = ID<User>(1)
    private static let (bea, carl) = (ID<User>(2), ID<User>(3))

    private static func file(
        _ level: KYCLevel = .full,
        provider: String = "staff",
        _ status: KYCStatus = .none
    )
        -> KYCFile
    {
        let kinds: [KYCDocument.Kind] = [.passport, .proofOfAddress]
        let documents = kinds.enumerated().map { place, kind in
            KYCDocument(id: ID(UInt128(place)), kind: kind, mediaType: .pdf, bytes: 10)
        }
        let application = KYCApplication(new: ID(7), of: ana, level, provider, at: now, documents)
        return KYCFile(application: application, standing: nil, status: status)
    }

    private static func submitted(_ level: KYCLevel = .full, provider: String = "staff") throws -> KYCFile {
        var file = file(level, provider: provider)
        try file.submit(at: now)
        return file
    }

    @Test func `the full level takes two people, the basic one takes one`() throws {
        var basic = try Self.submitted(.basic)
        try basic.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        #expect((basic.status, basic.application.status, basic.standing?.level) == (.approved, .approved, .basic))
        var full = try Self.submitted()
        try full.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        #expect((full.status, full.application.status, full.standing) == (.pending, .submitted, nil))
        #expect(throws: KYCProblem.ownProposal) {
            try full.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        }
        try full.decide(.approved, because: "fine", by: Self.carl, at: Self.now)
        #expect((full.status, full.standing?.level, full.application.decidedBy) == (.approved, .full, Self.carl))
        #expect(full.standing?.expiresAt == Self.now.adding(seconds: 730 * 86_400))
        var alone = try Self.submitted()
        alone.twoPeopleLevel = 3
        try alone.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        #expect(alone.status == .approved)
    }

    @Test func `nobody decides on their own, on what is decided, claimed by another, or held`() throws {
        var file = try Self.submitted()
        #expect(throws: KYCProblem.own) { try file.claim(by: Self.ana, at: Self.now) }
        try file.claim(by: Self.bea, at: Self.now)
        #expect(throws: KYCProblem.claimed) {
            try file.decide(.rejected, because: "no", by: Self.carl, at: Self.now.adding(seconds: 1_799))
        }
        file.isHeld = true
        #expect(throws: KYCProblem.held) { try file.decide(.approved, because: "", by: Self.bea, at: Self.now) }
        // A claim ends by itself.
        try file.decide(.rejected, because: "no", by: Self.carl, at: Self.now.adding(seconds: 1_800))
        #expect(throws: KYCProblem.notSubmitted) { try file.claim(by: Self.bea, at: Self.now) }
        #expect(throws: KYCProblem.notDraft) { try file.withdraw() }
        var draft = Self.file()
        #expect(throws: KYCProblem.notSubmitted) { try draft.claim(by: Self.bea, at: Self.now) }
    }

    @Test func `whoever is refused keeps no level of before`() throws {
        let old = KYCApplication(new: ID(5), of: Self.ana, .full, "staff", at: Self.now, [])
        for isVendors in [false, true] {
            var file = Self.file(provider: isVendors ? "persona" : "staff", .approved)
            file.standing = KYCStanding(granted: old, at: Self.now)
            try file.submit(at: Self.now)
            if isVendors {
                try file.hear(Self.word(.rejected("no"), 1), from: "persona", at: Self.now)
            } else {
                try file.decide(.rejected, because: "no", by: Self.bea, at: Self.now)
            }
            #expect((file.status, file.standing) == (.rejected, nil))
        }
    }

    @Test func `an approval that was ended otherwise doesn't come back by the vendor's next word`() throws {
        var file = try Self.submitted(provider: "persona")
        try file.hear(Self.word(.approved, 1), from: "persona", at: Self.now)
        (file.status, file.standing) = (.none, nil)
        #expect(throws: VendorSilence.settled) { try file.hear(Self.word(.approved, 2), from: "persona", at: Self.now) }
        // A refusal counts whatever was before.
        try file.hear(Self.word(.rejected("no"), 3), from: "persona", at: Self.now)
        #expect(file.status == .rejected)
    }

    @Test func `whoever is asked for more goes on with the same application, and is approved anew`() throws {
        var file = try Self.submitted()
        try file.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        try file.decide(.incomplete, because: "blurred", by: Self.carl, at: Self.now)
        #expect((file.application.status, file.application.reason) == (.incomplete, "blurred"))
        #expect((file.application.proposedBy, file.application.decidedBy) == (nil, nil))
        try file.submit(at: Self.now)
        try file.decide(.approved, because: "fine", by: Self.carl, at: Self.now)
        #expect(file.application.status == .submitted)
    }

    @Test func `a renewal keeps the level for two weeks at most, once`() throws {
        var file = Self.file(.full, .none)
        let old = KYCApplication(new: ID(5), of: Self.ana, .full, "staff", at: Self.now, [])
        var standing = KYCStanding(granted: old, at: Self.now.adding(seconds: -731 * 86_400))
        standing.expiredAt = Self.now
        file.standing = standing
        try file.submit(at: Self.now)
        #expect((file.status, file.standing?.expiredAt, file.standing?.isExtended) == (.approved, nil, true))
        #expect(file.standing?.expiresAt == Self.now.adding(seconds: 14 * 86_400))
        let later = Self.now.adding(seconds: 15 * 86_400)
        try file.decide(.incomplete, because: "blurred", by: Self.bea, at: later)
        file.status = .none
        file.standing?.expiredAt = later
        try file.submit(at: later)
        #expect((file.status, file.standing?.expiredAt) == (.pending, later))
        // An application for less extends nothing, nor does one that comes long before the end or after it.
        standing.expiredAt = nil
        var fresh = KYCStanding(granted: old, at: Self.now)
        var stale = KYCStanding(granted: old, at: Self.now.adding(seconds: -790 * 86_400))
        let isExtended =
            standing.extend(for: .basic, at: Self.now) || fresh.extend(for: .full, at: Self.now)
            || stale.extend(for: .full, at: Self.now)
        #expect(!isExtended)
    }

    @Test func `what a vendor approves of somebody who was refused or is held goes to the staff`() throws {
        for isHeld in [true, false] {
            var file = try Self.submitted(provider: "persona")
            (file.isHeld, file.status) = (isHeld, isHeld ? .pending : .rejected)
            try file.hear(Self.word(.approved, 1), from: "persona", at: Self.now)
            #expect((file.application.status, file.application.referredAt) == (.submitted, Self.now))
            #expect(file.standing == nil && file.status != .approved)
        }
    }

    @Test func `an application is taken back from a vendor that never tells, not from people`() throws {
        var file = try Self.submitted(provider: "persona")
        try file.withdraw()
        #expect((file.application.status, file.status) == (.withdrawn, .none))
        #expect(throws: VendorSilence.settled) { try file.hear(Self.word(.approved, 1), from: "persona", at: Self.now) }
        var claimed = try Self.submitted(provider: "persona")
        try claimed.claim(by: Self.bea, at: Self.now)
        #expect(throws: KYCProblem.notDraft) { try claimed.withdraw() }
        var referred = try Self.submitted(provider: "persona")
        try referred.hear(Self.word(.unclear("?"), 1), from: "persona", at: Self.now)
        #expect(throws: KYCProblem.notDraft) { try referred.withdraw() }
    }

    @Test func `a vendor isn't heard early, late, from elsewhere, or once a person has acted`() throws {
        var draft = Self.file(provider: "persona")
        #expect(throws: VendorSilence.early) { try draft.hear(Self.word(.approved, 1), from: "persona", at: Self.now) }
        var file = try Self.submitted(provider: "persona")
        #expect(throws: VendorSilence.settled) { try file.hear(Self.word(.approved, 1), from: "sumsub", at: Self.now) }
        try file.hear(Self.word(.unclear("?"), 2), from: "persona", at: Self.now)
        for place in [1, 2] {
            #expect(throws: VendorSilence.late) {
                try file.hear(Self.word(.approved, place), from: "persona", at: Self.now)
            }
        }
        var superseded = file
        superseded.isSuperseded = true
        #expect(throws: VendorSilence.settled) {
            try superseded.hear(Self.word(.approved, 3), from: "persona", at: Self.now)
        }
        try file.decide(.approved, because: "fine", by: Self.bea, at: Self.now)
        #expect(throws: VendorSilence.settled) { try file.hear(Self.word(.approved, 3), from: "persona", at: Self.now) }
    }

    private static func word(_ outcome: VendorEvent.Outcome, _ place: Int) throws -> VendorEvent {
        try VendorEvent(
            id: "evt_\(place)",
            type: "told",
            at: now.adding(seconds: Int64(place)),
            reference: "kyc",
            outcome: outcome
        )
    }

    /// What the whole story comes to: the vendor's last word by its own clock.
    private static func reference(_ words: [VendorEvent]) -> (KYCApplication.Status, KYCStatus, Bool) {
        var last: VendorEvent?
        for word in words where last.map({ ($0.at, $0.id) < (word.at, word.id) }) ?? true { last = word }
        return switch last?.outcome {
        case .approved: (.approved, .approved, true)
        case .insufficient: (.incomplete, .pending, false)
        case .rejected: (.rejected, .rejected, false)
        default: (.submitted, .pending, false)
        }
    }

    @Test(arguments: 0..<200) func `in whichever order a vendor's words come, the last one counts`(seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let outcomes: [VendorEvent.Outcome] = [.approved, .insufficient("a"), .rejected("b"), .unclear("c")]
        let words = try (0..<Int.random(in: 1...6, using: &random)).map { place in
            let outcome = outcomes[Int.random(in: 0..<outcomes.count, using: &random)]
            // Some at the same instant.
            return try VendorEvent(
                id: "evt_\(place)",
                type: "told",
                at: Self.now.adding(seconds: Int64(Int.random(in: 0...3, using: &random))),
                reference: "kyc",
                outcome: outcome
            )
        }
        var file = try Self.submitted(provider: "persona")
        for word in (words + words).shuffled(using: &random) {
            do throws(VendorSilence) {
                try file.hear(word, from: "persona", at: Self.now)
            } catch {
                #expect(error == .late)
            }
        }
        let expected = Self.reference(words)
        #expect(file.application.status == expected.0, "seed \(seed)")
        #expect(file.status == expected.1, "seed \(seed)")
        #expect((file.standing != nil) == expected.2, "seed \(seed)")
    }
}
