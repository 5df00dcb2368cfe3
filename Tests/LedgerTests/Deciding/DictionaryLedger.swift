import Kernel

@testable import Ledger

/// The ledger as anybody would write it down: lists of what happened, summed up whenever a number is asked for.
///
/// It is slow and obvious, so it stands for what `LedgerCore` must do. An operation that is refused is undone by going
/// back to a copy of everything.
struct DictionaryLedger {
    /// What is known of an account besides its entries and holds.
    struct Account {
        var asset: String
        var mayGoNegative = false
        var frozenBecause: String?
        var isClosed = false
        /// Limits of its own by counter.
        var limits: [String: AccountLimits] = [:]
    }

    /// One leg of a transfer.
    struct Entry {
        var account: ID<LedgerAccount>
        var amount: Int128
    }

    /// Money set aside.
    struct Hold {
        var account: ID<LedgerAccount>
        var operation: ID<Operation>
        var kind: String
        var amount: Int128
        var captured: Int128 = 0
        var phase = ReservationState.Phase.active
        var expiresAt: Timestamp?
        var createdAt: Timestamp
        var endedAt: Timestamp?
        var reason: String?
        var settledBy: ID<Transfer>?
    }

    /// Something that counted towards a limit (above zero) or was given back (below zero).
    struct Use {
        var account: ID<LedgerAccount>
        var counter: String
        var amount: Int128
        var at: Timestamp
    }

    /// Everything that there is.
    struct State {
        var accounts: [ID<LedgerAccount>: Account] = [:]
        var entries: [Entry] = []
        var holds: [ID<Reservation>: Hold] = [:]
        var uses: [Use] = []
        var stored: [TransferLegs] = []
        var reversed: Set<ID<Transfer>> = []
    }

    /// What an operation did.
    struct Receipt {
        var transfers: [TransferRecord] = []
        var touched: Set<ID<Reservation>> = []
    }

    private(set) var state = State()
    var now = Timestamp(microseconds: 0)
    var receipt = Receipt()
    private var unstored: [TransferLegs] = []

    /// Does all commands or none.
    mutating func apply(_ commands: [LedgerCommand], of operation: ID<Operation>) -> Result<Receipt, LedgerRefusal> {
        let before = (state, unstored)
        receipt = Receipt()
        do throws(LedgerRefusal) {
            for command in commands { try apply(command, operation) }
            return .success(receipt)
        } catch {
            (state, unstored) = before
            return .failure(error)
        }
    }

    /// The batch is over: its transfers can be reversed from now on.
    mutating func store() {
        state.stored += unstored
        unstored = []
    }

    mutating func open(_ id: ID<LedgerAccount>, _ account: Account) { state.accounts[id] = account }

    // MARK: Numbers

    func posted(_ account: ID<LedgerAccount>) -> Int128 {
        var sum: Int128 = 0
        for entry in state.entries where entry.account == account { sum += entry.amount }
        return sum
    }

    func version(_ account: ID<LedgerAccount>) -> Int64 {
        var count: Int64 = 0
        for entry in state.entries where entry.account == account { count += 1 }
        return count
    }

    func reserved(_ account: ID<LedgerAccount>) -> Int128 {
        var sum: Int128 = 0
        for hold in state.holds.values where hold.account == account && hold.phase == .active {
            sum += hold.amount - hold.captured
        }
        return sum
    }

    func available(_ account: ID<LedgerAccount>) -> Int128 { posted(account) - reserved(account) }

    func used(_ counter: String, _ account: ID<LedgerAccount>, _ span: UsageSpan, _ at: Timestamp) -> Int128 {
        var sum: Int128 = 0
        for use in state.uses where use.account == account && use.counter == counter {
            let isInSpan =
                switch span {
                case .day: use.at.day == at.day
                case .month: (use.at.day.civil.year, use.at.day.civil.month) == (at.day.civil.year, at.day.civil.month)
                }
            if isInSpan { sum = max(0, sum + use.amount) }
        }
        return sum
    }

    // MARK: Changing

    mutating func post(
        _ id: ID<Transfer>,
        _ debit: ID<LedgerAccount>,
        _ credit: ID<LedgerAccount>,
        _ amount: Int128,
        _ code: String,
        _ operation: ID<Operation>,
        _ reservation: ID<Reservation>?,
        reverses: ID<Transfer>? = nil
    ) throws(LedgerRefusal) {
        for id in [debit, credit] where state.accounts[id]?.isClosed == true { throw .accountClosed(id) }
        guard posted(debit) > amount - Money.limit else { throw .balanceOverflow(debit) }
        guard posted(credit) < Money.limit - amount else { throw .balanceOverflow(credit) }
        state.entries.append(Entry(account: debit, amount: -amount))
        state.entries.append(Entry(account: credit, amount: amount))
        unstored.append(TransferLegs(id: id, debit: debit, credit: credit, amount: amount))
        receipt.transfers.append(
            TransferRecord(
                id: id,
                operation: operation,
                debit: debit,
                credit: credit,
                debitVersion: version(debit),
                creditVersion: version(credit),
                amount: amount,
                debitPosted: posted(debit),
                creditPosted: posted(credit),
                code: code,
                reservation: reservation,
                reverses: reverses
            )
        )
    }

    mutating func set(_ id: ID<Reservation>, _ hold: Hold) {
        state.holds[id] = hold
        receipt.touched.insert(id)
    }

    mutating func count(_ use: Use) { state.uses.append(use) }

    mutating func freeze(_ id: ID<LedgerAccount>, _ reason: String?) { state.accounts[id]?.frozenBecause = reason }

    mutating func close(_ id: ID<LedgerAccount>) { state.accounts[id]?.isClosed = true }

    mutating func limit(_ id: ID<LedgerAccount>, _ counter: String, _ limits: AccountLimits?) {
        state.accounts[id]?.limits[counter] = limits
    }

    /// Whether a stored transfer with just these legs is there; marks it as reversed.
    mutating func takeBack(_ legs: TransferLegs) throws(LedgerRefusal) {
        guard state.stored.contains(legs) else { throw .unknownTransfer(legs.id) }
        guard state.reversed.insert(legs.id).inserted else { throw .alreadyReversed(legs.id) }
    }
}
