import Kernel
import Testing

@testable import Ledger

/// An operation that must be refused, and why.
struct RefusalCase: Sendable, CustomTestStringConvertible {
    let name: String
    let refusal: LedgerRefusal
    let commands: [LedgerCommand]

    init(_ name: String, _ refusal: LedgerRefusal, _ commands: LedgerCommand...) {
        (self.name, self.refusal, self.commands) = (name, refusal, commands)
    }

    var testDescription: String { name }
}

private typealias F = CoreFixture

@Suite struct RefusalTests {
    private static let accounts: [RefusalCase] = [
        .init("debit of an unknown account", .unknownAccount(F.nobody), F.pay(1, F.nobody, F.bob)),
        .init("credit of an unknown account", .unknownAccount(F.nobody), F.pay(1, F.alice, F.nobody)),
        .init("reservation on an unknown account", .unknownAccount(F.nobody), F.reserve(1, on: F.nobody)),
        .init("limit of an unknown account", .unknownAccount(F.nobody), F.use(1, of: F.nobody)),
        .init(
            "giving back to an unknown account",
            .unknownAccount(F.nobody),
            .giveBack(counter: "withdrawal", of: F.nobody, amount: 1, at: F.now)
        ),
        .init("freeze of an unknown account", .unknownAccount(F.nobody), .freeze(F.nobody, because: "why")),
        .init("two assets", .assetMismatch, F.pay(1, F.alice, F.euroHouse)),
        .init("one account", .sameAccount, F.pay(1, F.alice, F.alice)),
        .init("payment of a frozen account", .accountFrozen(F.frozen), F.pay(1, F.frozen, F.bob)),
        .init("reservation on a frozen account", .accountFrozen(F.frozen), F.reserve(1, on: F.frozen)),
        .init(
            "increment on a frozen account",
            .accountFrozen(F.frozen),
            .increment(F.frozenHold, of: F.frozen, by: 1)
        ),
        .init(
            "holding on what may not leave a frozen account",
            .accountFrozen(F.frozen),
            .extend(F.frozenHold, of: F.frozen, until: nil, unlessFrozen: true)
        ),
        .init(
            "capture of what may not leave a frozen account",
            .accountFrozen(F.frozen),
            F.pay(1, F.frozen, F.bob, .reservation(F.frozenHold, unlessFrozen: true))
        ),
        .init(
            "the end of another freeze",
            .freezeChanged(F.frozen),
            .freeze(F.frozen, because: nil, given: .frozen(because: "suspicion"))
        ),
        .init(
            "the end of a freeze that has ended",
            .freezeChanged(F.alice),
            .freeze(F.alice, because: nil, given: .frozen(because: "suspected"))
        ),
    ]

    private static let amounts: [RefusalCase] = [
        .init("payment of nothing", .invalidAmount, F.pay(0, F.alice, F.bob)),
        .init("payment below zero", .invalidAmount, F.pay(-1, F.alice, F.bob)),
        .init("payment of 10^38", .invalidAmount, F.pay(Money.limit, F.house, F.bob)),
        .init("payment of the most an integer holds", .invalidAmount, F.pay(.max, F.house, F.bob)),
        .init("payment of the least an integer holds", .invalidAmount, F.pay(.min, F.house, F.bob)),
        .init("reservation of nothing", .invalidAmount, F.reserve(0)),
        .init("increment by nothing", .invalidAmount, .increment(F.active, of: F.alice, by: 0)),
        .init("increment below zero", .invalidAmount, .increment(F.active, of: F.alice, by: -5)),
        .init("use of nothing", .invalidAmount, F.use(0)),
        .init(
            "giving back below zero",
            .invalidAmount,
            .giveBack(counter: "withdrawal", of: F.alice, amount: -1, at: F.now)
        ),
        .init(
            "giving back the least an integer holds",
            .invalidAmount,
            .giveBack(counter: "withdrawal", of: F.alice, amount: .min, at: F.now)
        ),
        .init("balance of 10^38", .balanceOverflow(F.rich), F.pay(1, F.house, F.rich)),
        .init("debt of 10^38", .balanceOverflow(F.indebted), F.pay(1, F.indebted, F.bob)),
        .init(
            "balance beyond what an integer holds",
            .balanceOverflow(F.rich),
            F.pay(Money.limit - 1_000, F.house, F.rich)
        ),
        .init(
            "debt beyond what an integer holds",
            .balanceOverflow(F.indebted),
            F.pay(Money.limit - 1, F.indebted, F.bob)
        ),
        .init(
            "use beyond what an integer holds",
            .limitExceeded(
                counter: "withdrawal",
                span: .day,
                limit: Money.limit - 1,
                used: 90,
                requested: Money.limit - 1
            ),
            F.use(Money.limit - 1)
        ),
        .init(
            "the id of four weeks ago",
            .idOutsideWindow,
            F.pay(1, F.alice, F.bob, id: F.transfer(1, secondsFromNow: -28 * 86_400))
        ),
        .init(
            "the id of tomorrow",
            .idOutsideWindow,
            F.pay(1, F.alice, F.bob, id: F.transfer(1, secondsFromNow: 86_400))
        ),
    ]

    private static let funds: [RefusalCase] = [
        .init(
            "more than is available",
            .insufficientFunds(account: F.alice, available: 60, requested: 61),
            F.pay(61, F.alice, F.bob)
        ),
        .init(
            "more than is available despite a freeze",
            .insufficientFunds(account: F.frozen, available: 70, requested: 71),
            F.pay(71, F.frozen, F.bob, .availableDespiteFreeze)
        ),
        .init(
            "a reservation of more than is available",
            .insufficientFunds(account: F.alice, available: 60, requested: 61),
            F.reserve(61)
        ),
        .init(
            "a reservation on an overdraft",
            .insufficientFunds(account: F.house, available: 0, requested: 1),
            F.reserve(1, on: F.house)
        ),
        .init(
            "an increment of more than is available",
            .insufficientFunds(account: F.alice, available: 60, requested: 61),
            .increment(F.active, of: F.alice, by: 61)
        ),
        .init(
            "late settlement without the money",
            .insufficientFunds(account: F.alice, available: 60, requested: 61),
            F.pay(61, F.alice, F.house, .settlingLate(F.expired))
        ),
        .init(
            "what was spent by the command before",
            .insufficientFunds(account: F.alice, available: 10, requested: 11),
            F.pay(50, F.alice, F.bob),
            F.pay(11, F.alice, F.bob, id: F.transfer(101))
        ),
        .init(
            "the day's limit",
            .limitExceeded(counter: "withdrawal", span: .day, limit: 100, used: 90, requested: 11),
            F.use(11, day: 100, month: 1_000)
        ),
        .init(
            "the month's limit",
            .limitExceeded(counter: "withdrawal", span: .month, limit: 200, used: 190, requested: 11),
            F.use(11, day: 1_000, month: 200)
        ),
    ]

    private static let reservations: [RefusalCase] = [
        .init("an unknown reservation", .unknownReservation(ID(999)), F.pay(1, F.alice, F.bob, .reservation(ID(999)))),
        .init(
            "another account's reservation",
            .unknownReservation(F.active),
            F.pay(1, F.rich, F.bob, .reservation(F.active))
        ),
        .init(
            "late settlement from another account",
            .unknownReservation(F.expired),
            F.pay(1, F.rich, F.bob, .settlingLate(F.expired))
        ),
        .init(
            "release by another account",
            .unknownReservation(F.active),
            .release(F.active, of: F.bob, reason: "why")
        ),
        .init("expiry by another account", .unknownReservation(F.due), .expire(F.due, of: F.bob)),
        .init(
            "capture of more than is left",
            .captureExceedsReservation(F.active, remaining: 40, requested: 41),
            F.pay(41, F.alice, F.bob, .reservation(F.active))
        ),
        .init("an id that is taken", .reservationNotActive(F.active, .active), F.reserve(1, id: F.active)),
        .init(
            "settlement by two operations",
            .notSettleable(F.settled),
            F.pay(1, F.alice, F.bob, .settlingLate(F.settled))
        ),
    ]

    private static let reversals: [RefusalCase] = [
        .init(
            "reversal of an unknown transfer",
            .unknownTransfer(F.transfer(77)),
            .reverse(
                .init(id: F.transfer(100), of: .init(id: F.transfer(77), debit: F.alice, credit: F.bob, amount: 25))
            )
        ),
        .init(
            "reversal with another amount",
            .unknownTransfer(F.paid.id),
            .reverse(.init(id: F.transfer(100), of: .init(id: F.paid.id, debit: F.alice, credit: F.bob, amount: 26)))
        ),
        .init(
            "reversal with other accounts",
            .unknownTransfer(F.paid.id),
            .reverse(.init(id: F.transfer(100), of: .init(id: F.paid.id, debit: F.bob, credit: F.alice, amount: 25)))
        ),
        .init(
            "a second reversal",
            .alreadyReversed(F.reversed.id),
            .reverse(.init(id: F.transfer(100), of: F.reversed))
        ),
        .init(
            "two reversals in one operation",
            .alreadyReversed(F.toHouse.id),
            .reverse(.init(id: F.transfer(100), of: F.toHouse)),
            .reverse(.init(id: F.transfer(101), of: F.toHouse))
        ),
        .init(
            "reversal of what was spent",
            .insufficientFunds(account: F.bob, available: 0, requested: 25),
            .reverse(.init(id: F.transfer(100), of: F.paid))
        ),
        .init(
            "reversal with an id of long ago",
            .idOutsideWindow,
            .reverse(.init(id: F.transfer(100, secondsFromNow: -90 * 86_400), of: F.toHouse))
        ),
    ]

    static let all = accounts + amounts + funds + reservations + reversals

    // The due lists are there, so that funds are decided with what is due.
    @Test(arguments: all)
    func `an operation is refused and changes nothing`(_ one: RefusalCase) {
        var core = CoreFixture.core(due: [CoreFixture.alice: [CoreFixture.due]])
        let before = core
        // What goes before the refused command is taken back with it.
        let commands =
            [CoreFixture.pay(5, CoreFixture.house, CoreFixture.bob, id: CoreFixture.transfer(90))] + one.commands
        let expected = one.refusal.moved(by: 5)
        #expect(core.apply(commands, of: CoreFixture.operation) == .failure(expected))
        #expect(core.accounts == before.accounts)
        #expect(core.reservations == before.reservations)
        #expect(core.usage == before.usage)
        #expect(core.originals == before.originals)
        #expect(core.transfers.isEmpty && core.changedAccounts.isEmpty && core.newReservations.isEmpty)
        #expect(core.changedReservations.isEmpty && core.expired.isEmpty && core.changedUsage.isEmpty)
    }

    @Test func `every refusal is in the table`() {
        let names = Set(RefusalTests.all.map { String("\($0.refusal)".prefix { $0 != "(" }) })
        let ofReservations = ["reservationExpired"]  // in the table of transitions
        #expect(names.count + ofReservations.count == 17)
    }
}

extension LedgerRefusal {
    /// As it is when Bob got so much before; the balances of the others are as in the fixture.
    fileprivate func moved(by amount: Int128) -> LedgerRefusal {
        guard case .insufficientFunds(CoreFixture.bob, let available, let requested) = self else { return self }
        return .insufficientFunds(account: CoreFixture.bob, available: available + amount, requested: requested)
    }
}
