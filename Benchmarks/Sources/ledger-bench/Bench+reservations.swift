import BenchServers
import Kernel
import Ledger
import Measuring
import Messaging
import PostgreSQL
import Synchronization

extension Bench {
    /// Reservations that are due at once.
    private static let dueAtOnce = 200_000
    private static let insertedAtOnce = 20_000
    /// What customers do meanwhile: transfers a second, by so many callers that the rate is kept though each of them
    /// waits for half a second.
    private static let foreground = (callers: 1_000, perSecond: 2_000.0)
    private static let sweepSecondsMax = 120.0

    /// Pairs of a reservation and its capture.
    var reservationRows: [Measurement] {
        let pairs = Contestant("reserve, then capture", clients: Bench.callers) { [ledger, load] seconds in
            try await Callers.atFullSpeed(Bench.callers, seconds: Double(seconds)) { random in
                let (payer, payee) = load.pair(.uniform, &random)
                let (operation, reservation): (ID<Operation>, ID<Reservation>) = (load.ids.next(), load.ids.next())
                let hold = LedgerItem(
                    operation: operation,
                    commands: [
                        .reserve(NewReservation(id: reservation, account: payer, amount: 5, kind: "withdrawal"))
                    ]
                )
                try Load.require([try await ledger.submit(hold)])
                let capture = NewTransfer(
                    id: load.ids.next(),
                    debit: payer,
                    credit: payee,
                    amount: 5,
                    code: "withdrawal",
                    funding: .reservation(reservation)
                )
                let item = LedgerItem(operation: operation, commands: [.transfer(capture)])
                try Load.require([try await ledger.submit(item)])
                return 1
            }
        }
        return [
            contest(
                pairs,
                against: byHand.transfer(.uniform, clients: 32),
                note: "a pair is two commits, one after the other; the baseline is one"
            )
        ]
    }

    /// A sweep of many reservations, and what it does to those who pay meanwhile.
    var sweepRows: Measurement {
        { [self] in
            let until = ContinuousClock.now + .seconds(pacing.roundSeconds * pacing.rounds)
            let before = try await pay(while: { ContinuousClock.now < until })
            try await makeDueReservations()
            let isSweeping = Atomic(true)
            async let during = pay(while: { isSweeping.load(ordering: .relaxed) })
            let swept = try await sweep { isSweeping.store(false, ordering: .relaxed) }
            let meanwhile = try await during
            let seconds = String(Int(swept.seconds * 10) / 10) + "." + String(Int(swept.seconds * 10) % 10)
            return [
                BenchmarkRow(
                    "sweep of due reservations",
                    unit: .perSecond,
                    figure: Double(swept.operations) / swept.seconds,
                    clients: 1,
                    p50: swept.latencies.percentile(0.5),
                    p99: swept.latencies.percentile(0.99),
                    note: "\(swept.operations) reservations due at once took \(seconds) s; latencies are of sets"
                ),
                BenchmarkRow(
                    "p99 of transfers at 2,000/s while that sweep runs",
                    unit: .milliseconds,
                    figure: meanwhile.latencies.percentile(0.99) ?? 0,
                    clients: Bench.foreground.callers,
                    p50: meanwhile.latencies.percentile(0.5),
                    p99: meanwhile.latencies.percentile(0.99),
                    baseline: .init("p99 before the sweep", before.latencies.percentile(0.99) ?? 0)
                ),
            ]
        }
    }

    private func pay(while goesOn: @escaping @Sendable () -> Bool) async throws -> Round {
        try await Callers.paced(
            Bench.foreground.callers,
            perSecond: Bench.foreground.perSecond,
            while: goesOn
        ) { [ledger, load] random in
            try Load.require([try await ledger.submit(load.transfer(.uniform, &random))])
            return 1
        }
    }

    /// Sweeps until nothing is due, as the background service does, and says when it has ended, however that is.
    private func sweep(_ whenDone: () -> Void) async throws -> Round {
        defer { whenDone() }
        let ids = load.ids
        let sweeper = ReservationSweeper(schema: .banking, pool: pool) { ended, _ in
            ended.map { reservation in
                OutboxEvent(
                    id: ids.next(),
                    aggregateType: "reservation",
                    aggregate: reservation.id,
                    version: 1,
                    type: "banking.reservation.expired",
                    payload: [
                        "reservation": .string(reservation.id.wire), "account": .string(reservation.account.wire),
                        "kind": .string(reservation.kind), "amount": .string(String(reservation.amount)),
                    ]
                )
            }
        }
        let start = ContinuousClock.now
        var (done, sets): (Int, [Double]) = (0, [])
        while done < Bench.dueAtOnce, ContinuousClock.now - start < .seconds(Bench.sweepSecondsMax) {
            let begun = ContinuousClock.now
            done += try await sweeper.sweepOnce().expired
            sets.append((ContinuousClock.now - begun).inSeconds * 1000)
        }
        return Round(
            operations: done,
            seconds: (ContinuousClock.now - start).inSeconds,
            latencies: Latencies(milliseconds: sets)
        )
    }

    /// Stores reservations that are due the moment they are committed, as months of traffic would leave them.
    private func makeDueReservations() async throws {
        try await pool.withTransaction { transaction in
            for start in stride(from: 0, to: Bench.dueAtOnce, by: Bench.insertedAtOnce) {
                let newIDs: [ID<Reservation>] = (0..<Bench.insertedAtOnce).map { _ in load.ids.next() }
                let holders = newIDs.indices.map { load.accounts[(start + $0) % load.accounts.count] }
                _ = try await transaction.query(
                    """
                    insert into banking.reservations
                        (id, account, operation, kind, amount, state, expires_at, created_at)
                    select id, account, id, 'withdrawal', 5, 'active', now(), now() - interval '30 minutes'
                    from unnest(\(newIDs), \(holders)) as r (id, account)
                    """
                )
            }
            _ = try await transaction.query(
                """
                update banking.ledger_accounts a set reserved = a.reserved + r.held
                from (
                    select account, sum(amount - captured) as held from banking.reservations
                    where state = 'active' group by account
                ) r
                where a.id = r.account
                """
            )
        }
        try await server.analyze("banking.reservations")
    }
}
