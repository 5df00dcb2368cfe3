import ArgumentParser
import Foundation
import Kernel
import Measuring

/// Measures a running server from outside, over loopback.
@main
struct HTTPBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-bench",
        abstract: "Measure payments and webhooks of a running server.",
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

        let full = try await measurements.fullSpeed(customers.payments)
        report.add(full)
        report.add(
            try await measurements.paced("payments at half of that", perSecond: full.figure / 2, customers.payments)
        )
        let webhooks = WebhookRequests(address: address, secret: settings.webhookSecret)
        report.add(
            try await measurements.paced(
                "webhooks at 2,000/s",
                perSecond: HTTPMeasurements.webhooksPerSecond,
                webhooks.requests
            )
        )
        if let json { try report.write(to: json) }
    }
}
