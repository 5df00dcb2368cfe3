import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
public import ServiceLifecycle

/// An API on a port or a socket, as a service: it stops when asked to, after the requests that it has.
public struct APIServer: Service {
    /// Where a server listens.
    public enum Address: Hashable, Sendable {
        /// A host or address and a port; port 0 takes a free one.
        case host(String, port: Int)
        /// A unix socket's path.
        case unixSocket(path: String)
    }

    /// The bounds of a server.
    public struct Limits: Sendable {
        /// Connections at once; further ones wait in the kernel's queue.
        public var connectionsMax = 10_000
        /// Bytes of all header fields of a request together, and of one; more is 431.
        public var headerBytesMax = 16 * 1024
        /// Header fields of a request; more is 431.
        public var headerFieldsMax = 100
        /// Seconds that a connection may be idle, or take for a request's head.
        public var idleSeconds = 60
        /// Seconds that a client may take for the body; then it gets 408.
        public var bodySeconds = 15

        /// The default bounds.
        public init() {}
    }

    /// What a server proves itself with, in PEM; read when it starts.
    public struct Certificate: Sendable {
        /// The file of the certificate, followed by those that lead to a trusted one.
        public let chainFile: String
        /// The file of its private key.
        public let keyFile: String

        /// A certificate by its files.
        public init(chainFile: String, keyFile: String) { (self.chainFile, self.keyFile) = (chainFile, keyFile) }

        /// TLS 1.2 or later, without certificates of clients.
        ///
        /// - Throws: what reading the files throws.
        func configuration() throws -> TLSConfiguration {
            let chain = try NIOSSLCertificate.fromPEMFile(chainFile).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain,
                privateKey: .privateKey(key)
            )
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        }
    }

    private let api: API
    private let address: Address
    private let certificate: Certificate?
    private let limits: Limits
    private let trustedProxies: Int
    private let logger: Logger
    private let onRunning: @Sendable (_ port: Int?) async -> Void

    /// A server of an API.
    ///
    /// - Parameters:
    ///   - api: what it serves.
    ///   - address: where it listens.
    ///   - certificate: what it proves itself with; nil for plain HTTP, as behind a proxy that ends TLS.
    ///   - limits: its bounds.
    ///   - trustedProxies: how many proxies of ours stand in front, each of which appends to `X-Forwarded-For`;
    ///     with 0 the header is ignored.
    ///   - logger: where it says that it listens.
    ///   - onRunning: called once it listens, with the port (nil for a unix socket).
    public init(
        _ api: API,
        at address: Address,
        certificate: Certificate? = nil,
        limits: Limits = Limits(),
        trustedProxies: Int = 0,
        logger: Logger = Logger(label: "http"),
        onRunning: @escaping @Sendable (_ port: Int?) async -> Void = { _ in }
    ) {
        precondition(trustedProxies >= 0, "a negative number of proxies")
        (self.api, self.address, self.limits, self.trustedProxies) = (api, address, limits, trustedProxies)
        (self.certificate, self.logger, self.onRunning) = (certificate, logger, onRunning)
    }

    /// Serves until a graceful shutdown or cancellation.
    ///
    /// - Throws: what reading the certificate or binding the address throws.
    public func run() async throws {
        let deadlines = Deadlines()
        let channel = ServerChannel(
            api: api,
            deadlines: deadlines,
            limits: limits,
            trustedProxies: trustedProxies
        )
        if let certificate {
            let secured = try TLSChannel(channel, tlsConfiguration: try certificate.configuration())
            try await serve(secured, deadlines)
        } else {
            try await serve(channel, deadlines)
        }
    }

    private func serve(_ channel: some ServerChildChannel, _ deadlines: Deadlines) async throws {
        let onRunning = onRunning
        let server = channel.server(
            configuration: ServerConfiguration(
                address: bindAddress,
                backlog: 1024,
                availableConnectionsDelegate: .maximum(limits.connectionsMax, logger: logger)
            ),
            onServerRunning: { await onRunning($0.localAddress?.port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let api = api
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                group.addTask { await deadlines.run() }
                // The server ends first: deadlines run until they are cancelled.
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            api.operations.beginDrain()
        }
    }

    private var bindAddress: BindAddress {
        switch address {
        case .host(let host, let port): .hostname(host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }
}
