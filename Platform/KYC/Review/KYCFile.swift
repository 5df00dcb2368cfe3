import Compliance
import Identity
import Kernel

/// What an application is decided by, as it is while the customer's row is locked: pure, without a database.
struct KYCFile: Sendable {
    var application: KYCApplication
    /// The level that the customer has.
    var standing: KYCStanding?
    /// How the customer counts.
    var status: KYCStatus
    /// Whether a compliance case holds the customer's money.
    var isHeld = false
    /// Whether the customer has applied again since.
    var isSuperseded = false
    /// From this level on two people approve.
    var twoPeopleLevel = KYCLevel.full.rawValue

    /// The customer hands it in.
    ///
    /// A level that ends soon, or has ended, holds on while its renewal is looked at.
    ///
    /// - Throws: 409 `application_not_draft`, 422 `documents_missing`.
    mutating func submit(at now: Timestamp) throws(Problem) {
        guard application.status.isCustomers else { throw KYCProblem.notDraft }
        guard application.missing.isEmpty else { throw KYCProblem.incomplete }
        (application.status, application.submittedAt, application.reason) = (.submitted, now, nil)
        (application.claim, application.proposedBy) = (nil, nil)
        if status != .rejected, standing?.extend(for: application.level, at: now) == true { status = .approved }
        if status == .none { status = .pending }
    }

    /// The customer takes it back, also from a vendor that never tells; not from people.
    ///
    /// - Throws: 409 `application_not_draft`.
    mutating func withdraw() throws(Problem) {
        let isVendors = application.provider != KYCApplication.staff && application.referredAt == nil
        let isUntouched = application.status == .submitted && isVendors && application.claim == nil
        guard application.status.isCustomers || isUntouched else { throw KYCProblem.notDraft }
        application.status = .withdrawn
        if status == .pending { status = .none }
    }

    /// An officer takes it for a while.
    ///
    /// - Throws: 403 `own_application`; 409 `application_not_submitted`, `application_claimed`.
    mutating func claim(by officer: ID<User>, at now: Timestamp) throws(Problem) {
        try admit(officer, at: now)
        application.claim = .init(officer: officer, at: now)
    }

    /// An officer decides; from then on no vendor's word counts.
    ///
    /// Where two people approve, the first leaves it submitted, and another has to claim it.
    /// - Throws: as `claim`; 403 `own_proposal`; 409 `customer_held` for an approval while a case is open.
    mutating func decide(
        _ decision: KYCDecision,
        because reason: String,
        by officer: ID<User>,
        at now: Timestamp
    ) throws(Problem) {
        try admit(officer, at: now)
        switch decision {
        case .approved:
            guard !isHeld else { throw KYCProblem.held }
            if application.level.rawValue >= twoPeopleLevel {
                guard application.proposedBy != officer else { throw KYCProblem.ownProposal }
                guard application.proposedBy != nil else {
                    (application.provider, application.proposedBy) = (KYCApplication.staff, officer)
                    application.claim = nil
                    return
                }
            }
            grant(at: now)
        case .rejected: refuse(at: now)
        case .incomplete: (application.status, application.proposedBy) = (.incomplete, nil)
        }
        (application.provider, application.reason) = (KYCApplication.staff, reason)
        application.decidedBy = application.decidedAt == nil ? nil : officer
        application.claim = nil
    }

    /// A vendor tells.
    ///
    /// Its youngest word counts in whichever order they come, until a person has acted.
    ///
    /// - Throws: `VendorSilence` for a word that doesn't count, or not yet.
    mutating func hear(_ word: VendorEvent, from vendor: String, at now: Timestamp) throws(VendorSilence) {
        // The customer may come back from the vendor's dialogue later than the vendor tells.
        guard application.status != .draft else { throw .early }
        guard application.provider == vendor, application.status != .withdrawn, !isSuperseded else { throw .settled }
        let told = KYCApplication.Told(at: word.at, event: word.id)
        guard application.told.map({ $0 < told }) ?? true else { throw .late }
        // An approval that something else has ended, as a decision or another name, stays ended.
        let isOver = application.status == .approved && standing?.application != application.id
        guard !isOver || word.outcome != .approved else { throw .settled }
        undo()
        application.told = told
        switch word.outcome {
        case .approved where isHeld: refer("A compliance case is open.", at: now)
        case .approved where status == .rejected: refer("The customer was refused before.", at: now)
        case .approved: grant(at: now)
        case .insufficient(let reason): (application.status, application.reason) = (.incomplete, reason)
        case .rejected(let reason):
            refuse(at: now)
            application.reason = reason
        case .unclear(let reason): refer(reason, at: now)
        case .step: break
        }
    }

    private func admit(_ officer: ID<User>, at now: Timestamp) throws(Problem) {
        guard officer != application.user else { throw KYCProblem.own }
        guard application.status == .submitted else { throw KYCProblem.notSubmitted }
        guard !application.isClaimed(byOtherThan: officer, at: now) else { throw KYCProblem.claimed }
    }

    /// Takes back what the same vendor said before.
    private mutating func undo() {
        if application.decidedAt != nil { status = .pending }
        if standing?.application == application.id { standing = nil }
        (application.decidedAt, application.referredAt, application.reason) = (nil, nil, nil)
        application.status = .submitted
    }

    private mutating func grant(at now: Timestamp) {
        (application.status, application.decidedAt) = (.approved, now)
        (standing, status) = (KYCStanding(granted: application, at: now), .approved)
    }

    /// Whoever is nobody to be served keeps no level of before either: only an application gives one anew.
    private mutating func refuse(at now: Timestamp) {
        (application.status, application.decidedAt, status, standing) = (.rejected, now, .rejected, nil)
    }

    private mutating func refer(_ reason: String, at now: Timestamp) {
        (application.status, application.referredAt, application.reason) = (.submitted, now, reason)
    }
}

/// What an officer decides on an application.
public enum KYCDecision: String, Sendable, CaseIterable {
    /// The customer has the level.
    case approved
    /// More is needed: the customer goes on with the same application.
    case incomplete
    /// The customer is nobody whom we may serve.
    case rejected
}

/// Why a word of a vendor has no effect.
enum VendorSilence: Error, Hashable {
    /// The application isn't handed in yet.
    case early
    /// The vendor has told something younger before.
    case late
    /// A person has acted, or the application is over.
    case settled
}
