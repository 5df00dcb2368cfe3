import Foundation
import HTTP
import Kernel
import Logging
import Metrics
import OutboundHTTP
import Testing

@testable import Banking

extension HTTPClient {
    /// Plain HTTP to 127.0.0.1, quick to repeat, and with a circuit that stays closed.
    static func loopback(metrics: any MetricsFactory = NOOPMetricsHandler.instance) -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        (configuration.allowPlainHTTP, configuration.allowPrivateAddresses) = (true, true)
        configuration.retry.firstDelaySeconds = 0.001
        configuration.circuit.consecutiveFailuresMax = 1_000
        configuration.circuit.failurePercentMax = 101
        return HTTPClient(name: "test", configuration: configuration, logger: .quiet, metrics: metrics)
    }
}

extension Logger {
    /// Says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Asks until it is so, for at most two minutes.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// Knows nobody.
struct Nobody: Authenticator {
    func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        throw Problem.unauthenticated
    }
}

extension API {
    /// Routes without callers.
    static func open(_ routes: [Route], clock: any WallClock = SystemClock()) -> API {
        API(
            routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Nobody(),
                clock: clock,
                logger: .quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
    }

    /// Serves on 127.0.0.1 for as long as `body` runs.
    func serving(_ body: (_ port: Int) async throws -> Void) async throws {
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let server = APIServer(
            self,
            at: .host("127.0.0.1", port: 0),
            logger: .quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }
}

extension ProviderIntent {
    /// An intent of a new transaction.
    static func new(
        _ wire: String = "100.00",
        _ asset: Asset = .usd,
        step: String = "create_deposit",
        token: String? = nil,
        of transaction: ID<BankTransaction> = IDGenerator().next()
    ) throws -> ProviderIntent {
        ProviderIntent(
            transaction: transaction,
            amount: try Money(wire: wire, asset),
            idempotencyKey: "\(transaction.wire).\(step)",
            token: token
        )
    }
}

extension ProviderAnswer {
    /// The reference of a call that was taken on; nil otherwise.
    var reference: String? {
        guard case .accepted(let reference, _) = self else { return nil }
        return reference
    }

    /// What the customer must do.
    var action: JSON? {
        guard case .accepted(_, let action) = self else { return nil }
        return action
    }

    var isUnknown: Bool { if case .unknown = self { true } else { false } }
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}

extension JSON {
    /// The JSON of a text that a test knows to be one.
    init(text: String) throws { self = try JSON.parse(Array(text.utf8)) }
}
