import HTTPTypes
import HummingbirdCore
import Kernel
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

extension ConnectionLoop {
    /// Turns the connection into a WebSocket and serves it to its end.
    ///
    /// - Throws: before that, the problem of a request that opens none.
    func converse(_ endpoint: WebSocketEndpoint, _ admitted: Admission.Admitted) async throws {
        let request = admitted.request
        guard !admitted.exchange.isHead else { throw WebSocketHandshake.upgradeRequired }
        let accept = try WebSocketHandshake.accept(request.headers.fields)
        guard !api.operations.isDraining else {
            throw Problem(503, "draining", "The server is stopping.", retryAfterSeconds: 5)
        }
        if let refusal = endpoint.census.enter(request.remoteAddress, endpoint.limits) { throw refusal.problem }
        defer { endpoint.census.leave(request.remoteAddress) }
        guard connection.claimAnswer() else { return }
        api.requestMetrics.record(admitted.exchange, status: 101)
        let socket = WebSocket(connection.channel)
        let watch = CallerWatch(api.services.authenticator, caller: request.principal)
        let session = endpoint.open(
            WebSocketEndpoint.Opening(request: request, socket: socket) { token in
                try await watch.authenticate(token, request)
            }
        )
        try await switchProtocol(socket, session, endpoint.limits, accept: accept)
        // The server's farewell may have come while the connection still spoke HTTP.
        if api.operations.isDraining { socket.close(WebSocketClose(.goingAway, "going_away")) }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await watch.run(socket, everySeconds: endpoint.limits.callerCheckSeconds) }
            for await text in socket.messages {
                if let refusal = api.screen.refusal(ofMessage: text) {
                    socket.close(refusal)
                } else {
                    await session.receive(text)
                }
                socket.tell(.received)
            }
            group.cancelAll()
        }
        if !Task.isCancelled { try await connection.channel.closeFuture.get() }
    }

    /// Takes HTTP out of the pipeline and puts frames in its place.
    ///
    /// The decoder goes first and takes a turn of the loop for it; bytes that came before the answer to the handshake,
    /// which no client may send, go with it.
    private func switchProtocol(
        _ socket: WebSocket,
        _ session: any WebSocketSession,
        _ limits: WebSocketEndpoint.Limits,
        accept: String
    ) async throws {
        let channel = connection.channel
        do {
            try await channel.eventLoop.flatSubmit {
                let pipeline = channel.pipeline.syncOperations
                do {
                    let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                    return pipeline.removeHandler(decoder).flatMap { channel.pipeline.removeRest(of: channel) }
                        .flatMapThrowing {
                            let handler = WebSocketHandler(socket, session, limits, accept: accept)
                            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
                        }
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
            .get()
        } catch {
            session.ended()
            throw error
        }
    }
}

extension ChannelPipeline {
    /// Removes what remains of HTTP once its decoder is gone.
    fileprivate func removeRest(of channel: any Channel) -> EventLoopFuture<Void> {
        let pipeline = syncOperations
        do {
            return EventLoopFuture.andAllSucceed(
                [
                    pipeline.removeHandler(try pipeline.handler(type: HTTPResponseEncoder.self)),
                    pipeline.removeHandler(try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)),
                    pipeline.removeHandler(try pipeline.handler(type: HTTPConnectionStateHandler.self)),
                ],
                on: channel.eventLoop
            )
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }
}

extension ConnectionCensus.Refusal {
    fileprivate var problem: Problem {
        switch self {
        case .full: Problem(503, "too_many_connections", "All connections are taken.", retryAfterSeconds: 5)
        case .addressFull:
            Problem(
                429,
                "too_many_connections",
                "Too many connections from your address. Subscribe to several channels on one.",
                retryAfterSeconds: 5
            )
        }
    }
}
