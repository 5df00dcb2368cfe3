import HTTP
import Kernel
import Synchronization

extension StreamSession {
    private static let jsonLimits = JSON.Limits(bytesMax: 64 * 1024, depthMax: 4, allowsNUL: false)
    private static let channelsMax = 100

    /// Carries out one operation and answers it.
    func receive(_ text: String) async {
        guard let message = try? JSON.parse(Array(text.utf8), limits: StreamSession.jsonLimits),
            case .object(let members) = message
        else { return answer(StreamText.error(.malformed, nil, nil)) }
        let (operation, id) = (message["op"], message["id"])
        do throws(StreamError) {
            guard id.map(StreamSession.isID) ?? true else { throw .badID }
            guard let name = operation?.stringValue, let known = StreamSession.members[name] else {
                throw .unknownOperation
            }
            guard members.allSatisfy({ known.contains($0.name) || ["op", "id"].contains($0.name) }) else {
                throw .unknownField
            }
            switch name {
            case "subscribe": try await subscribe(message, id)
            case "unsubscribe": try unsubscribe(message, id)
            case "resume": try await resume(message, id)
            case "authenticate": try await authenticate(message, id)
            default: answer(StreamText.acknowledgement("ping", id))
            }
        } catch {
            let name = operation?.stringValue.flatMap { StreamSession.members[$0] == nil ? nil : operation }
            answer(StreamText.error(error, name, id.flatMap { StreamSession.isID($0) ? $0 : nil }))
        }
    }

    private static let members: [String: Set<String>] = [
        "subscribe": ["channels"], "unsubscribe": ["channels"], "resume": ["channel", "from"],
        "authenticate": ["token"], "ping": [],
    ]

    private static func isID(_ id: JSON) -> Bool {
        id.integerValue != nil || id.stringValue.map { $0.utf8.count <= 64 } ?? false
    }

    private func subscribe(_ message: JSON, _ id: JSON?) async throws(StreamError) {
        var channels: [StreamChannel] = []
        for name in try StreamSession.channels(message) {
            do throws(StreamError) {
                channels.append(join(try await place(name)))
            } catch {
                answer(StreamText.error(error, "subscribe", id, channel: name))
            }
        }
        let refused = begin(channels, at: { _ in .opening }) { begun in
            let names = JSON.array(begun.map { .string($0.wireName) })
            return StreamText.acknowledgement("subscribe", id, [JSON.Member("channels", names)])
        }
        for channel in refused { refuse(channel, "subscribe", id) }
    }

    private func resume(_ message: JSON, _ id: JSON?) async throws(StreamError) {
        guard let name = message["channel"]?.stringValue else { throw .badChannel }
        guard let from = message["from"]?.integerValue, from >= 0 else { throw .badFrom }
        do throws(StreamError) {
            let channel = join(try await place(name))
            await hub.recall(channel, after: Int64(from))
            var isResumed = false
            let place = { (channel: StreamChannel) -> Subscription.Position in
                let position = channel.position(after: Int64(from))
                isResumed = position != nil
                return position ?? .opening
            }
            let refused = begin([channel], at: place) { _ in
                let more = [JSON.Member("channel", .string(name)), JSON.Member("resumed", .bool(isResumed))]
                return StreamText.acknowledgement("resume", id, more)
            }
            for channel in refused { refuse(channel, "resume", id) }
        } catch {
            answer(StreamText.error(error, "resume", id, channel: name))
        }
    }

    private func unsubscribe(_ message: JSON, _ id: JSON?) throws(StreamError) {
        var done: [JSON] = []
        for name in try StreamSession.channels(message) {
            let subscription = state.withLock { state -> Subscription? in
                let place = state.subscriptions.firstIndex { $0.channel.wireName == name }
                return place.map { state.subscriptions.remove(at: $0) }
            }
            guard let subscription else {
                answer(StreamText.error(.notSubscribed, "unsubscribe", id, channel: name))
                continue
            }
            subscription.channel.remove(self)
            done.append(.string(name))
        }
        guard !done.isEmpty else { return }
        answer(StreamText.acknowledgement("unsubscribe", id, [JSON.Member("channels", .array(done))]))
    }

    private func authenticate(_ message: JSON, _ id: JSON?) async throws(StreamError) {
        guard let token = message["token"]?.stringValue else { throw .badToken }
        let principal: Principal
        do {
            principal = try await opening.authenticate(token)
        } catch let problem as any ProblemConvertible {
            guard problem.problem.status == 401 else { throw .unavailable }
            let count = state.withLock { state in
                state.wrongTokens += 1
                return state.wrongTokens
            }
            if count >= hub.limits.wrongTokensMax { opening.socket.close(WebSocketClose(.policy, "wrong_tokens")) }
            throw .unauthenticated
        } catch {
            throw .unavailable
        }
        let isOther = state.withLock { state in
            if let present = state.principal, present.user != principal.user { return true }
            (state.principal, state.authenticatedSeconds) = (principal, 0)
            return false
        }
        if isOther { throw .otherUser }
        answer(StreamText.acknowledgement("authenticate", id))
    }

    private static func channels(_ message: JSON) throws(StreamError) -> [String] {
        guard let elements = message["channels"]?.elements, (1...channelsMax).contains(elements.count) else {
            throw .badChannels
        }
        let names = elements.compactMap(\.stringValue)
        guard names.count == elements.count else { throw .badChannels }
        return names
    }

    /// The channel that a client means by a name.
    private func place(_ name: String) async throws(StreamError) -> (id: StreamChannelID, family: StreamFamily) {
        let id = StreamChannelID(name)
        guard let family = hub.family(id?.family ?? name), family.isPersonal == (id == nil) else {
            throw .unknownChannel
        }
        do {
            switch family.audience {
            case .everybody(let exists):
                guard let id, try await exists(id.key) else { throw StreamError.unknownChannel }
                return (id, family)
            case .owner(let access, let key):
                guard let principal = state.withLock({ $0.principal }) else { throw StreamError.unauthenticated }
                guard principal.may(access) else { throw StreamError.forbidden }
                return (StreamChannelID(family.name, try await key(principal)), family)
            }
        } catch let error as StreamError {
            throw error
        } catch {
            throw .unavailable
        }
    }

    /// The channel of a place, which from here on wakes the session.
    private func join(_ place: (id: StreamChannelID, family: StreamFamily)) -> StreamChannel {
        var channel = hub.channel(place.id, place.family)
        while !channel.add(self) { channel = hub.channel(place.id, place.family) }
        return channel
    }

    /// Subscribes, anew where there is a subscription, and puts the acknowledgement before what the channels say;
    /// those for which there is no room.
    private func begin(
        _ channels: [StreamChannel],
        at position: (StreamChannel) -> Subscription.Position,
        acknowledge: ([StreamChannel]) -> WebSocketMessage
    ) -> [StreamChannel] {
        let countMax = hub.limits.subscriptionsMax
        let refused = state.withLock { state -> [StreamChannel] in
            guard !state.hasEnded else { return channels }
            var (begun, refused) = ([StreamChannel](), [StreamChannel]())
            for channel in channels {
                let index = state.subscriptions.firstIndex { $0.channel === channel }
                guard index != nil || state.subscriptions.count < countMax else {
                    refused.append(channel)
                    continue
                }
                let subscription = Subscription(channel: channel, position: position(channel))
                if let index {
                    state.subscriptions[index] = subscription
                } else {
                    state.subscriptions.append(subscription)
                }
                begun.append(channel)
            }
            if !begun.isEmpty { state.answers.append(acknowledge(begun)) }
            return refused
        }
        wake()
        return refused
    }

    private func refuse(_ channel: StreamChannel, _ operation: JSON, _ id: JSON?) {
        channel.remove(self)
        let error = StreamError.tooManySubscriptions(hub.limits.subscriptionsMax)
        answer(StreamText.error(error, operation, id, channel: channel.wireName))
    }
}
