import Foundation
import Kernel
import PostgreSQL
import TestSupport
import Testing

@testable import Ledger

/// Two processes' worth of writers on one database: of what excludes each other, one wins.
@Suite(.serialized) struct RaceTests {
    /// Rounds of capture against expiry; `DIBOAS_LEDGER_RACES` sets another number.
    static let rounds = ProcessInfo.processInfo.environment["DIBOAS_LEDGER_RACES"].flatMap { Int($0) } ?? 10_000
    /// Rounds under way at once.
    static let width = 128

    /// Submits the same number of items to two ledgers at once.
    private static func race(
        _ ledger: TestLedger,
        _ count: Int,
        _ item: @escaping @Sendable (Int) -> LedgerItem
    ) async throws -> [LedgerOutcome] {
        try await ledger.running { first in
            try await ledger.running { second in
                try await withThrowingTaskGroup(of: LedgerOutcome.self) { group in
                    for index in 0..<count {
                        group.addTask { try await (index % 2 == 0 ? first : second).submit(item(index)) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
        }
    }

    @Test func `a reservation is captured once`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            let reservation = try await ledger.reserve(60, on: ledger.customers[0])
            let outcomes = try await RaceTests.race(ledger, 64) { _ in
                ledger.item(ledger.pay(60, from: ledger.customers[0], to: ledger.house, .reservation(reservation)))
            }
            #expect(outcomes.filter { $0.refusal == nil }.count == 1)
            #expect(outcomes.filter { $0.refusal == .reservationNotActive(reservation, .captured) }.count == 63)
            #expect(try await ledger.balance(ledger.customers[0]) == (40, 0))
            try await ledger.expectSound()
        }
    }

    @Test func `parts of a reservation are captured as far as it goes`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            let reservation = try await ledger.reserve(100, on: ledger.customers[0])
            let outcomes = try await RaceTests.race(ledger, 64) { _ in
                ledger.item(ledger.pay(3, from: ledger.customers[0], to: ledger.house, .reservation(reservation)))
            }
            #expect(outcomes.filter { $0.refusal == nil }.count == 33)
            #expect(try await ledger.balance(ledger.customers[0]) == (1, 1))
            try await ledger.expectSound()
        }
    }

    @Test func `a transfer is reversed once`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            let id = ledger.ids.next(Transfer.self)
            let legs = TransferLegs(id: id, debit: ledger.customers[0], credit: ledger.customers[1], amount: 70)
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            let payment = NewTransfer(id: id, debit: legs.debit, credit: legs.credit, amount: 70, code: "payment")
            _ = try await store.commit([ledger.item(.transfer(payment))])
            let outcomes = try await RaceTests.race(ledger, 64) { _ in
                ledger.item(.reverse(NewReversal(id: ledger.ids.next(), of: legs)))
            }
            #expect(outcomes.filter { $0.refusal == nil }.count == 1)
            #expect(outcomes.filter { $0.refusal == .alreadyReversed(id) }.count == 63)
            #expect(try await ledger.balance(ledger.customers[0]).posted == 100)
            try await ledger.expectSound()
        }
    }

    @Test func `money is spent once`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(150)
            let outcomes = try await RaceTests.race(ledger, 64) { index in
                ledger.item(ledger.pay(100, from: ledger.customers[0], to: ledger.customers[1 + index % 3]))
            }
            #expect(outcomes.filter { $0.refusal == nil }.count == 1)
            #expect(try await ledger.balance(ledger.customers[0]).posted == 50)
            try await ledger.expectSound()
        }
    }

    @Test func `payments in a circle don't deadlock for good`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let outcomes = try await RaceTests.race(ledger, 800) { index in
                let from = index % 4
                return ledger.item(
                    ledger.pay(1, from: ledger.customers[from], to: ledger.customers[(from + index / 4 % 3 + 1) % 4])
                )
            }
            #expect(outcomes.allSatisfy { $0.refusal == nil })
            try await ledger.expectSound()
        }
    }

    @Test(arguments: [true, false])
    func `either capture or expiry wins`(isSwept: Bool) async throws {
        try await TestLedger.with(customers: 20) { ledger in
            try await ledger.fund(Int128(RaceTests.rounds))
            let wins = try await ledger.running { first in
                try await ledger.running { second in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        defer { group.cancelAll() }
                        if isSwept { group.addTask { try await RaceTests.sweepUntilCancelled(ledger) } }
                        return try await RaceTests.captureOrExpire(ledger, first, second)
                    }
                }
            }
            // What was refused because it was due, and not expired by anybody, is left to the sweeper.
            let sweeper = ledger.sweeper()
            while try await sweeper.sweepOnce().expired > 0 {}
            let rows = try await ledger.pool.query(
                "select id, state from \(TestLedger.schema).reservations"
            )
            var phases: [ID<Reservation>: ReservationState.Phase] = [:]
            for row in rows { phases[try row["id"]] = try row["state"] }
            #expect(phases.count == RaceTests.rounds)
            #expect(wins.count == RaceTests.rounds)
            let wrong = wins.filter { phases[$0.key] != ($0.value ? .captured : .expired) }
            #expect(wrong.isEmpty)
            let captured = wins.values.filter { $0 }.count
            #expect(captured > 0 && captured < RaceTests.rounds, "both must have won")
            #expect(try await ledger.balance(ledger.house).posted == Int128(captured - 20 * RaceTests.rounds))
            try await ledger.expectSound()
        }
    }

    /// Each reservation with whether its capture was done.
    private static func captureOrExpire(
        _ ledger: TestLedger,
        _ first: Ledger,
        _ second: Ledger
    ) async throws -> [ID<Reservation>: Bool] {
        try await withThrowingTaskGroup(of: [(ID<Reservation>, Bool)].self) { group in
            for worker in 0..<width {
                group.addTask {
                    var wins: [(ID<Reservation>, Bool)] = []
                    var latency = 0.01
                    for round in stride(from: worker, to: rounds, by: width) {
                        let account = ledger.customers[round % ledger.customers.count]
                        wins.append(try await one(ledger, account, first, second, latencySeconds: &latency))
                    }
                    return wins
                }
            }
            return try await group.reduce(into: [:]) { all, wins in for (id, won) in wins { all[id] = won } }
        }
    }

    /// Reserves until about when the capture will be decided, then captures and expires at once.
    private static func one(
        _ ledger: TestLedger,
        _ account: ID<LedgerAccount>,
        _ first: Ledger,
        _ second: Ledger,
        latencySeconds: inout Double
    ) async throws -> (ID<Reservation>, Bool) {
        let id = ledger.ids.next(Reservation.self)
        let began = ContinuousClock.now
        let micros = Int64(latencySeconds * 4e6 * Double.random(in: 0...1)) + 1_000
        let end = Timestamp(microseconds: SystemClock().now().microseconds + micros)
        let made = try await first.submit(
            ledger.item(
                .reserve(NewReservation(id: id, account: account, amount: 1, kind: "race", lifetime: .unlimited)),
                .extend(id, of: account, until: end)
            )
        )
        _ = try made.receipt
        latencySeconds = (ContinuousClock.now - began).seconds
        async let capture = second.submit(ledger.item(ledger.pay(1, from: account, to: ledger.house, .reservation(id))))
        async let expiry = first.submit(ledger.item(.expire(id, of: account)))
        let (captured, expired) = try await (capture, expiry)
        let didExpire = try expired.receipt.reservations.contains { $0.phase == .expired }
        switch captured.refusal {
        case nil:
            #expect(!didExpire)
            return (id, true)
        case .reservationExpired(id), .reservationNotActive(id, .expired): return (id, false)
        case .some(let refusal): throw refusal
        }
    }

    static func sweepUntilCancelled(_ ledger: TestLedger) async throws {
        let sweeper = ledger.sweeper(ledger.database.pool(TestLedger.schema, size: 1))
        while !Task.isCancelled { _ = try await sweeper.sweepOnce(limit: 50) }
    }
}
