import HTTPTypes
import HummingbirdCore
import Kernel
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The requests of one connection, one after the other.
struct ConnectionLoop: Sendable {
    /// How much of an unwanted body is read so that the connection can be used again, or the refusal be read, in bytes.
    static let unwantedBytesMax = 64 * 1024
    /// How much is read and dropped after a refusal that closes the connection, in bytes, and for how long.
    static let lingerBytesMax = 1024 * 1024
    static let lingerSeconds = 2

    typealias Parts = NIOAsyncChannelInboundStream<HTTPRequestPart>.AsyncIterator
    typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPResponsePart>

    let api: API
    let connection: Connection
    let bodySeconds: Int
    let peer: Peer

    init(api: API, connection: Connection, bodySeconds: Int, trustedProxies: Int) {
        (self.api, self.connection, self.bodySeconds) = (api, connection, bodySeconds)
        peer = Peer(address: connection.channel.remoteAddress?.ipAddress ?? "", trustedProxies: trustedProxies)
    }

    func run(_ channel: HTTP1Channel.Value) async {
        // What is thrown here is the network's: the peer is gone, or the connection was given up.
        try? await channel.executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            do {
                while try await exchange(&parts, outbound) {}
            } catch let error as HTTPParserError {
                try await answerMalformed(isTooLarge: error == .headerOverflow, outbound)
            } catch is HTTP1TypeConversionError {
                try await answerMalformed(isTooLarge: false, outbound)
            }
            outbound.finish()
            try await linger(&parts)
        }
    }

    /// Serves one request; whether the connection can take another.
    private func exchange(_ parts: inout Parts, _ outbound: Outbound) async throws -> Bool {
        guard let part = try await parts.next() else { return false }
        // The end of a body that was dropped may still come.
        guard case .head(let head) = part else { return true }
        let body = BodyFraming(head.headerFields)
        let request = RequestHead(
            method: head.method.rawValue,
            target: head.path ?? "",
            fields: head.headerFields,
            remoteAddress: peer.address(head.headerFields)
        )
        switch await api.admit(request) {
        case .answered(let response, let exchange):
            let closes = body.wantsClose || !body.isSmall
            guard try await write(response, exchange, closes: closes, outbound), !closes else { return false }
            return try await drop(&parts)
        case .admitted(let admitted):
            guard let endpoint = admitted.route.webSocket else {
                return try await serve(admitted, body, &parts, outbound)
            }
            do {
                try await converse(endpoint, admitted)
            } catch let problem as Problem {
                let refusal = WebSocketHandshake.answer(problem, api.problem(problem, admitted.exchange))
                _ = try await write(refusal, admitted.exchange, closes: true, outbound)
            }
            return false
        }
    }

    private func serve(
        _ admitted: Admission.Admitted,
        _ framing: BodyFraming,
        _ parts: inout Parts,
        _ outbound: Outbound
    ) async throws -> Bool {
        let exchange = admitted.exchange
        connection.enter(.receiving, seconds: bodySeconds, TimedExchange(api: api, exchange: exchange))
        if framing.expectsContinue { try await outbound.write(.head(HTTPResponse(status: .continue))) }
        guard let bytes = try await read(&parts, limitBytes: admitted.route.bodyLimitBytes) else {
            _ = try await write(api.bodyTooLarge(admitted), exchange, closes: true, outbound)
            return false
        }
        connection.enter(
            .handling,
            seconds: admitted.route.timeoutSeconds,
            TimedExchange(api: api, exchange: exchange)
        )
        let response = await api.finish(admitted, body: bytes)
        let isWritten = try await write(response, exchange, closes: framing.wantsClose, outbound)
        return isWritten && !framing.wantsClose
    }

    /// The body; nil when it is larger than the limit, as soon as that is known.
    private func read(_ parts: inout Parts, limitBytes: Int) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while let part = try await parts.next() {
            guard case .body(let buffer) = part else { break }
            guard bytes.count + buffer.readableBytes <= limitBytes else { return nil }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    /// Reads a body that nobody wants; whether it ended within the bound.
    private func drop(_ parts: inout Parts) async throws -> Bool {
        connection.enter(.lingering, seconds: bodySeconds)
        defer { _ = connection.claimAnswer() }
        return try await read(&parts, limitBytes: ConnectionLoop.unwantedBytesMax) != nil
    }

    private func linger(_ parts: inout Parts) async throws {
        connection.enter(.lingering, seconds: ConnectionLoop.lingerSeconds)
        var bytes = 0
        while bytes <= ConnectionLoop.lingerBytesMax, let part = try await parts.next() {
            if case .body(let buffer) = part { bytes += buffer.readableBytes }
        }
    }

    /// Writes an answer; false when the deadline has answered already.
    private func write(
        _ response: APIResponse,
        _ exchange: Exchange,
        closes: Bool,
        _ outbound: Outbound
    ) async throws -> Bool {
        guard connection.claimAnswer() else { return false }
        let wire = WireResponse(
            api.seal(response, exchange),
            isHead: exchange.isHead,
            closes: closes,
            at: api.services.clock.now()
        )
        if let body = wire.body {
            try await outbound.write(contentsOf: [.head(wire.head), .body(body), .end(nil)])
        } else {
            try await outbound.write(contentsOf: [.head(wire.head), .end(nil)])
        }
        return true
    }

    private func answerMalformed(isTooLarge: Bool, _ outbound: Outbound) async throws {
        let (response, exchange) = api.answerToMalformed(isTooLarge: isTooLarge)
        _ = try await write(response, exchange, closes: true, outbound)
    }
}
