import Foundation
import Kernel
import Measuring

/// How long after an order's answer those who follow the market's depth know of it, while others trade.
struct DepthMeasurement: Sendable {
    /// Clients that follow the market.
    static let subscribers = 1_000
    /// How long the clients may take to get their first book.
    private static let patienceSeconds = 60.0
    private static let probesPerSecond = 20.0
    /// How prices begin that are far below the market, 50,000.0 and up, in a level of the book.
    private static let probe: StaticString = "[\"50"

    let traders: Traders
    let load: LoadGenerator
    let seconds: Double

    /// An order at a price of its own.
    private struct Probe {
        let price: String
        let sent: ContinuousClock.Instant
        let answered: ContinuousClock.Instant
    }

    /// Nobody's book arrived, or a connection ended.
    struct Failure: Error { let reason: String }

    func row() async throws -> BenchmarkRow {
        let count = DepthMeasurement.subscribers
        let clients = try DepthSubscribers(count, of: Traders.symbol, at: load.address, probe: DepthMeasurement.probe)
        defer { clients.stop() }
        let deadline = ContinuousClock.now + .seconds(DepthMeasurement.patienceSeconds)
        while clients.found.ready < count {
            guard clients.found.failure == nil, ContinuousClock.now < deadline else {
                throw Failure(reason: clients.found.failure ?? "only \(clients.found.ready) books arrived")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        async let others = load.run(traders.orders, seconds: seconds, perSecond: HTTPMeasurements.ordersPerSecond)
        let probes = try await sendProbes()
        let round = try await others
        try await Task.sleep(for: .seconds(1))
        return try row(clients.found, probes, round)
    }

    /// Sends probes one by one.
    private func sendProbes() async throws -> [Probe] {
        var connection = HTTPConnection(socket: try load.address.connect())
        var probes: [Probe] = []
        for number in 1...Int(seconds * DepthMeasurement.probesPerSecond) {
            try await Task.sleep(for: .seconds(1 / DepthMeasurement.probesPerSecond))
            let price = "\(50_000 + number / 10).\(number % 10)0"
            let sent = ContinuousClock.now
            let answer = try connection.exchange(traders.probe(price))
            guard answer.status == 201 else {
                throw ConnectionFailure.unexpected(
                    status: answer.status,
                    body: String(decoding: answer.body, as: UTF8.self)
                )
            }
            probes.append(Probe(price: price, sent: sent, answered: .now))
        }
        return probes
    }

    private func row(_ seen: DepthSubscribers.Seen, _ probes: [Probe], _ round: Round) throws -> BenchmarkRow {
        if let failure = seen.failure { throw Failure(reason: failure) }
        var (afterAnswer, afterSending, missed): ([Double], [Double], Int) = ([], [], 0)
        for probe in probes {
            let arrivals = seen.arrivals[probe.price] ?? []
            missed += DepthMeasurement.subscribers - arrivals.count
            for arrival in arrivals {
                afterAnswer.append(max(0, (arrival - probe.answered).inSeconds * 1000))
                afterSending.append((arrival - probe.sent).inSeconds * 1000)
            }
        }
        let (answer, sending) = (Latencies(milliseconds: afterAnswer), Latencies(milliseconds: afterSending))
        return BenchmarkRow(
            "p99 of the depth's diff after the order's answer, at 1,000 orders/s",
            unit: .milliseconds,
            figure: answer.percentile(0.99) ?? 0,
            clients: DepthMeasurement.subscribers,
            p50: answer.percentile(0.5),
            p99: answer.percentile(0.99),
            baseline: .init("after the order was sent", sending.percentile(0.99) ?? 0),
            note: "\(seen.updates) updates, \(seen.gaps) gaps, \(seen.checked) checksums right, "
                + "\(missed) probes missed, "
                + "\(Int(Double(round.operations) / round.seconds)) orders/s"
        )
    }
}
