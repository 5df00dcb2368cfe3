import Kernel
import Testing

@testable import Ledger

@Suite struct ReceiptTests {
    private typealias F = CoreFixture

    @Test func `a transfer carries both versions and both balances`() throws {
        var core = F.core()
        let receipt = try core.done(F.pay(30, F.alice, F.bob))
        let record = try #require(receipt.transfers.first)
        #expect(receipt.at == F.now)
        #expect((record.debitVersion, record.creditVersion) == (8, 1))
        #expect((record.debitPosted, record.creditPosted) == (70, 30))
        #expect(record.operation == F.operation)
    }

    @Test func `a receipt tells of its own operation only`() throws {
        var core = F.core()
        try core.done(F.reserve(10))
        let receipt = try core.done(.release(F.active, of: F.alice, reason: "declined"), F.pay(1, F.alice, F.bob))
        #expect(receipt.reservations.map(\.id) == [F.active])
        #expect(receipt.transfers.count == 1)
        #expect(core.transfers.count == 1)
    }

    @Test func `an operation that does nothing is done`() throws {
        var core = F.core()
        let receipt = try core.done(.expire(F.active, of: F.alice))
        #expect(receipt.transfers.isEmpty && receipt.reservations.isEmpty)
        #expect(core.changedAccounts.isEmpty && core.changedReservations.isEmpty)
    }

    @Test func `thousands of due reservations are ended in one decision`() throws {
        let count = 20_000
        let due = (1...count).map { CoreFixture.hold(ID(UInt128(1_000 + $0)), 1, secondsLeft: -5) }
        var core = LedgerCore(
            at: F.now,
            accounts: [
                AccountState(id: F.alice, asset: "USD", posted: Int128(count), reserved: Int128(count)),
                AccountState(id: F.bob, asset: "USD"),
            ],
            reservations: due,
            due: [F.alice: due.map(\.id)]
        )
        let receipt = try core.done(F.pay(Int128(count), F.alice, F.bob))
        #expect(receipt.reservations.count == count)
        #expect(core.accounts[F.alice]?.reserved == 0)
    }
}
