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
    /// Days that a movement waits for a person at most; then it ends, and its money is the customer's to use again.
    public static let waitingDaysMax: Int64 = 14

    /// Asks again about a movement that was to be looked at, with what is known by now: the rules in force, the lists,
    /// and what became of the customer's case.
    ///
    /// A case that is released clears what it was about, one that is confirmed stops the customer's money. Asked as
    /// often as one likes: nothing is kept and nothing raised that was before.
    ///
    /// - Parameters:
    ///   - movement: as it was asked about first.
    ///   - since: when that was.
    /// - Returns: whether it goes on, waits, or is refused, as it is once it has waited for `waitingDaysMax`.
    /// - Throws: a `PostgresError` when a record can't be kept; the movement waits on then.
    public func standing(of movement: MoneyMovement, since: Timestamp) async throws -> MovementStanding {
        let answer = try await check(movement, Asking(day: since, isRepeated: true))
        switch answer.outcome {
        // That a rule's time has passed decides nothing while a person hasn't.
        case .approve: return try await cases.areOpen(about: movement.user) ? waiting(since: since) : .goesOn(answer)
        case .review: return waiting(since: since)
        case .block: return answer.isUnread ? .waits : .refused(answer)
        }
    }

    /// What is said to a movement that nobody has decided about: it waits, and is refused once it has for too long.
    public func waiting(since: Timestamp) -> MovementStanding {
        guard clock.now() >= since.adding(seconds: ComplianceGate.waitingDaysMax * 86_400) else { return .waits }
        let check = ComplianceAnswer.Check(
            kind: .aml,
            outcome: .block,
            score: 100,
            flags: [ComplianceAnswer.timedOut],
            rule: "waiting_time.v1"
        )
        return .refused(ComplianceAnswer(checks: [check]))
    }

    /// What is said to money that has come already: it is the customer's, and what must be looked at holds all that
    /// leaves the customer until a person has decided.
    ///
    /// - Throws: as `check`.
    public func arrived(_ movement: MoneyMovement) async throws -> ComplianceAnswer {
        try await check(movement, Asking(day: clock.now(), holds: true))
    }
}
