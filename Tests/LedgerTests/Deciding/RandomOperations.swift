import Kernel
import Randomness

@testable import Ledger

/// Makes operations out of a seed: mostly sensible, sometimes absurd, over few accounts so that they meet.
struct RandomOperations {
    /// Commands of one operation at most.
    static let commandsMax = 4

    /// Three accounts may go negative: a provider's of each asset, and what customers owe.
    static let accounts: [AccountState] = [
        account(1, "USD"), account(2, "USD"), account(3, "USD"), account(4, "USD", mayGoNegative: true),
        account(5, "EUR"), account(6, "EUR", mayGoNegative: true),
        account(7, "USD", mayGoNegative: true), account(8, "USD"),
    ]

    /// The account that may be closed: the last one, which is asked for seldom.
    static let closing = accounts[accounts.count - 1].id

    var random: SeededRandom
    var now: Timestamp
    /// Bits of all ids that are minted here, so that several sources don't meet.
    var idBits: UInt128 = 0
    private var counter: UInt128 = 0
    /// Reservations of the present batch, which may be refused, and those that were made, the latest last.
    private var asked: [(id: ID<Reservation>, account: ID<LedgerAccount>)] = []
    private var reservations: [(id: ID<Reservation>, account: ID<LedgerAccount>)] = []
    private var transfers: [TransferLegs] = []

    init(seed: UInt64) {
        random = SeededRandom(seed)
        // In the last hours of a leap February, so that days and months end now and then.
        now = Timestamp(microseconds: 1_709_240_400_000_000 + Int64(seed % 1_000_000))
    }

    private static func account(_ number: UInt128, _ asset: String, mayGoNegative: Bool = false) -> AccountState {
        AccountState(
            id: ID(number),
            asset: asset,
            mayGoNegative: mayGoNegative,
            owner: mayGoNegative ? AccountKey.house : number
        )
    }

    /// Lets time pass: mostly seconds, sometimes days.
    mutating func pass() {
        let seconds: Int
        switch random.below(40) {
        case 0: seconds = random.below(40 * 86_400)
        case 1, 2: seconds = random.below(86_400)
        case 3...9: seconds = 0
        default: seconds = random.below(40)
        }
        now = Timestamp(microseconds: now.microseconds + Int64(seconds) * 1_000_000 + Int64(random.below(1_000_000)))
    }

    /// Tells what became of an operation, so that later ones are about things that exist.
    mutating func took(_ receipt: LedgerCore.Receipt) {
        transfers += receipt.transfers.map {
            TransferLegs(id: $0.id, debit: $0.debit, credit: $0.credit, amount: $0.amount)
        }
        reservations += receipt.reservations.filter { $0.createdAt == receipt.at }.map { ($0.id, $0.account) }
        asked = []
    }

    /// The next operation.
    mutating func next() -> LedgerItem {
        let count = random.once(in: 2) ? 1 : 1 + random.below(RandomOperations.commandsMax)
        return LedgerItem(operation: mint(), commands: (0..<count).map { _ in command() })
    }

    private mutating func command() -> LedgerCommand {
        switch random.below(45) {
        case 0, 1: deposit()
        case 2...7: .transfer(transfer(.available))
        case 8: .transfer(transfer(.availableDespiteFreeze))
        case 9...11:
            ofReservation {
                let unlessFrozen = $0.random.once(in: 3)
                return .transfer($0.transfer(.reservation($1, unlessFrozen: unlessFrozen), from: $2))
            }
        case 12, 13: ofReservation { .transfer($0.transfer(.settlingLate($1), from: $2)) }
        case 14: .reverse(NewReversal(id: mint(), of: legs()))
        case 15...21: .reserve(reservation())
        case 22:
            ofReservation {
                let amount = $0.amount()
                return $0.random.once(in: 2) ? .increment($1, of: $2, by: amount) : .decrement($1, of: $2, by: amount)
            }
        case 23, 24: ofReservation { .extend($1, of: $2, until: $0.expiry(), unlessFrozen: $0.random.once(in: 2)) }
        case 25: ofReservation { .release($1, of: $2, reason: "done") }
        case 26: ofReservation { .expire($1, of: $2) }
        case 27, 28: .use(usage())
        case 29: .giveBack(counter: counterName(), of: account(), amount: amount(), at: earlier())
        case 30:
            .freeze(account(), because: random.once(in: 3) ? "suspected" : nil, given: condition())
        case 37: .freeze(account(), because: "taken back", given: condition())
        case 31, 32:
            .collect(
                NewCollection(
                    id: mint(),
                    shortfallID: mint(),
                    debit: account(),
                    receivable: receivable(),
                    credit: house(),
                    amount: amount(),
                    code: "chargeback"
                )
            )
        case 33: .repay(NewRepayment(id: mint(), debit: account(), receivable: receivable()))
        case 34, 35: .limit(account(), counter: counterName(), to: ownLimits())
        // One account only: what is closed stays closed, and the others have to go on.
        case 36 where random.once(in: 50): .close(RandomOperations.closing)
        case 38, 39: .claim(reservation())
        case 40: ofReservation { .claim($0.again($1, of: $2)) }
        case 41: ofReservation { .letGo($1, of: $2, reason: "over") }
        case 42...44:
            .observe(
                Observation(
                    id: mint(),
                    account: account(),
                    other: house(),
                    balance: random.once(in: 5) ? 0 : amount(upTo: 200),
                    code: "seen"
                )
            )
        default: .freeze(account(), because: nil)
        }
    }

    private mutating func condition() -> FreezeCondition {
        switch random.below(5) {
        case 0: .notOtherwise(than: "susp")
        case 1: .notOtherwise(than: "taken back and more")
        case 2: .frozen(because: "suspected")
        case 3: .frozen(because: "taken back")
        default: .always
        }
    }

    private mutating func again(_ id: ID<Reservation>, of account: ID<LedgerAccount>) -> NewReservation {
        NewReservation(id: id, account: account, amount: amount(upTo: 90), kind: "withdrawal")
    }

    private mutating func ownLimits() -> AccountLimits? {
        let (once, day) = (1 + Int128(random.below(50)), Int128(random.below(100)))
        return random.once(in: 2)
            ? nil : AccountLimits(perTransaction: once, perDay: once + day, perMonth: once + day * 2)
    }

    private mutating func deposit() -> LedgerCommand {
        let isEuro = random.once(in: 5)
        return .transfer(
            NewTransfer(
                id: mint(),
                debit: RandomOperations.accounts[isEuro ? 5 : 3].id,
                credit: RandomOperations.accounts[isEuro ? 4 : random.below(3)].id,
                amount: amount(upTo: 300),
                code: "deposit"
            )
        )
    }

    private mutating func transfer(
        _ funding: NewTransfer.Funding,
        from debit: ID<LedgerAccount>? = nil
    ) -> NewTransfer {
        let debit = debit ?? account()
        let isEuro = debit == RandomOperations.accounts[4].id
        let credit = random.once(in: 8) ? account() : RandomOperations.accounts[isEuro ? 5 : random.below(4)].id
        return NewTransfer(
            id: mint(),
            debit: debit,
            credit: credit,
            amount: amount(),
            code: "payment",
            funding: funding
        )
    }

    private mutating func reservation() -> NewReservation {
        let new = NewReservation(
            id: mint(),
            account: account(),
            amount: amount(upTo: 60),
            kind: "withdrawal",
            lifetime: random.once(in: 8) ? .unlimited : .seconds(Int64(random.below(90) - 2)),
            reason: random.once(in: 4) ? "by hand" : nil
        )
        asked.append((new.id, new.account))
        return new
    }

    private mutating func ofReservation(
        _ make: (inout RandomOperations, ID<Reservation>, ID<LedgerAccount>) -> LedgerCommand
    ) -> LedgerCommand {
        if !asked.isEmpty, random.once(in: 3) {
            let (id, owner) = asked[random.below(asked.count)]
            return make(&self, id, owner)
        }
        guard !reservations.isEmpty, !random.once(in: 60) else { return make(&self, ID(9_999), account()) }
        // The latest ones are most likely to be active still.
        let index =
            random.once(in: 4) ? random.below(reservations.count) : max(0, reservations.count - 1 - random.below(6))
        let (id, owner) = reservations[index]
        return make(&self, id, random.once(in: 30) ? account() : owner)
    }

    private mutating func legs() -> TransferLegs {
        guard !transfers.isEmpty, !random.once(in: 30) else {
            return TransferLegs(id: mint(), debit: account(), credit: account(), amount: 1)
        }
        let original = transfers[max(0, transfers.count - 1 - random.below(12))]
        guard random.once(in: 20) else { return original }
        return TransferLegs(
            id: original.id,
            debit: original.debit,
            credit: original.credit,
            amount: original.amount + 1
        )
    }

    private mutating func usage() -> Usage {
        Usage(
            account: account(),
            counter: counterName(),
            amount: amount(),
            transactionLimit: random.once(in: 2) ? nil : Int128(random.below(80)),
            dayLimit: random.once(in: 3) ? nil : Int128(random.below(150)),
            monthLimit: random.once(in: 3) ? nil : Int128(random.below(300)),
            dayCeiling: random.once(in: 2) ? nil : Int128(random.below(200))
        )
    }

    private mutating func counterName() -> String { random.once(in: 2) ? "withdrawal" : "payment" }

    /// Mostly one of the three customers with dollars.
    private mutating func account() -> ID<LedgerAccount> {
        switch random.below(100) {
        case 0: ID(777)
        case 1...9: RandomOperations.accounts[random.below(RandomOperations.accounts.count)].id
        case 10...17: RandomOperations.accounts[4].id
        default: RandomOperations.accounts[random.below(3)].id
        }
    }

    private mutating func receivable() -> ID<LedgerAccount> {
        random.once(in: 10) ? account() : RandomOperations.accounts[6].id
    }

    private mutating func house() -> ID<LedgerAccount> {
        random.once(in: 10) ? account() : RandomOperations.accounts[3].id
    }

    private mutating func amount(upTo most: Int = 40) -> Int128 {
        switch random.below(600) {
        case 0: 0
        case 1: -Int128(random.below(10))
        case 2: Money.limit
        case 3: Money.limit - 1
        case 4: Money.limit / 10 * 9
        case 5: Int128.max
        case 6: Int128.min
        default: Int128(1 + random.below(most))
        }
    }

    private mutating func expiry() -> Timestamp? {
        random.once(in: 6) ? nil : now.adding(seconds: Int64(random.below(60) - 8))
    }

    private mutating func earlier() -> Timestamp {
        switch random.below(6) {
        case 0: now.adding(seconds: -86_400)
        case 1: now.adding(seconds: -31 * 86_400)
        default: now
        }
    }

    /// An id of the present instant; now and then one that is far too old or too new.
    private mutating func mint<Of>() -> ID<Of> {
        counter += 1
        var minted = now
        switch random.below(400) {
        case 0: minted = now.adding(seconds: -29 * 86_400)
        case 1: minted = now.adding(seconds: 2 * 86_400)
        default: break
        }
        return ID(UInt128(truncatingIfNeeded: minted.milliseconds) << 80 | 0x7 << 76 | 0b10 << 62 | idBits | counter)
    }
}
