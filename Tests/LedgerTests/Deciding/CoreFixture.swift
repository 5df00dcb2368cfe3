import Kernel

@testable import Ledger

/// A small ledger in memory, with an account and a reservation of each kind.
enum CoreFixture {
    static let now = Timestamp(microseconds: 1_773_576_000_000_000)
    static let operation = ID<Operation>(0xAA)

    /// 100 posted; 40 of it are held by `active`, 20 by `due`.
    static let alice = ID<LedgerAccount>(1)
    /// Nothing.
    static let bob = ID<LedgerAccount>(2)
    /// May go negative.
    static let house = ID<LedgerAccount>(3)
    /// May go negative, in euros.
    static let euroHouse = ID<LedgerAccount>(4)
    /// 100 posted, outgoing money stopped; 30 are held by `frozenHold`.
    static let frozen = ID<LedgerAccount>(5)
    /// One unit below what an account may have.
    static let rich = ID<LedgerAccount>(6)
    /// One unit above what an account may owe.
    static let indebted = ID<LedgerAccount>(7)
    static let nobody = ID<LedgerAccount>(99)

    static let active = ID<Reservation>(11)
    /// Active, with its time over.
    static let due = ID<Reservation>(12)
    static let captured = ID<Reservation>(13)
    static let released = ID<Reservation>(14)
    static let expired = ID<Reservation>(15)
    /// Expired, and settled late.
    static let settled = ID<Reservation>(16)
    static let frozenHold = ID<Reservation>(17)

    static let paid = TransferLegs(id: transfer(1), debit: alice, credit: bob, amount: 25)
    static let reversed = TransferLegs(id: transfer(2), debit: alice, credit: bob, amount: 25)
    static let toHouse = TransferLegs(id: transfer(3), debit: alice, credit: house, amount: 25)

    /// A ledger of all of these.
    static func core(due: [ID<LedgerAccount>: [ID<Reservation>]] = [:], at instant: Timestamp = now) -> LedgerCore {
        LedgerCore(
            at: instant,
            accounts: [
                AccountState(id: alice, asset: "USD", posted: 100, reserved: 60, version: 7),
                AccountState(id: bob, asset: "USD"),
                AccountState(id: house, asset: "USD", mayGoNegative: true, posted: -500, version: 9),
                AccountState(id: euroHouse, asset: "EUR", mayGoNegative: true),
                AccountState(id: frozen, asset: "USD", posted: 100, reserved: 30, frozenBecause: "suspected"),
                AccountState(id: rich, asset: "USD", posted: Money.limit - 1),
                AccountState(id: indebted, asset: "USD", mayGoNegative: true, posted: 1 - Money.limit),
            ],
            reservations: [
                hold(active, 50, captured: 10), hold(CoreFixture.due, 20, secondsLeft: 0),
                hold(captured, 30, captured: 30, .captured), hold(released, 30, .released), hold(expired, 30, .expired),
                hold(settled, 30, .expired, settledBy: transfer(4)), hold(frozenHold, 30, on: frozen),
            ],
            due: due,
            usage: [
                UsageKey(account: alice, counter: "withdrawal", span: .day, starts: now.day): 90,
                UsageKey(account: alice, counter: "withdrawal", span: .month, starts: now.day.firstOfMonth): 190,
            ],
            originals: [paid: false, reversed: true, toHouse: false]
        )
    }

    static func hold(
        _ id: ID<Reservation>,
        _ amount: Int128,
        captured: Int128 = 0,
        _ phase: ReservationState.Phase = .active,
        on account: ID<LedgerAccount> = alice,
        secondsLeft: Int64 = 60,
        settledBy: ID<Transfer>? = nil
    ) -> ReservationState {
        ReservationState(
            id: id,
            account: account,
            operation: operation,
            kind: "withdrawal",
            amount: amount,
            captured: captured,
            phase: phase,
            expiresAt: now.adding(seconds: secondsLeft),
            createdAt: now.adding(seconds: -60),
            endedAt: phase == .active ? nil : now.adding(seconds: -1),
            settledBy: settledBy
        )
    }

    /// The id of a transfer that was minted so many seconds from now.
    static func transfer(_ number: UInt128, secondsFromNow: Int64 = 0) -> ID<Transfer> {
        let minted = UInt128(truncatingIfNeeded: now.adding(seconds: secondsFromNow).milliseconds)
        return ID(minted << 80 | 0x7 << 76 | 0b10 << 62 | number)
    }

    static func pay(
        _ amount: Int128,
        _ debit: ID<LedgerAccount>,
        _ credit: ID<LedgerAccount>,
        _ funding: NewTransfer.Funding = .available,
        id: ID<Transfer> = transfer(100),
        code: String = "payment"
    ) -> LedgerCommand {
        .transfer(NewTransfer(id: id, debit: debit, credit: credit, amount: amount, code: code, funding: funding))
    }

    static func reserve(
        _ amount: Int128,
        on account: ID<LedgerAccount> = alice,
        id: ID<Reservation> = ID(50),
        lifetime: NewReservation.Lifetime = NewReservation.usualLifetime
    ) -> LedgerCommand {
        .reserve(NewReservation(id: id, account: account, amount: amount, kind: "withdrawal", lifetime: lifetime))
    }

    static func use(
        _ amount: Int128,
        day: Int128? = nil,
        month: Int128? = nil,
        of account: ID<LedgerAccount> = alice
    ) -> LedgerCommand {
        .use(Usage(account: account, counter: "withdrawal", amount: amount, dayLimit: day, monthLimit: month))
    }
}

extension LedgerCore {
    /// Applies an operation and throws its refusal.
    @discardableResult
    mutating func done(_ commands: LedgerCommand...) throws -> Receipt {
        try apply(commands, of: CoreFixture.operation).get()
    }

    /// The refusal of an operation; nil when it is done.
    mutating func refusal(_ commands: LedgerCommand...) -> LedgerRefusal? {
        if case .failure(let refusal) = apply(commands, of: CoreFixture.operation) { refusal } else { nil }
    }
}
