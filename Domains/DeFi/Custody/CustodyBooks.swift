import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Audit

/// What the changes of deposits and withdrawals do to the books: commands for the ledger, and rows to store with them.
///
/// Nothing is posted before a block counts as final, so that `custody`, below zero, is what the custodian's account has
/// on the chain by its final blocks. Should the chain go on without such a block, entries of their own take it back.
struct CustodyBooks: Sendable {
    /// The customer's kind of account: what moves on to other domains, too.
    static let customer = "positions"
    /// What a customer owes, below zero: what was credited, spent, and is not on the chain any more.
    static let receivable = "receivable"
    /// What the custodian has on the chain, below zero.
    static let custody = "custody"
    /// What it had before the chain was followed.
    static let float = "custody_float"
    /// What came and nobody has been credited with.
    static let held = "custody_held"
    /// What its transactions cost, below zero.
    static let gas = "custody_gas"
    /// What counts towards the daily limit.
    static let counter = "custody_withdrawal"

    let schema: Schema
    let accounts: LedgerAccounts
    let withdrawals: CustodyWithdrawals
    /// What payouts cost something of.
    let coin: Asset
    let freezes: CustodyFreezes
    let ids: IDGenerator

    // MARK: Deposits

    /// A deposit's first item.
    func item(new deposit: CustodyDeposit) -> LedgerItem {
        LedgerItem(operation: deposit.id.cast(), commands: []) { _, _ in
            LedgerItem.Finish(rows: [NewCustodyDepositRow(deposit: deposit)] + news(deposit, balances: []))
        }
    }

    /// The first item of a deposit that a block shows in the place of another one: that one is over for good.
    ///
    /// - Throws: `CustodyDeposit.Impossible` while the other one has a block still.
    func item(new deposit: CustodyDeposit, insteadOf former: CustodyDeposit) throws -> LedgerItem {
        var ended: CustodyDeposit? = former
        if former.state == .lost { ended = nil } else { try ended?.apply(.forgotten) }
        return LedgerItem(operation: deposit.id.cast(), commands: []) { [ended] _, _ in
            let over: [any StoredRow] =
                ended.map { [CustodyDepositChangeRow(deposit: $0)] + news($0, balances: []) } ?? []
            let rows: [any StoredRow] = [
                NewCustodyDepositRow(deposit: deposit, former: former.id),
                CustodyFaultOverRow(chain: former.chain, subject: former.id.wire),
            ]
            return LedgerItem.Finish(rows: over + rows + news(deposit, balances: []))
        }
    }

    /// A deposit after an event; `owner` is who has the sender's wallet now.
    func item(
        _ deposit: CustodyDeposit,
        _ event: CustodyDeposit.Event,
        owner: ID<User>? = nil
    ) async throws -> LedgerItem {
        var changed = deposit
        try changed.apply(event, owner: owner)
        let commands = try await commands(deposit, changed)
        return LedgerItem(operation: deposit.id.cast(), commands: commands) { [changed] decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            let rows: [any StoredRow] = [CustodyDepositChangeRow(deposit: changed)]
            return LedgerItem.Finish(rows: rows + news(changed, balances: BalanceSnapshot.json(receipt)))
        }
    }

    private func commands(_ old: CustodyDeposit, _ new: CustodyDeposit) async throws -> [LedgerCommand] {
        let asset = old.amount.asset
        let amount = old.amount.minorUnits
        let (custody, held) = (AccountKey(house: Self.custody, asset), AccountKey(house: Self.held, asset))
        switch (old.state, new.state) {
        case (.pending, .held): return [try await transfer(custody, held, amount, "custody_held")]
        case (.held, .pending): return [try await transfer(held, custody, amount, "custody_deposit_reversed")]
        case (.pending, .confirmed): return try await credit(new, from: custody)
        case (.held, .confirmed): return try await credit(new, from: held)
        case (.confirmed, .pending): return try await collection(old)
        default: return []
        }
    }

    private func credit(_ deposit: CustodyDeposit, from source: AccountKey) async throws -> [LedgerCommand] {
        guard let user = deposit.user else { preconditionFailure("a deposit of nobody is credited") }
        let asset = deposit.amount.asset
        let customer = AccountKey(user, Self.customer, asset)
        let credit = try await transfer(source, customer, deposit.amount.minorUnits, "custody_deposit")
        let owed = AccountKey(user, Self.receivable, asset)
        guard let receivable = try await accounts.find([owed])[owed] else { return [credit] }
        let account = try await accounts.open(customer)
        return [credit, .repay(NewRepayment(id: ids.next(), debit: account, receivable: receivable))]
    }

    /// Takes back what was credited; what is spent of it the customer owes, and nothing leaves until that is settled.
    private func collection(_ deposit: CustodyDeposit) async throws -> [LedgerCommand] {
        guard let user = deposit.user else { return [] }
        let asset = deposit.amount.asset
        return [
            .collect(
                NewCollection(
                    id: ids.next(),
                    shortfallID: ids.next(),
                    debit: try await accounts.open(AccountKey(user, Self.customer, asset)),
                    receivable: try await accounts.open(AccountKey(user, Self.receivable, asset), mayGoNegative: true),
                    credit: try await accounts.open(AccountKey(house: Self.custody, asset)),
                    amount: deposit.amount.minorUnits,
                    code: "custody_deposit_reversed"
                )
            )
        ] + (try await freezes.freezing(user, because: deposit))
    }

    /// What tells of a deposit's change: status history, and an event once it is somebody's.
    private func news(_ deposit: CustodyDeposit, balances: JSON) -> [any StoredRow] {
        let change = StatusChange(
            id: ids.next(),
            entity: "custody_deposit",
            entityID: deposit.id,
            version: deposit.version + 1,
            from: deposit.storedState,
            to: deposit.state.name,
            reason: deposit.state.reason
        )
        guard deposit.told > 0 else { return [change] }
        let event = OutboxEvent(
            id: ids.next(),
            aggregateType: "transaction",
            aggregate: deposit.id,
            version: deposit.told,
            type: "\(schema).transaction.\(deposit.state.shown)",
            payload: deposit.projected(balances: balances)
        )
        return [change, event]
    }

    // MARK: Withdrawals

    /// A withdrawal after an event.
    func item(
        _ withdrawal: CustodyWithdrawal,
        _ event: CustodyWithdrawal.Event,
        because reason: String? = nil
    ) async throws -> LedgerItem {
        var changed = withdrawal
        // What was captured or released is given back to the customer and held anew.
        let isUndone = event == .reorganised && withdrawal.state.isSettled
        let held: ID<Reservation>? = isUndone ? ids.next() : nil
        try changed.apply(event, because: reason, held: held)
        let commands =
            isUndone
            ? try await undoing(withdrawal, holding: changed.reservation)
            : try await self.commands(changed, after: withdrawal.state)
        return LedgerItem(operation: withdrawal.id.cast(), commands: commands) { [changed] decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            let rows: [any StoredRow] = [CustodyWithdrawalChangeRow(withdrawal: changed)]
            return LedgerItem.Finish(rows: rows + news(changed, balances: BalanceSnapshot.json(receipt)))
        }
    }

    private func commands(
        _ changed: CustodyWithdrawal,
        after old: CustodyWithdrawal.State
    ) async throws -> [LedgerCommand] {
        switch changed.state {
        case .signed where old == .waiting:
            // Nothing is signed out of an account that is frozen by then, nor without money that is held.
            let account = try await customer(of: changed)
            return [.extend(changed.reservation, of: account, until: nil, unlessFrozen: true)]
        case .waiting, .signed, .included: return []
        case .cancelled, .failed(_, nil): return try await release(changed)
        case .failed(_, let inclusion?): return try await release(changed) + gas(inclusion)
        case .confirmed(_, let inclusion):
            return try await legs(of: changed).map { leg in
                .transfer(
                    NewTransfer(
                        id: ids.next(),
                        debit: leg.customer,
                        credit: leg.house,
                        amount: leg.amount,
                        code: leg.code,
                        funding: .reservation(changed.reservation)
                    )
                )
            } + gas(inclusion)
        }
    }

    /// The commands that end a withdrawal's reservation: the money is available again, and the limit, too.
    func release(_ withdrawal: CustodyWithdrawal) async throws -> [LedgerCommand] {
        let account = try await customer(of: withdrawal)
        return [
            .release(withdrawal.reservation, of: account, reason: withdrawal.state.name),
            .giveBack(
                counter: Self.counter,
                of: account,
                amount: withdrawal.amount.minorUnits,
                at: withdrawal.createdAt
            ),
        ]
    }

    private func undoing(
        _ old: CustodyWithdrawal,
        holding reservation: ID<Reservation>
    ) async throws -> [LedgerCommand] {
        var commands: [LedgerCommand] = []
        let customer = try await customer(of: old)
        if case .confirmed = old.state {
            for leg in try await legs(of: old) {
                commands.append(
                    .transfer(
                        NewTransfer(
                            id: ids.next(),
                            debit: leg.house,
                            credit: leg.customer,
                            amount: leg.amount,
                            code: "\(leg.code)_reversed"
                        )
                    )
                )
            }
        }
        if let inclusion = old.state.inclusion, inclusion.gasCost > 0 {
            let (custody, gas) = (
                AccountKey(house: Self.custody, coin), AccountKey(house: Self.gas, coin)
            )
            commands.append(try await transfer(custody, gas, inclusion.gasCost, "custody_gas_reversed"))
        }
        return commands + [
            .reserve(
                NewReservation(
                    id: reservation,
                    account: customer,
                    amount: (old.amount + old.fee).minorUnits,
                    kind: "custody_withdrawal",
                    lifetime: .unlimited,
                    isDespiteFreeze: true
                )
            )
        ]
    }

    private struct Leg {
        let customer: ID<LedgerAccount>
        let house: ID<LedgerAccount>
        let amount: Int128
        let code: String
    }

    /// What a withdrawal takes from its customer, and where that goes.
    private func legs(of withdrawal: CustodyWithdrawal) async throws -> [Leg] {
        let asset = withdrawal.amount.asset
        let customer = try await customer(of: withdrawal)
        let custody = try await accounts.open(AccountKey(house: Self.custody, asset))
        var legs = [
            Leg(
                customer: customer,
                house: custody,
                amount: withdrawal.amount.minorUnits,
                code: "custody_withdrawal"
            )
        ]
        for fee in try await withdrawals.fees(of: withdrawal) {
            let name = fee.category.rawValue
            let income = try await accounts.open(AccountKey(house: "fee_income:\(name)", asset))
            legs.append(Leg(customer: customer, house: income, amount: fee.amount, code: "fee_\(name)"))
        }
        return legs
    }

    /// What the chain took for a transaction, whatever was promised to the customer.
    private func gas(_ inclusion: CustodyWithdrawal.Inclusion) async throws -> [LedgerCommand] {
        guard inclusion.gasCost > 0 else { return [] }
        let (gas, custody) = (AccountKey(house: Self.gas, coin), AccountKey(house: Self.custody, coin))
        return [try await transfer(gas, custody, inclusion.gasCost, "custody_gas")]
    }

    private func customer(of withdrawal: CustodyWithdrawal) async throws -> ID<LedgerAccount> {
        try await accounts.open(AccountKey(withdrawal.user, Self.customer, withdrawal.amount.asset))
    }

    /// What tells of a withdrawal's change: status history and an event.
    func news(_ withdrawal: CustodyWithdrawal, balances: JSON) -> [any StoredRow] {
        let version = withdrawal.version + 1
        return [
            StatusChange(
                id: ids.next(),
                entity: "custody_withdrawal",
                entityID: withdrawal.id,
                version: version,
                from: withdrawal.storedState,
                to: withdrawal.state.name,
                reason: withdrawal.reason
            ),
            OutboxEvent(
                id: ids.next(),
                aggregateType: "transaction",
                aggregate: withdrawal.id,
                version: version,
                type: "\(schema).transaction.\(withdrawal.state.shown)",
                payload: withdrawal.projected(balances: balances)
            ),
        ]
    }

    // MARK: The float

    /// Makes the books say what the custodian has of an asset; nil where they do.
    func opening(_ asset: Asset, onChain: Int128, booked: Int128) async throws -> LedgerCommand? {
        let missing = onChain + booked
        guard missing != 0 else { return nil }
        let (custody, float) = (AccountKey(house: Self.custody, asset), AccountKey(house: Self.float, asset))
        return missing > 0
            ? try await transfer(custody, float, missing, "custody_float")
            : try await transfer(float, custody, -missing, "custody_float")
    }

    private func transfer(
        _ debit: AccountKey,
        _ credit: AccountKey,
        _ amount: Int128,
        _ code: String
    ) async throws -> LedgerCommand {
        .transfer(
            NewTransfer(
                id: ids.next(),
                debit: try await accounts.open(debit),
                credit: try await accounts.open(credit),
                amount: amount,
                code: code
            )
        )
    }
}

extension CustodyWithdrawal.State {
    /// Whether the ledger has posted what its block did.
    fileprivate var isSettled: Bool {
        switch self {
        case .confirmed, .failed: true
        case .waiting, .signed, .included, .cancelled: false
        }
    }
}
