import Kernel
import Testing

@testable import Ledger

/// Accounts that mirror something outside: what has happened there is posted, and what is held gives way.
@Suite struct ObservationTests {
    private typealias F = CoreFixture

    private static func observe(_ balance: Int128, of account: ID<LedgerAccount> = F.alice) -> LedgerCommand {
        .observe(Observation(id: F.transfer(200), account: account, other: F.house, balance: balance, code: "seen"))
    }

    private static func claim(_ amount: Int128, id: ID<Reservation> = ID(50)) -> LedgerCommand {
        .claim(
            NewReservation(id: id, account: F.alice, amount: amount, kind: "intent", lifetime: .unlimited)
        )
    }

    @Test func `what came and what went is posted, what is the same posts nothing`() throws {
        var core = F.core()
        let came = try core.done(Self.observe(130))
        #expect(came.transfers.map(\.amount) == [30] && came.transfers[0].credit == F.alice)
        let went = try core.done(
            .observe(Observation(id: F.transfer(201), account: F.alice, other: F.house, balance: 70, code: "seen"))
        )
        #expect(went.transfers.map(\.amount) == [60] && went.transfers[0].debit == F.alice)
        #expect(try core.done(Self.observe(70)).transfers.isEmpty)
        #expect(core.accounts[F.alice]?.posted == 70 && core.accounts[F.alice]?.reserved == 60)
    }

    @Test func `what is held gives way to what has happened, the newest first`() throws {
        var core = F.core()
        try core.done(.letGo(F.due, of: F.alice, reason: "over"), Self.claim(25))
        // 40 are held by the old one, 25 by the new one; 50 are left.
        try core.done(Self.observe(50))
        #expect(core.reservations[ID(50)]?.held == 10 && core.reservations[F.active]?.held == 40)
        #expect(core.accounts[F.alice]?.available == 0)
        // The new one ends, and the old one, of which 10 were captured before, holds what there is.
        try core.done(
            .observe(Observation(id: F.transfer(201), account: F.alice, other: F.house, balance: 15, code: "seen"))
        )
        #expect(core.reservations[ID(50)]?.phase == .released)
        #expect(core.reservations[F.active]?.held == 15 && core.reservations[F.active]?.captured == 10)
        #expect(core.accounts[F.alice]?.reserved == 15)
    }

    @Test func `a freeze keeps nothing that has happened from being posted`() throws {
        var core = F.core()
        try core.done(Self.observe(10, of: F.frozen))
        #expect(core.accounts[F.frozen]?.posted == 10 && core.accounts[F.frozen]?.reserved == 10)
    }

    @Test func `what can't be observed is refused`() {
        var core = F.core()
        #expect(core.refusal(Self.observe(-1)) == .invalidAmount)
        #expect(core.refusal(Self.observe(Money.limit)) == .invalidAmount)
        #expect(core.refusal(Self.observe(1, of: F.nobody)) == .unknownAccount(F.nobody))
        let euros = Observation(
            id: F.transfer(200),
            account: F.alice,
            other: F.euroHouse,
            balance: 1,
            code: "seen"
        )
        #expect(core.refusal(.observe(euros)) == .assetMismatch)
        let ofHouse = Observation(id: F.transfer(200), account: F.house, other: F.bob, balance: 1, code: "seen")
        #expect(core.refusal(.observe(ofHouse)) == .invalidAmount)
    }

    @Test func `a claim holds as much as there is, and more when there is more`() throws {
        var core = F.core(due: [F.alice: []])
        try core.done(Self.claim(70))
        #expect(core.reservations[ID(50)]?.held == 40 && core.accounts[F.alice]?.available == 0)
        // Nothing is available, and nothing is made.
        try core.done(Self.claim(5, id: ID(51)))
        #expect(core.reservations[ID(51)] == nil)
        try core.done(Self.observe(120))
        try core.done(Self.claim(70), Self.claim(70))
        #expect(core.reservations[ID(50)]?.held == 60)
        try core.done(
            .observe(Observation(id: F.transfer(201), account: F.alice, other: F.house, balance: 200, code: "seen"))
        )
        // Not more than was asked for, and not less than it holds already.
        try core.done(Self.claim(70), Self.claim(30))
        #expect(core.reservations[ID(50)]?.held == 70 && core.accounts[F.alice]?.available == 70)
        #expect(core.newReservations == [ID(50)])
    }

    @Test func `what has ended isn't claimed again, and is let go of once`() throws {
        var core = F.core()
        try core.done(Self.claim(10))
        try core.done(.letGo(ID(50), of: F.alice, reason: "over"), .letGo(ID(50), of: F.alice, reason: "again"))
        #expect(core.reservations[ID(50)]?.reason == "over")
        try core.done(Self.claim(10), .letGo(ID(77), of: F.alice, reason: "unknown"))
        #expect(core.reservations[ID(50)]?.phase == .released && core.accounts[F.alice]?.reserved == 60)
        try core.done(.letGo(F.active, of: F.bob, reason: "somebody else's"))
        #expect(core.reservations[F.active]?.phase == .active)
    }

    @Test func `a refused claim changes nothing`() {
        var core = F.core()
        #expect(core.refusal(Self.claim(0)) == .invalidAmount)
        let ofHouse = NewReservation(id: ID(50), account: F.house, amount: 1, kind: "intent")
        #expect(
            core.refusal(.claim(ofHouse)) == .insufficientFunds(account: F.house, available: 0, requested: 1)
        )
        let others = NewReservation(id: F.active, account: F.bob, amount: 1, kind: "intent")
        #expect(core.refusal(.claim(others)) == .unknownReservation(F.active))
        #expect(core.refusal(Self.claim(10), F.pay(1, F.frozen, F.bob)) != nil)
        #expect(core.reservations[ID(50)] == nil && core.accounts[F.alice]?.reserved == 60)
    }
}
