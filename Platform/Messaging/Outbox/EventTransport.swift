/// Why a transport did not take events.
public enum EventTransportError: Error, Sendable {
    /// It is away: nothing is wrong with the events, which wait for it without an attempt being counted.
    case unavailable(String)
    /// It refused them: if there are several, at least one is at fault.
    case refused(String)
}

/// A way out for events.
public protocol EventTransport: Sendable {
    /// Its name in metrics and records: `redis`.
    var name: String { get }

    /// Hands over events in their order and returns once they are safe there; consumers may get them again.
    ///
    /// - Throws: `EventTransportError`, and then any of them may have been handed over, in order up to some point.
    func publish(_ events: [CloudEvent]) async throws(EventTransportError)
}
