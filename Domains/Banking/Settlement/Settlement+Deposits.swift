import DomainKit
import Fees
import Kernel
import Ledger
import Messaging
import PostgreSQL

extension Settlement {
    /// The provider has the customer's money: credits the customer with what is left after fees.
    func completeDeposit(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard transaction.status.successors.contains(.completed) else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
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
                        id: journal.ids.next(),
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
        if transaction.status == .failed {
            // Its failure gave back what it used of the limits; money that has come is not held up by them.
            commands.append(
                .use(
                    Usage(
                        account: try found[customer],
                        counter: transaction.kind.rawValue,
                        amount: transaction.amount.minorUnits,
                        dayLimit: nil,
                        monthLimit: nil
                    )
                )
            )
        }
        if let repayment = try await repayment(of: transaction, try found[customer]) { commands.append(repayment) }

        var completed = transaction
        try completed.advance(to: .completed, metadata: context.metadata)
        return try await store(completed, commands: commands, by: context.by, with: context.rows, fees: actual)
    }

    /// A deposit was refunded or charged back: what is there is taken, what is missing is owed by the customer.
    func takeBack(_ transaction: BankTransaction, _ context: Context) async throws -> Outcome {
        guard transaction.status == .completed || transaction.status == .compensating else {
            return .nothingNew("the transaction is \(transaction.status.rawValue)")
        }
        let asset = transaction.amount.asset
        let customer = AccountKey(transaction.user, transaction.account, asset)
        let clearing = HouseAccounts.clearing(context.provider, asset)
        let found = try await MovementAccounts(customers: [customer], house: [clearing], accounts)
        let receivable = try await accounts.open(
            AccountKey(transaction.user, HouseAccounts.receivable, asset),
            mayGoNegative: true
        )
        var commands: [LedgerCommand] = [
            .collect(
                NewCollection(
                    id: journal.ids.next(),
                    shortfallID: journal.ids.next(),
                    debit: try found[customer],
                    receivable: receivable,
                    credit: try found[clearing],
                    amount: transaction.amount.minorUnits,
                    code: context.event.state == .disputed ? "chargeback" : "refund"
                )
            ),
            .giveBack(
                counter: transaction.kind.rawValue,
                of: try found[customer],
                amount: transaction.amount.minorUnits,
                at: transaction.createdAt
            ),
        ]
        var rows = context.rows
        if context.event.state == .disputed {
            commands.append(.freeze(try found[customer], because: "chargeback of \(transaction.id.wire)"))
            rows.append(ReviewCase(id: journal.ids.next(), transaction: transaction.id, kind: .chargeback))
        }
        var refunded = transaction
        if refunded.status == .completed {
            try refunded.advance(to: .compensating, reason: context.event.reason, metadata: context.metadata)
        }
        try refunded.advance(to: .refunded, reason: context.event.state.rawValue, metadata: context.metadata)
        return try await store(refunded, commands: commands, by: context.by, with: rows)
    }

    private func repayment(of transaction: BankTransaction, _ account: ID<LedgerAccount>) async throws -> LedgerCommand?
    {
        let key = AccountKey(transaction.user, HouseAccounts.receivable, transaction.amount.asset)
        guard let receivable = try await accounts.find([key])[key] else { return nil }
        return .repay(NewRepayment(id: journal.ids.next(), debit: account, receivable: receivable))
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
                    id: journal.ids.next(),
                    debit: difference > 0 ? payable : income,
                    credit: difference > 0 ? income : payable,
                    amount: difference < 0 ? -difference : difference,
                    code: "fee_variance"
                )
            )
        ]
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
