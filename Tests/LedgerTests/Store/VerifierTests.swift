import Kernel
import PostgreSQL
import TestSupport
import Testing

@testable import Ledger

/// Each way of tampering with stored rows is found, by the rule that is for it.
@Suite struct VerifierTests {
    /// What somebody with the database's password did, and which rules tell.
    struct Tampering: Sendable, CustomTestStringConvertible {
        let name: String
        let rules: Set<String>
        let statement: SQL

        var testDescription: String { name }

        init(_ name: String, _ rules: Set<String>, _ statement: SQL) {
            (self.name, self.rules, self.statement) = (name, rules, statement)
        }
    }

    /// One transfer of the sound ledger below.
    private static let first: SQL =
        "(select id from banking.ledger_transfers where code = 'payment' order by id limit 1)"
    private static let house: SQL = "(select id from banking.ledger_accounts where kind = 'test_house')"
    /// Who has all of the reservations.
    private static let customer: SQL = "(select account from banking.reservations where kind = 'captured')"
    private static let captured: SQL = "(select id from banking.reservations where kind = 'captured')"
    private static let settled: SQL = "(select id from banking.reservations where kind = 'settled')"
    private static let expired: SQL = "(select id from banking.reservations where kind = 'expired')"

    private static let tamperings: [Tampering] = [
        .init(
            "money out of nothing",
            ["zero_sum", "balance"],
            "update banking.ledger_accounts set posted = posted + 1 where id = \(customer)"
        ),
        .init(
            "money moved without a transfer",
            ["balance"],
            """
            update banking.ledger_accounts set posted = posted + case kind when 'test_house' then -1 else 1 end
            where kind = 'test_house' or id = (select account from banking.reservations where kind = 'captured')
            """
        ),
        .init(
            "a version skipped",
            ["versions"],
            "update banking.ledger_accounts set version = version + 1 where kind = 'test_house'"
        ),
        .init(
            "a transfer removed",
            ["balance", "versions", "chain"],
            "delete from banking.ledger_transfers where id = \(first)"
        ),
        .init(
            "a balance in the journal changed",
            ["chain"],
            "update banking.ledger_transfers set debit_posted = debit_posted + 1 where id = \(first)"
        ),
        .init(
            "an amount in the journal changed",
            ["balance", "chain"],
            "update banking.ledger_transfers set amount = amount + 1 where id = \(first)"
        ),
        .init(
            "two entries exchanged",
            ["chain"],
            """
            with two as (
                select id, debit_version, row_number() over (order by debit_version) as place
                from banking.ledger_transfers where debit_account = \(house) order by debit_version limit 2)
            update banking.ledger_transfers t set debit_version = o.debit_version
            from two m join two o on o.place = 3 - m.place where t.id = m.id
            """
        ),
        .init(
            "an instant set back",
            ["chain"],
            "update banking.ledger_transfers set recorded_at = recorded_at - interval '1 day' where id = \(capture)"
        ),
        .init(
            "held money let go without a trace",
            ["reserved"],
            "update banking.ledger_accounts set reserved = 0 where reserved > 0"
        ),
        .init(
            "a hold made larger",
            ["reserved"],
            "update banking.reservations set amount = amount + 1 where kind = 'active'"
        ),
        .init(
            "an account in another asset",
            ["asset", "zero_sum"],
            "update banking.ledger_accounts set asset = 'EUR' where id = \(customer)"
        ),
        .init(
            "a capture counted too low",
            ["captured"],
            "update banking.reservations set captured = captured - 1 where kind = 'captured'"
        ),
        .init(
            "a capture that names no reservation",
            ["captured"],
            "update banking.ledger_transfers set reservation = null where reservation = \(captured)"
        ),
        .init(
            "a late settlement forgotten",
            ["captured"],
            "update banking.reservations set settled_by = null where kind = 'settled'"
        ),
        .init(
            "a late settlement that never was",
            ["settled"],
            "update banking.reservations set settled_by = gen_random_uuid() where kind = 'expired'"
        ),
        .init(
            "a late settlement by a transfer for something else",
            ["settled"],
            "update banking.reservations set settled_by = \(first) where kind = 'expired'"
        ),
        .init(
            "a transfer that names no reservation there is",
            ["reservation"],
            "update banking.ledger_transfers set reservation = gen_random_uuid() where id = \(first)"
        ),
        .init(
            "a transfer that names another account's reservation",
            ["reservation", "captured"],
            """
            update banking.ledger_transfers set reservation = \(expired)
            where id = (select id from banking.ledger_transfers where debit_account = \(house) order by id limit 1)
            """
        ),
        .init(
            "a reversal of another transfer",
            ["reversal"],
            "update banking.reversals set reversal_of = \(first)"
        ),
        .init(
            "a reversal by a transfer that isn't there",
            ["reversal"],
            "update banking.reversals set transfer = gen_random_uuid()"
        ),
    ]

    /// The transfer that captured, which isn't the first of its account.
    private static let capture: SQL = "(select id from banking.ledger_transfers where reservation = \(captured))"

    /// A ledger in which each kind of thing has happened.
    private static func fill(_ ledger: TestLedger) async throws {
        let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
        let (alice, bob, house) = (ledger.customers[0], ledger.customers[1], ledger.house)
        try await ledger.fund(100)
        func reserve(_ kind: String) async throws -> ID<Reservation> {
            let id = ledger.ids.next(Reservation.self)
            let new = NewReservation(id: id, account: alice, amount: 10, kind: kind)
            _ = try await store.commit([ledger.item(.reserve(new))])[0].receipt
            return id
        }
        let captured = try await reserve("captured")
        _ = try await reserve("active")
        let (settled, expired) = (try await reserve("settled"), try await reserve("expired"))
        let legs = TransferLegs(id: ledger.ids.next(), debit: bob, credit: alice, amount: 3)
        let items = [
            ledger.item(ledger.pay(4, from: alice, to: house), ledger.pay(5, from: alice, to: house)),
            ledger.item(ledger.pay(10, from: alice, to: house, .reservation(captured))),
            ledger.item(.release(expired, of: alice, reason: "no")),
            ledger.item(
                .release(settled, of: alice, reason: "no"),
                ledger.pay(10, from: alice, to: house, .settlingLate(settled))
            ),
            ledger.item(.transfer(NewTransfer(id: legs.id, debit: bob, credit: alice, amount: 3, code: "gift"))),
        ]
        for item in items { _ = try await store.commit([item])[0].receipt }
        _ = try await store.commit([ledger.item(.reverse(NewReversal(id: ledger.ids.next(), of: legs)))])[0].receipt
    }

    @Test func `a sound ledger has no findings`() async throws {
        try await TestLedger.with { ledger in
            try await VerifierTests.fill(ledger)
            #expect(try await ledger.verifier.verify() == [])
        }
    }

    @Test(arguments: tamperings)
    func `tampering is found`(_ tampering: Tampering) async throws {
        try await TestLedger.with { ledger in
            try await VerifierTests.fill(ledger)
            _ = try await ledger.owner.query("alter table banking.reservations drop constraint reservations_outcome")
            let touched = try await ledger.owner.query(tampering.statement).affected
            #expect(touched > 0)
            let found = Set(try await ledger.verifier.verify().map(\.rule))
            #expect(found == tampering.rules)
        }
    }
}
