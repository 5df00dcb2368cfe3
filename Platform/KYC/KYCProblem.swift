import Kernel

/// Why something about an identity can't be done.
enum KYCProblem {
    static let open = Problem(409, "application_open", "There is an application already. Go on with it.")
    static let notDraft = Problem(409, "application_not_draft", "This application can't be changed now.")
    static let notSubmitted = Problem(409, "application_not_submitted", "Nothing is to be decided here.")
    static let claimed = Problem(409, "application_claimed", "Another officer works on this application.")
    static let reached = Problem(409, "level_reached", "You are identified to this level already.")
    static let tooMany = Problem(409, "too_many_applications", "You have applied too often. Contact support.")
    static let held = Problem(409, "customer_held", "A compliance case about this customer is open. Decide it first.")
    static let own = Problem(403, "own_application", "Nobody decides on their own identity.")
    static let ownProposal = Problem(403, "own_proposal", "Another person must agree to what you have approved.")
    static let underAge = Problem(422, "under_age", "You must be 18 years old.")
    static let noAddress = Problem(422, "address_missing", "This level needs your address.")
    static let unreadable = Problem(422, "document_unreadable", "A document is a JPEG, a PNG or a PDF.")
    static let incomplete = Problem(
        422,
        "documents_missing",
        "Add a passport, an identity card or a driving licence, and a proof of address."
    )

    /// Whoever was refused waits.
    static func early(until: Timestamp) -> Problem {
        Problem(409, "application_too_early", "You were refused lately. Apply again from \(until) on.")
    }
}
