public import Kernel

/// What became of a movement that waits for a person.
public enum MovementStanding: Sendable, Hashable {
    /// It may go on; the answer is kept with it.
    case goesOn(ComplianceAnswer)
    /// Nobody has decided, or nothing can be read.
    case waits
    /// It may not go on.
    case refused(ComplianceAnswer)
}

extension ComplianceGate {
    /// Asks again about a movement that was to be looked at, with what is known by now: the rules in force, the lists,
    /// and what became of the customer's case.
    ///
    /// A case that is released clears what it was about, one that is confirmed stops the customer's money. Asked as
    /// often as one likes: nothing is kept and nothing raised that was before.
    ///
    /// - Parameters:
    ///   - movement: as it was asked about first.
    ///   - since: when that was.
    /// - Returns: whether it goes on, waits, or is refused.
    /// - Throws: a `PostgresError` when a record can't be kept; the movement waits on then.
    public func standing(of movement: MoneyMovement, since: Timestamp) async throws -> MovementStanding {
        let answer = try await check(movement, Asking(day: since, isRepeated: true))
        switch answer.outcome {
        // That a rule's time has passed decides nothing while a person hasn't.
        case .approve: return try await cases.areOpen(about: movement.user) ? .waits : .goesOn(answer)
        case .review: return .waits
        case .block: return answer.isUnread ? .waits : .refused(answer)
        }
    }

    /// What is said to money that has come already: it is the customer's, and what must be looked at holds all that
    /// leaves the customer until a person has decided.
    ///
    /// - Throws: as `check`.
    public func arrived(_ movement: MoneyMovement) async throws -> ComplianceAnswer {
        try await check(movement, Asking(day: clock.now(), holds: true))
    }
}
