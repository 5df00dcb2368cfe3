import ArgumentParser
import Foundation
import Kernel
import Measuring

/// Measures a running server from outside, over loopback.
@main
struct HTTPBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-bench",
        abstract: "Measure payments, orders and webhooks of a running server.",
        discussion: """
            It registers customers of its own and gives them money by the ledger: DATABASE_URL is the database of the \
            server. For webhooks it needs the secret of the simulated provider, DIBOAS_SANDBOX_WEBHOOK_SECRETS. \
            `diboas dev` writes a file with both.
            """
    )

    @Option(help: "The server, on this machine.")
    var url = "http://127.0.0.1:8080"

    @Option(help: "Where to write the figures as JSON.")
    var json: String?

    @Option(help: "Seconds for each side of a row.")
    var seconds = 5

    /// What can be measured by itself.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case orders, depth, payments, webhooks
    }

    @Option(help: "What to measure, more than once if need be; without it everything.")
    var part: [Part] = []

    @Option(help: "Connections that are kept open.")
    var connections = 64

    @Option(help: "Customers; each may call 6,000 times a minute.")
    var users = 64

    func validate() throws {
        guard (1...60).contains(seconds) else { throw ValidationError("--seconds is from 1 to 60.") }
        guard (1...500).contains(connections) else { throw ValidationError("--connections is from 1 to 500.") }
        guard (2...1_000).contains(users) else { throw ValidationError("--users is from 2 to 1000.") }
    }

    func run() async throws {
        let address = try LocalAddress(url: url)
        let settings = try BenchSettings(ProcessInfo.processInfo.environment)
        Report.say("registering \(users) customers")
        let customers = try await Customers.make(users, at: address, databaseURL: settings.databaseURL)
        let measurements = HTTPMeasurements(
            load: LoadGenerator(address: address, connections: connections),
            pacing: Pacing(seconds: seconds)
        )
        var report = Report(about: [JSON.Member("server", .string(url)), JSON.Member("users", .integer(users))])

        for part in Part.allCases where self.part.isEmpty || self.part.contains(part) {
            for row in try await rows(of: part, measurements, customers, settings) { report.add(row) }
        }
        if let json { try report.write(to: json) }
    }

    private func rows(
        of part: Part,
        _ measurements: HTTPMeasurements,
        _ customers: Customers,
        _ settings: BenchSettings
    ) async throws -> [BenchmarkRow] {
        switch part {
        case .orders:
            let traders = try await Traders.make(customers, databaseURL: settings.databaseURL)
            let orders = traders.orders
            let rate = HTTPMeasurements.ordersPerSecond
            return [
                try await measurements.paced("orders at 1,000/s", perSecond: rate, orders),
                try await measurements.fullSpeed("POST /v1/investing/orders", orders),
            ]
        case .depth:
            let traders = try await Traders.make(customers, databaseURL: settings.databaseURL)
            let load = measurements.load
            return [try await DepthMeasurement(traders: traders, load: load, seconds: Double(seconds)).row()]
        case .payments:
            let full = try await measurements.fullSpeed("POST /v1/banking/payments", customers.payments)
            let rate = full.figure / 2
            return [
                full, try await measurements.paced("payments at half of that", perSecond: rate, customers.payments),
            ]
        case .webhooks:
            let webhooks = WebhookRequests(address: measurements.load.address, secret: settings.webhookSecret)
            let rate = HTTPMeasurements.webhooksPerSecond
            return [try await measurements.paced("webhooks at 2,000/s", perSecond: rate, webhooks.requests)]
        }
    }
}
