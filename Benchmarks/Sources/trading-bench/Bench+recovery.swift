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
            var rounds: [Recovery] = []
            for _ in 0..<pacing.rounds { rounds.append(try await recover(on: server)) }
            let middle = rounds.sorted { $0.seconds < $1.seconds }[rounds.count / 2]
            results.add(
                BenchmarkRow(
                    "a new writer with \(restingOrders) resting orders",
                    unit: .milliseconds,
                    figure: middle.seconds * 1000,
                    clients: 1,
                    baseline: .init("with none", empty * 1000),
                    note: "from its start to its first answer; \(Memory.residentBytes / 1_000_000) MB resident; "
                        + "processor time of all rounds: "
                        + rounds.map { "\($0.work) ms here and \($0.serverWork) ms in the server" }.joined(
                            separator: ", "
                        )
                )
            )
        }
    }

    /// What a new writer took until its first answer.
    private struct Recovery {
        let seconds: Double
        /// Milliseconds of processor time in this process.
        let work: Int
        /// Milliseconds of processor time in the server's sessions.
        let serverWork: Int
    }

    private func recover(on server: BenchServer) async throws -> Recovery {
        let venue = try await Venue(on: server, logger: logger)
        defer { venue.pool.close() }
        let before = try await Processor.seconds(of: venue)
        return try await venue.withWriter { seconds in
            let after = try await Processor.seconds(of: venue)
            return Recovery(
                seconds: seconds,
                work: Int((after.own - before.own) * 1000),
                serverWork: Int((after.server - before.server) * 1000)
            )
        }
    }
}
