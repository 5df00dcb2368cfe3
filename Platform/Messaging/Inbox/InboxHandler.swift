/// What a handler made of an event.
public enum InboxDisposition: Sendable, Hashable {
    /// Its mark was committed together with its effect. (The worker looks: without the mark it counts as a failure.)
    case processed
    /// It needs no effect, for this reason.
    case ignored(String)
    /// It is about an object that isn't known yet: it waits for `InboxUnpark`, and looks again by itself from time to
    /// time.
    case parked(String)
    /// It failed for now, for this reason, and is tried again.
    case retry(String)
    /// It can't be handled, for this reason: an operator must look.
    case dead(String)
}

/// Handles the events of a source.
///
/// The effect and the event's `mark` commit in one transaction or not at all.
public protocol InboxHandler: Sendable {
    /// Handles one event; for `.processed` it must have committed `event.mark` with the effect.
    ///
    /// Events of one object come one at a time. What it throws counts as `.retry`.
    func handle(_ event: InboxEvent) async throws -> InboxDisposition

    /// How often an event of a type is tried before it is dead, 1 or more.
    func attemptsMax(for type: String) -> Int
}

extension InboxHandler {
    /// Three; handlers of events about money answer `moneyAttemptsMax`.
    public func attemptsMax(for type: String) -> Int { 3 }

    /// Attempts for events about money: on the standard schedule one to two days.
    public static var moneyAttemptsMax: Int { 20 }
}
