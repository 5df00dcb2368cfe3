import Kernel
import Ledger
import Measuring
import PostgreSQL

extension Bench {
    /// Transactions of 500 transfers under way at once: one is decided while the other is stored.
    private static let batchWriters = 2
    /// Callers that send one transfer each and wait.
    static let callers = 256

    /// Transfers that the caller batches.
    var bulkRows: [Measurement] {
        [
            contest(bulk(.uniform), against: byHand.batch(.uniform, clients: Bench.batchWriters)),
            contest(bulk(.uniform, withEvidence: true), against: byHand.batch(.uniform, clients: Bench.batchWriters)),
            contest(bulk(.hot), against: bulk(.uniform)),
            contest(bulk(.hot, withEvidence: true), against: bulk(.uniform, withEvidence: true)),
        ]
    }

    /// Transfers that come one by one.
    var callerRows: [Measurement] {
        [
            contest(single(.uniform), against: byHand.transfer(.uniform, clients: 32)),
            contest(single(.hot), against: byHand.transfer(.hot, clients: 32)),
        ]
    }

    /// The baselines themselves, beside the emptiest statement that there is.
    var handWrittenRows: [Measurement] {
        [HandWritten.Spread.uniform, .hot].flatMap { spread in
            [8, 32].map { clients in
                contest(byHand.transfer(spread, clients: clients), against: byHand.selectOne(clients: clients))
            } + [contest(byHand.batch(spread, clients: Bench.batchWriters), against: byHand.selectOne(clients: 8))]
        }
    }

    private func bulk(_ spread: HandWritten.Spread, withEvidence: Bool = false) -> Contestant {
        let name = "batches of 500, \(spread.rawValue)" + (withEvidence ? ", event and audit entry each" : "")
        return Contestant(name, clients: Bench.batchWriters) { [ledger, load] seconds in
            try await Callers.atFullSpeed(Bench.batchWriters, seconds: Double(seconds)) { random in
                var items: [LedgerItem] = []
                for _ in 0..<HandWritten.batchSize {
                    items.append(
                        withEvidence ? load.evidencedTransfer(spread, &random) : load.transfer(spread, &random)
                    )
                }
                try Load.require(try await ledger.submit(batch: items))
                return items.count
            }
        }
    }

    /// Nobody batches by hand: the group commit does.
    private func single(_ spread: HandWritten.Spread) -> Contestant {
        Contestant("concurrent callers, one transfer each, \(spread.rawValue)", clients: Bench.callers) {
            [ledger, load] seconds in
            try await Callers.atFullSpeed(Bench.callers, seconds: Double(seconds)) { random in
                try Load.require([try await ledger.submit(load.transfer(spread, &random))])
                return 1
            }
        }
    }
}
