import Kernel
import Testing

@testable import Ledger

/// Expiry is decided by the operation itself: none of these tests has a sweeper.
@Suite struct ExpiryTests {
    private typealias F = CoreFixture

    @Test(arguments: [(-1, true), (0, false), (1, false)])
    func `a reservation can be captured until its time is over, to the microsecond`(after: Int64, isCaptured: Bool) {
        let end = F.now.adding(seconds: 60)
        var core = F.core(at: Timestamp(microseconds: end.microseconds + after))
        let refusal = core.refusal(F.pay(1, F.alice, F.house, .reservation(F.active)))
        #expect(refusal == (isCaptured ? nil : .reservationExpired(F.active)))
    }

    @Test func `a reservation lasts half an hour unless said otherwise`() throws {
        var core = F.core()
        try core.done(F.reserve(1, id: ID(50)), F.reserve(1, id: ID(51), lifetime: .unlimited))
        #expect(core.reservations[ID(50)]?.expiresAt == F.now.adding(seconds: 1_800))
        #expect(core.reservations[ID(51)]?.expiresAt == nil)
    }

    @Test func `an account without funds is named for its due reservations to be loaded`() {
        var core = F.core()
        #expect(core.refusal(F.pay(60, F.alice, F.bob)) != nil)
        #expect(core.unswept == [F.alice])
    }

    @Test func `an account that lacks funds although nothing is reserved is not decided twice`() {
        var core = F.core()
        #expect(core.refusal(F.pay(60, F.bob, F.alice)) != nil)
        #expect(core.unswept.isEmpty)
    }

    @Test func `a payment that needs the money ends due reservations`() throws {
        var core = F.core(due: [F.alice: [F.due]])
        let receipt = try core.done(F.pay(60, F.alice, F.bob))
        #expect(core.reservations[F.due]?.phase == .expired)
        #expect(core.reservations[F.due]?.endedAt == F.now)
        #expect(core.expired == [F.due])
        #expect(core.accounts[F.alice]?.reserved == 40)
        #expect(receipt.reservations.map(\.id) == [F.due])
        #expect(core.unswept.isEmpty)
    }

    @Test func `a payment that has the money leaves due reservations to the sweeper`() throws {
        var core = F.core(due: [F.alice: [F.due]])
        try core.done(F.pay(40, F.alice, F.bob))
        #expect(core.reservations[F.due]?.phase == .active)
        #expect(core.expired.isEmpty)
    }

    @Test func `a reservation that needs the money ends due ones`() throws {
        var core = F.core(due: [F.alice: [F.due]])
        try core.done(F.reserve(60))
        #expect(core.accounts[F.alice]?.available == 0)
        #expect(core.reservations[F.due]?.phase == .expired)
    }

    @Test func `a refused payment leaves due reservations as they were`() {
        var core = F.core(due: [F.alice: [F.due]])
        #expect(
            core.refusal(F.pay(61, F.alice, F.bob))
                == .insufficientFunds(account: F.alice, available: 60, requested: 61)
        )
        #expect(core.reservations[F.due]?.phase == .active)
        #expect(core.expired.isEmpty)
    }

    @Test func `a reservation whose end was moved into the past frees its money at once`() throws {
        var core = F.core(due: [F.alice: [F.due]])
        try core.done(.extend(F.active, of: F.alice, until: F.now))
        try core.done(F.pay(100, F.alice, F.bob))
        #expect(core.reservations[F.active]?.phase == .captured)
        #expect(core.reservations[F.due]?.phase == .expired)
    }

    @Test func `a reservation that lives no second frees its money at once`() throws {
        var core = F.core()
        try core.done(F.reserve(40, lifetime: .seconds(0)))
        try core.done(F.pay(40, F.alice, F.bob))
        #expect(core.reservations[ID(50)]?.phase == .expired)
    }

    @Test func `an extended reservation outlives its first end`() throws {
        var core = F.core()
        try core.done(.extend(F.active, of: F.alice, until: nil))
        #expect(core.reservations[F.active]?.isDue(at: F.now.adding(seconds: 1_000_000)) == false)
    }

    @Test func `amount and fee settle a reservation late in one operation, and nobody after them`() throws {
        var core = F.core()
        try core.done(
            F.pay(29, F.alice, F.house, .settlingLate(F.expired), id: F.transfer(1)),
            F.pay(1, F.alice, F.house, .settlingLate(F.expired), id: F.transfer(2))
        )
        #expect(core.reservations[F.expired]?.settledBy == F.transfer(1))
        #expect(core.reservations[F.expired]?.phase == .expired)
        #expect(core.transfers.map(\.reservation) == [F.expired, F.expired])
        #expect(
            core.refusal(F.pay(1, F.alice, F.house, .settlingLate(F.expired), id: F.transfer(3)))
                == .notSettleable(F.expired)
        )
    }

    @Test func `an unswept reservation is settled late with the money that it held`() throws {
        var core = F.core()
        // 40 are available, the other 20 are those of the due reservation itself.
        try core.done(F.pay(60, F.alice, F.house, .settlingLate(F.due)))
        #expect(core.reservations[F.due]?.phase == .expired)
        #expect(core.accounts[F.alice]?.posted == 40)
        #expect(core.accounts[F.alice]?.reserved == 40)
    }
}
