import Logging
import Metrics

@testable import OutboundHTTP

extension HTTPClientConfiguration {
    /// Plain HTTP to 127.0.0.1, quick to repeat.
    static var forTests: HTTPClientConfiguration {
        var configuration = HTTPClientConfiguration()
        (configuration.allowPlainHTTP, configuration.allowPrivateAddresses) = (true, true)
        configuration.retry.firstDelaySeconds = 0.001
        return configuration
    }
}

extension HTTPClient {
    convenience init(_ configuration: HTTPClientConfiguration) {
        self.init(name: "test", configuration: configuration, logger: .quiet, metrics: NOOPMetricsHandler.instance)
    }

    /// The error that a request ends with; nil when there is a response.
    func failure(_ request: OutboundRequest) async -> OutboundError? {
        do throws(OutboundError) {
            _ = try await send(request)
            return nil
        } catch { return error }
    }
}

extension Logger {
    /// Says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Asks until it is so, for at most two minutes.
func eventually(_ condition: () async -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < end {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}
