import BenchServers
import Kernel
import Measuring
import PostgreSQL

// What a new writer reads before it leads.
extension Bench {
    /// How long a writer takes until it answers with so many orders resting, against none.
    func measureRecovery(restingOrders: Int) async throws {
        try await server.withSibling("recovery", logger: logger) { server in
            let venue = try await Venue(on: server, logger: logger)
            defer { venue.pool.close() }
            try await venue.openMarket()
            let empty = try await venue.withWriter { $0 }
            Report.say("seeding \(restingOrders) resting orders")
            try await RestingOrders(count: restingOrders, server: server).seed()
            let next = try await Venue(on: server, logger: logger)
            defer { next.pool.close() }
            let seconds = try await next.withWriter { $0 }
            results.add(
                BenchmarkRow(
                    "a new writer with \(restingOrders) resting orders",
                    unit: .milliseconds,
                    figure: seconds * 1000,
                    clients: 1,
                    baseline: .init("with none", empty * 1000),
                    note: "from its start to its first answer; \(Memory.residentBytes / 1_000_000) MB resident"
                )
            )
        }
    }
}
