import Glibc

/// The connection for subscriptions, made when the first one asks for it; used by one thread.
///
/// It subscribes again whenever it comes back.
final class SubscriptionLane {
    private let link: Link
    private let subscribers: Subscribers
    private let heartbeat: Int64
    private let stall: Int64
    private var requested: Set<String> = []
    private var confirmed: Set<String> = []
    /// Confirmations that are on their way, by channel: only the last one counts.
    private var confirmationsLeft: [String: Int] = [:]
    private var pingSentAt: Int64?
    private var events: [LinkEvent] = []

    init(link: Link, subscribers: Subscribers, configuration: RedisConfiguration) {
        (self.link, self.subscribers) = (link, subscribers)
        heartbeat = Monotonic.nanoseconds(configuration.heartbeatSeconds)
        stall = Monotonic.nanoseconds(configuration.commandTimeoutSeconds + configuration.stallSeconds)
    }

    var interest: pollfd { link.interest }

    /// When to step again even if nothing comes.
    var due: Int64 {
        guard link.isReady else { return link.due }
        return pingSentAt.map { $0 + stall } ?? (link.heardAt + heartbeat)
    }

    /// Does what is due.
    func step(_ now: Int64, revents: Int16) {
        if let channels = subscribers.takeChange() {
            if !channels.isEmpty { link.start() }
            if link.isReady { request(channels) }
        }
        link.step(now, revents: revents, events: &events)
        handleEvents()
        if link.isReady { checkHeartbeat(now) }
        link.flush(now, events: &events)
        handleEvents()
    }

    /// Ends all streams.
    func stop() {
        link.stop()
        subscribers.stop()
    }

    private func handleEvents() {
        for event in events {
            switch event {
            case .ready: request(subscribers.channels)
            case .received(let value): receive(value)
            case .lost:
                (requested, confirmed, confirmationsLeft, pingSentAt) = ([], [], [:], nil)
                subscribers.unconfirmAll()
            }
        }
        events.removeAll(keepingCapacity: true)
    }

    private func request(_ channels: Set<String>) {
        var bytes: [UInt8] = []
        let removed = requested.subtracting(channels)
        let added = channels.subtracting(requested)
        if !removed.isEmpty { CommandBytes.append(["UNSUBSCRIBE"] + removed.sorted(), to: &bytes) }
        if !added.isEmpty { CommandBytes.append(["SUBSCRIBE"] + added.sorted(), to: &bytes) }
        for channel in added { confirmationsLeft[channel, default: 0] += 1 }
        confirmed.subtract(removed)
        requested = channels
        if !bytes.isEmpty { link.enqueue(bytes) }
        // Those who came later to a channel that is there already.
        for channel in confirmed { subscribers.confirm(channel: channel) }
    }

    private func receive(_ value: RedisValue) {
        pingSentAt = nil
        guard let parts = value.elements, let kind = parts.first?.text, parts.count == 3, let channel = parts[1].text
        else { return }
        switch kind {
        case "message": if let payload = parts[2].bytes { subscribers.deliver(channel: channel, payload: payload) }
        case "subscribe":
            let left = confirmationsLeft[channel, default: 1] - 1
            confirmationsLeft[channel] = left > 0 ? left : nil
            guard left <= 0, requested.contains(channel) else { return }
            confirmed.insert(channel)
            subscribers.confirm(channel: channel)
        default: return
        }
    }

    private func checkHeartbeat(_ now: Int64) {
        if let pingSentAt {
            if now - pingSentAt >= stall { link.lose(.stalled, now, &events) }
            return
        }
        guard now - link.heardAt >= heartbeat else { return }
        var bytes: [UInt8] = []
        CommandBytes.append(["PING"], to: &bytes)
        link.enqueue(bytes)
        pingSentAt = now
    }
}
