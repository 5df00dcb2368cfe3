import Kernel
import PostgreSQL

/// What a worker writes down about a claimed event that did not commit its mark.
struct InboxSettlement: Sendable, Equatable {
    /// How long a parked event waits once its attempts are used up; then it looks again, with all of them.
    ///
    /// Its object may have become known during the last one: whoever told so found it running and left it alone.
    static let parkedSeconds = 3_600.0

    /// The event.
    let id: ID<InboxEvent>
    /// The number of the claim.
    let token: Int64
    /// Where it stands from now on.
    let status: InboxEvent.Status
    /// Seconds until it is due; nil for never.
    let delaySeconds: Double?
    /// Why.
    let reason: String
    /// Attempts to take back: the one that the claim counted, or all of them.
    var attemptsTakenBack: Int64 = 0

    /// The settlement of an event that was claimed and not handled: it goes back in the queue, no attempt counted.
    static func released(_ event: InboxEvent, because reason: String) -> InboxSettlement {
        InboxSettlement(
            id: event.id,
            token: event.token,
            status: .failed,
            delaySeconds: 0,
            reason: reason,
            attemptsTakenBack: 1
        )
    }

    /// The settlement for a handler's answer.
    ///
    /// An answer of `processed` settles as a failure on purpose: once the mark is committed the settlement finds
    /// nothing to change, and if it never was, the event is tried again. So nobody has to believe the handler.
    static func of(
        _ event: InboxEvent,
        _ disposition: InboxDisposition,
        attemptsMax: Int,
        schedule: RetrySchedule,
        random: inout some RandomNumberGenerator
    ) -> InboxSettlement {
        let delay = schedule.delaySeconds(afterAttempt: max(event.attempt, 1), using: &random)
        let hasAttempts = event.attempt < attemptsMax
        func settled(_ status: InboxEvent.Status, _ delay: Double?, _ reason: String) -> InboxSettlement {
            InboxSettlement(
                id: event.id,
                token: event.token,
                status: status,
                delaySeconds: delay,
                reason: FailureText.bounded(reason)
            )
        }
        switch disposition {
        case .processed:
            let reason = "the handler committed no mark"
            return hasAttempts ? settled(.failed, delay, reason) : settled(.dead, nil, reason)
        case .ignored(let reason): return settled(.ignored, nil, reason)
        case .parked(let reason):
            guard !hasAttempts else { return settled(.parked, delay, reason) }
            var settlement = settled(.parked, InboxSettlement.parkedSeconds, reason)
            settlement.attemptsTakenBack = Int64(event.attempt)
            return settlement
        case .retry(let reason): return hasAttempts ? settled(.failed, delay, reason) : settled(.dead, nil, reason)
        case .dead(let reason): return settled(.dead, nil, reason)
        }
    }
}
