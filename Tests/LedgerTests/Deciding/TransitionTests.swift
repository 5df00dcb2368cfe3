import Kernel
import Testing

@testable import Ledger

/// Every state of a reservation × every command on it.
@Suite struct TransitionTests {
    /// Where a reservation may be: its phase, or active with its time over.
    enum Start: String, CaseIterable, Sendable { case active, due, captured, released, expired, settled }

    /// What may be asked of it.
    enum Command: String, CaseIterable, Sendable {
        case capturePart, captureAll, settleLate, increment, decrement, extend, release, expire
    }

    /// What comes of it: the reservation's state, or why not.
    enum End: Equatable, Sendable {
        case phase(ReservationState.Phase, captured: Int128, amount: Int128, held: Int128)
        case unchanged
        case refused(LedgerRefusal)
    }

    static func id(_ start: Start) -> ID<Reservation> {
        switch start {
        case .active: CoreFixture.active
        case .due: CoreFixture.due
        case .captured: CoreFixture.captured
        case .released: CoreFixture.released
        case .expired: CoreFixture.expired
        case .settled: CoreFixture.settled
        }
    }

    static func command(_ command: Command, _ id: ID<Reservation>) -> LedgerCommand {
        let account = CoreFixture.alice
        return switch command {
        case .capturePart: CoreFixture.pay(7, account, CoreFixture.house, .reservation(id))
        case .captureAll: CoreFixture.pay(40, account, CoreFixture.house, .reservation(id))
        case .settleLate: CoreFixture.pay(7, account, CoreFixture.house, .settlingLate(id))
        case .increment: .increment(id, of: account, by: 3)
        case .decrement: .decrement(id, of: account, by: 3)
        case .extend: .extend(id, of: account, until: CoreFixture.now.adding(seconds: 3_600))
        case .release: .release(id, of: account, reason: "declined")
        case .expire: .expire(id, of: account)
        }
    }

    // `active` holds 50, of which 10 are captured; the others 30, `due` 20.
    static func end(_ start: Start, _ command: Command) -> End {
        let id = id(start)
        switch (start, command) {
        case (.active, .capturePart): return .phase(.active, captured: 17, amount: 50, held: 33)
        case (.active, .captureAll): return .phase(.captured, captured: 50, amount: 50, held: 0)
        case (.active, .settleLate): return .refused(.notSettleable(id))
        case (.active, .increment): return .phase(.active, captured: 10, amount: 53, held: 43)
        case (.active, .decrement): return .phase(.active, captured: 10, amount: 47, held: 37)
        case (.active, .extend): return .phase(.active, captured: 10, amount: 50, held: 40)
        case (.active, .release): return .phase(.captured, captured: 10, amount: 50, held: 0)
        case (.active, .expire): return .unchanged
        case (.due, .settleLate), (.due, .expire): return .phase(.expired, captured: 0, amount: 20, held: 0)
        case (.due, _): return .refused(.reservationExpired(id))
        case (.captured, .settleLate), (.settled, .settleLate): return .refused(.notSettleable(id))
        case (.released, .settleLate): return .phase(.released, captured: 0, amount: 30, held: 0)
        case (.expired, .settleLate): return .phase(.expired, captured: 0, amount: 30, held: 0)
        case (_, .expire): return .unchanged
        case (.captured, _): return .refused(.reservationNotActive(id, .captured))
        case (.released, _): return .refused(.reservationNotActive(id, .released))
        case (.expired, _), (.settled, _): return .refused(.reservationNotActive(id, .expired))
        }
    }

    @Test(arguments: Start.allCases, Command.allCases)
    func `a reservation follows its life`(start: Start, command: Command) throws {
        var core = CoreFixture.core()
        let id = TransitionTests.id(start)
        let before = try #require(core.reservations[id])
        let held = try #require(core.accounts[CoreFixture.alice]).reserved
        let result = core.apply([TransitionTests.command(command, id)], of: CoreFixture.operation)
        let after = try #require(core.reservations[id])
        let freed = held - (try #require(core.accounts[CoreFixture.alice])).reserved
        #expect(freed == before.held - after.held, "the account's reserved money follows")
        #expect((after.phase == .active) == (after.endedAt == nil))
        switch TransitionTests.end(start, command) {
        case .phase(let phase, let captured, let amount, let held):
            _ = try result.get()
            #expect((after.phase, after.captured, after.amount, after.held) == (phase, captured, amount, held))
        case .unchanged:
            #expect(try result.get().reservations.isEmpty)
            #expect(after == before)
        case .refused(let refusal):
            #expect(result == .failure(refusal))
            #expect(after == before)
        }
    }

    @Test func `what is left of a partly captured reservation ends with its reason`() throws {
        var core = CoreFixture.core()
        try core.done(.release(CoreFixture.active, of: CoreFixture.alice, reason: "declined"))
        #expect(core.reservations[CoreFixture.active]?.phase == .captured)
        #expect(core.reservations[CoreFixture.active]?.reason == "declined")
        var later = CoreFixture.core(at: CoreFixture.now.adding(seconds: 60))
        try later.done(.expire(CoreFixture.active, of: CoreFixture.alice))
        #expect(later.reservations[CoreFixture.active]?.phase == .captured)
        #expect(later.reservations[CoreFixture.active]?.reason == "expired")
        #expect(later.expired == [CoreFixture.active])
    }

    @Test func `a reservation is captured in several parts, of one operation and of several`() throws {
        var core = CoreFixture.core()
        let (alice, house, active) = (CoreFixture.alice, CoreFixture.house, CoreFixture.active)
        try core.done(
            CoreFixture.pay(30, alice, house, .reservation(active), id: CoreFixture.transfer(1)),
            CoreFixture.pay(1, alice, house, .reservation(active), id: CoreFixture.transfer(2))
        )
        try core.done(CoreFixture.pay(9, alice, house, .reservation(active), id: CoreFixture.transfer(3)))
        #expect(core.reservations[active]?.phase == .captured)
        #expect(core.accounts[alice]?.posted == 60)
        #expect(core.accounts[alice]?.reserved == 20)
        #expect(core.transfers.map(\.reservation) == [active, active, active])
        #expect(
            core.refusal(CoreFixture.pay(1, alice, house, .reservation(active)))
                == .reservationNotActive(active, .captured)
        )
    }

    @Test func `an increment is captured like the rest`() throws {
        var core = CoreFixture.core()
        try core.done(
            .increment(CoreFixture.active, of: CoreFixture.alice, by: 5),
            CoreFixture.pay(45, CoreFixture.alice, CoreFixture.house, .reservation(CoreFixture.active))
        )
        #expect(core.reservations[CoreFixture.active]?.phase == .captured)
        #expect(core.accounts[CoreFixture.alice]?.reserved == 20)
    }

    @Test func `a frozen account's reservation can still be captured and released`() throws {
        var core = CoreFixture.core()
        try core.done(CoreFixture.pay(10, CoreFixture.frozen, CoreFixture.house, .reservation(CoreFixture.frozenHold)))
        try core.done(.extend(CoreFixture.frozenHold, of: CoreFixture.frozen, until: nil))
        try core.done(.release(CoreFixture.frozenHold, of: CoreFixture.frozen, reason: "declined"))
        #expect(core.accounts[CoreFixture.frozen]?.posted == 90)
        #expect(core.accounts[CoreFixture.frozen]?.reserved == 0)
    }

    @Test func `a freeze stops outgoing money, lets incoming in, and ends`() throws {
        var core = CoreFixture.core()
        try core.done(CoreFixture.pay(10, CoreFixture.house, CoreFixture.frozen))
        try core.done(
            CoreFixture.pay(
                5,
                CoreFixture.frozen,
                CoreFixture.house,
                .availableDespiteFreeze,
                id: CoreFixture.transfer(5)
            )
        )
        #expect(
            core.refusal(CoreFixture.pay(1, CoreFixture.frozen, CoreFixture.bob)) == .accountFrozen(CoreFixture.frozen)
        )
        func held(again: Bool, _ id: UInt128) -> LedgerCommand {
            .reserve(
                NewReservation(
                    id: ID(id),
                    account: CoreFixture.frozen,
                    amount: 1,
                    kind: "test",
                    isDespiteFreeze: again
                )
            )
        }
        #expect(core.refusal(held(again: false, 901)) == .accountFrozen(CoreFixture.frozen))
        try core.done(held(again: true, 902))
        try core.done(.freeze(CoreFixture.frozen, because: nil))
        try core.done(CoreFixture.pay(1, CoreFixture.frozen, CoreFixture.bob, id: CoreFixture.transfer(6)))
        #expect(core.changedAccounts.contains(CoreFixture.frozen))
    }

    @Test func `a freeze takes no other one's place unless it may, and ends only for its own reason`() throws {
        var core = CoreFixture.core()
        let (free, frozen) = (CoreFixture.bob, CoreFixture.frozen)
        func because(_ account: ID<LedgerAccount>) -> String? { core.accounts[account]?.frozenBecause }
        for account in [free, frozen] {
            try core.done(.freeze(account, because: "owed: 1", given: .notOtherwise(than: "owed: ")))
        }
        #expect(because(free) == "owed: 1" && because(frozen) == "suspected")
        try core.done(.freeze(free, because: "owed: 2", given: .notOtherwise(than: "owed: ")))
        // Who has read the first of them ends nothing of the second.
        #expect(core.refusal(.freeze(free, because: nil, given: .frozen(because: "owed: 1"))) == .freezeChanged(free))
        #expect(because(free) == "owed: 2")
        try core.done(.freeze(free, because: nil, given: .frozen(because: "owed: 2")))
        #expect(because(free) == nil)
        try core.done(.freeze(frozen, because: "chargeback"))
        #expect(because(frozen) == "chargeback")
    }
}
