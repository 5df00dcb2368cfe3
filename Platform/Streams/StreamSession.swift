import CoreMetrics
import DequeModule
import HTTP
import Synchronization

/// One subscriber's connection: what it is subscribed to, how far it has come, and what it is to be answered.
final class StreamSession: WebSocketSession {
    struct State {
        var principal: Principal?
        var authenticatedSeconds = 0
        var wrongTokens = 0
        var subscriptions: [Subscription] = []
        /// Which subscription is looked at first, so that a busy one doesn't keep the others waiting.
        var turn = 0
        var answers: Deque<WebSocketMessage> = []
        var hasFallenBehind = false
        var hasEnded = false
    }

    /// Answers that wait for a client that writes and doesn't read; with more it is a slow consumer.
    private static let answersMax = 1_024

    let hub: StreamHub
    let opening: WebSocketEndpoint.Opening
    let state: Mutex<State>

    init(_ hub: StreamHub, _ opening: WebSocketEndpoint.Opening) {
        (self.hub, self.opening) = (hub, opening)
        state = Mutex(State(principal: opening.request.principal))
    }

    func wake() { opening.socket.wake() }

    func take(countMax: Int) -> [WebSocketMessage] {
        state.withLock { state in
            var messages = Array(state.answers.prefix(countMax))
            state.answers.removeFirst(messages.count)
            let count = state.subscriptions.count
            for step in 0..<count where messages.count < countMax {
                take(&state.subscriptions[(state.turn + step) % count], &messages, countMax, &state.hasFallenBehind)
            }
            if count > 0 { state.turn = (state.turn + 1) % count }
            return messages
        }
    }

    private func take(
        _ subscription: inout Subscription,
        _ messages: inout [WebSocketMessage],
        _ countMax: Int,
        _ hasFallenBehind: inout Bool
    ) {
        let channel = subscription.channel
        guard channel.version.load(ordering: .acquiring) != subscription.seenVersion else { return }
        switch channel.take(&subscription, &messages, countMax: countMax) {
        case .done: return
        case .needsSnapshot: hub.requestSnapshot(channel)
        case .tooSlow:
            hasFallenBehind = true
            opening.socket.close(.slowConsumer)
        }
    }

    func fault() -> WebSocketClose? {
        let (close, isSlow): (WebSocketClose?, Bool) = state.withLock { state in
            state.authenticatedSeconds += 1
            let hasPersonal = state.subscriptions.contains { $0.channel.family.isPersonal }
            if hasPersonal, state.authenticatedSeconds > hub.limits.authenticationSeconds {
                return (WebSocketClose(.policy, "authentication_expired"), false)
            }
            let isSlow =
                state.hasFallenBehind || state.answers.count > StreamSession.answersMax
                || state.subscriptions.contains { $0.channel.hasLost($0) }
            return (isSlow ? .slowConsumer : nil, isSlow)
        }
        if isSlow { hub.metrics.slowConsumers.increment() }
        return close
    }

    var isInUse: Bool { state.withLock { !$0.subscriptions.isEmpty } }

    func ended() {
        let subscriptions = state.withLock { state in
            state.hasEnded = true
            defer { state.subscriptions = [] }
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.channel.remove(self) }
    }

    /// Puts an answer in front of everything that isn't taken yet.
    func answer(_ message: WebSocketMessage) {
        let isFull = state.withLock { state in
            guard state.answers.count <= StreamSession.answersMax else { return true }
            state.answers.append(message)
            return false
        }
        if isFull { opening.socket.close(.slowConsumer) } else { wake() }
    }
}

extension WebSocketClose {
    fileprivate static let slowConsumer = WebSocketClose(.slowConsumer, "slow_consumer")
}

extension StreamFamily {
    /// Whether its channels belong to somebody.
    var isPersonal: Bool {
        if case .owner = audience { return true }
        return false
    }
}
