import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

extension Settlement {
    /// The provider has the customer's money: credits the customer with what is left after fees.
    ///
    /// - Throws: `MovementChecks.Unlooked` where compliance can't be asked: the event is tried again.
    func completeDeposit(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard transaction.status.successors.contains(.completed) else {
            return try await again(transaction, context)
        }
        // Before it can be spent: what must be looked at holds what leaves its customer.
        try await checks.arrived(transaction)
        let lines = try await fees.lines(of: transaction.id, stage: .promised)
        let asset = transaction.amount.asset
        let clearing = HouseAccounts.clearing(context.provider, asset)
        let charged = lines.filter { $0.amount.minorUnits > 0 }
        let house = charged.map { HouseAccounts.fee($0.category, provider: context.provider, asset) }
        let keys = [clearing, HouseAccounts.payable(context.provider, asset), HouseAccounts.variance(asset)] + house
        let customer = AccountKey(transaction.user, transaction.account, asset)
        let found = try await MovementAccounts(customers: [customer], house: keys, accounts)

        var commands: [LedgerCommand] = []
        func move(_ amount: Money, to key: AccountKey, _ code: String) throws {
            guard amount.minorUnits > 0 else { return }
            commands.append(
                .transfer(
                    NewTransfer(
                        id: ids.next(),
                        debit: try found[clearing],
                        credit: try found[key],
                        amount: amount.minorUnits,
                        code: code
                    )
                )
            )
        }
        try move(transaction.amount - transaction.fee, to: customer, "deposit")
        for line in charged {
            try move(
                line.amount,
                to: HouseAccounts.fee(line.category, provider: context.provider, asset),
                "fee_\(line.category.rawValue)"
            )
        }
        let actual = actualLines(lines, context)
        for line in actual { commands += try variance(of: line, among: lines, found, context) }
        commands += usedAgain(transaction, try found[customer])
        commands += try await repayment(of: transaction, try found[customer])

        var completed = transaction
        try completed.advance(to: .completed, metadata: context.metadata)
        let rows = context.rows + [context.unpark] + context.purchase(transaction)
        let outcome = try await store(completed, commands: commands, by: context.by, with: rows, fees: actual)
        guard case .refused(.accountClosed) = outcome else { return outcome }
        return try await suspend(transaction, because: "account_closed", clearing, context)
    }

    /// Money has come for an account that is closed by now: suspense keeps it until a person has looked.
    private func suspend(
        _ deposit: BankTransaction,
        because reason: String,
        _ clearing: AccountKey,
        _ context: Context
    ) async throws -> Outcome {
        let suspense = HouseAccounts.suspense(context.provider, deposit.amount.asset)
        let found = try await MovementAccounts(customers: [], house: [clearing, suspense], accounts)
        let transfer = NewTransfer(
            id: ids.next(),
            debit: try found[clearing],
            credit: try found[suspense],
            amount: deposit.amount.minorUnits,
            code: "suspended_deposit"
        )
        var completed = deposit
        try completed.advance(to: .completed, reason: reason, metadata: context.metadata)
        let review = ReviewCase(id: ids.next(), transaction: deposit.id, kind: .closedAccount)
        let rows = context.rows + [context.unpark] + context.purchase(deposit) + review.opened(by: context.by, ids)
        return try await store(completed, commands: [.transfer(transfer)], by: context.by, with: rows)
    }

    /// A success of a deposit that was paid before: the same payment once more, or the customer paid twice.
    private func again(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard let purchase = context.event.purchase,
            try await transactions.find(provider: context.provider, objectID: Context.key(purchase)) == nil
        else { return .nothingNew("the transaction is \(transaction.status.rawValue)") }
        return .impossible("\(purchase) was paid too, for a transaction that is \(transaction.status.rawValue)")
    }

    /// A deposit was refunded or charged back, in part or whole: what is there is taken, what is missing is owed by
    /// the customer.
    ///
    /// The fees of the deposit stay charged, as the provider keeps its own.
    func takeBack(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        switch transaction.status {
        case .completed, .compensating, .refunded: break
        default: return .tooEarly("the transaction is \(transaction.status.rawValue)")
        }
        let refund: Refund
        do {
            let known = try await transactions.refunds(of: transaction.id)
            guard let new = try known.adding(context.event, from: context.provider, to: transaction) else {
                return .nothingNew("it was taken back before")
            }
            refund = new
        } catch let excess as Refunds.Excess {
            return .impossible("the provider gives \(excess.stated) back, \(excess.left) is left of the deposit")
        }
        guard refund.taken > 0 || refund.kind == .chargeback else {
            // Taken back before, told in another way; it is kept, as what comes next is counted with it.
            return try await note(context.rows + [refund], of: transaction)
        }
        let asset = transaction.amount.asset
        let customer = AccountKey(transaction.user, transaction.account, asset)
        let clearing = HouseAccounts.clearing(context.provider, asset)
        let found = try await MovementAccounts(customers: [customer], house: [clearing], accounts)
        var commands: [LedgerCommand] = []
        if refund.taken > 0 {
            commands = [
                try await collection(of: refund, from: transaction, try found[customer], try found[clearing]),
                .giveBack(
                    counter: transaction.kind.rawValue,
                    of: try found[customer],
                    amount: refund.taken,
                    at: transaction.createdAt
                ),
            ]
        }
        var rows = context.rows + [refund]
        if refund.kind == .chargeback {
            commands.append(.freeze(try found[customer], because: "chargeback of \(transaction.id.wire)"))
            let review = ReviewCase(id: ids.next(), transaction: transaction.id, kind: .chargeback)
            rows += review.opened(by: context.by, ids)
        }
        var changed = transaction
        if refund.taken > 0 {
            try changed.takeBack(
                Money(minorUnits: refund.taken, asset),
                reason: context.event.reason ?? context.event.state.rawValue,
                metadata: context.metadata
            )
        }
        return try await store(changed, commands: commands, by: context.by, with: rows)
    }

    private func collection(
        of refund: Refund,
        from transaction: BankTransaction,
        _ customer: ID<LedgerAccount>,
        _ clearing: ID<LedgerAccount>
    ) async throws -> LedgerCommand {
        let key = AccountKey(transaction.user, HouseAccounts.receivable, transaction.amount.asset)
        return .collect(
            NewCollection(
                id: ids.next(),
                shortfallID: ids.next(),
                debit: customer,
                receivable: try await accounts.open(key, mayGoNegative: true),
                credit: clearing,
                amount: refund.taken,
                code: refund.kind == .chargeback ? "chargeback" : "refund"
            )
        )
    }

    /// The provider's line with what it really cost, where the provider says so.
    private func actualLines(_ lines: [FeeLine], _ context: Context) -> [FeeLine] {
        guard let actual = context.event.actualFee, let line = lines.first(where: { $0.category == .provider }),
            actual.asset == line.amount.asset
        else { return [] }
        return [line.costing(actual)]
    }

    /// The difference between what the customer paid for a cost and the cost: ours, as its own entry.
    private func variance(
        of actual: FeeLine,
        among lines: [FeeLine],
        _ found: MovementAccounts,
        _ context: Context
    ) throws -> [LedgerCommand] {
        guard let promised = lines.first(where: { $0.sequence == actual.sequence }) else { return [] }
        let difference = (promised.amount - actual.amount).minorUnits
        guard difference != 0 else { return [] }
        let payable = try found[HouseAccounts.payable(context.provider, actual.amount.asset)]
        let income = try found[HouseAccounts.variance(actual.amount.asset)]
        return [
            .transfer(
                NewTransfer(
                    id: ids.next(),
                    debit: difference > 0 ? payable : income,
                    credit: difference > 0 ? income : payable,
                    amount: difference < 0 ? -difference : difference,
                    code: "fee_variance"
                )
            )
        ]
    }
}

extension Settlement.Context {
    /// How a payment that the provider knows by an id of ours is remembered by the provider's own.
    static func key(_ purchase: String) -> String { "purchase:\(purchase)" }

    /// The row that remembers which payment it was.
    func purchase(_ transaction: BankTransaction) -> [any StoredRow] {
        event.purchase.map { purchase in
            let key = Self.key(purchase)
            return [ProviderObjectRow(provider: provider, objectID: key, transaction: transaction.id)]
        } ?? []
    }
}

extension FeeLine {
    /// The same line with its actual cost.
    func costing(_ amount: Money) -> FeeLine {
        FeeLine(
            sequence: sequence,
            category: category,
            rule: rule,
            text: text,
            schedule: schedule,
            version: version,
            base: base,
            rate: rate,
            raw: amount.wire,
            amount: amount,
            kind: .actual,
            bound: bound,
            allowanceTaken: allowanceTaken,
            isRefundable: isRefundable
        )
    }
}
