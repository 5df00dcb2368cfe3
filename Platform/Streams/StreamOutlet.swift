public import Kernel
import Synchronization

/// What publishers hold before there is a hub, and where there is none: a process that serves nobody publishes nothing.
public final class StreamOutlet: Sendable {
    private let hub = Mutex<StreamHub?>(nil)

    /// An outlet without a hub.
    public init() {}

    /// From here on what is published goes to that hub.
    public func attach(_ hub: StreamHub) { self.hub.withLock { $0 = hub } }

    /// Publishes as `StreamHub.publish`, which says what the caller guarantees; nothing happens without a hub.
    public func publish(_ payload: [UInt8], to id: StreamChannelID, sequence: ClosedRange<Int64>? = nil) {
        hub.withLock { $0 }?.publish(payload, to: id, sequence: sequence)
    }

    /// Publishes JSON; as the other `publish`.
    public func publish(_ payload: JSON, to id: StreamChannelID, sequence: ClosedRange<Int64>? = nil) {
        hub.withLock { $0 }?.publish(payload, to: id, sequence: sequence)
    }
}
