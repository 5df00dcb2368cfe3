import Compliance
import DomainKit
import Fees
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// What customers ask for: withdrawals, and that one isn't made.
struct CustodyOrders: Sendable {
    let chain: any CustodyChain
    let assets: CustodyAssets
    let book: AddressBook
    let payouts: PayoutChecks
    let books: CustodyBooks
    let checks: CustodyChecks
    let ledger: Ledger
    let ids: IDGenerator

    /// Reserves the amount and its fees, and answers 202; it is signed and sent afterwards.
    ///
    /// - Throws: a `Problem`.
    func withdraw(
        _ amount: Money,
        to recipient: String,
        _ request: APIRequest
    ) async throws -> APIResponse {
        let user = try request.requirePrincipal().user
        let asset = try await assets.asset(amount.asset, on: chain)
        try asset.check(withdrawal: amount)
        let account = try await payable(recipient, for: user)
        let destination = try await payouts.destination(account, for: user, named: .other(name: nil, host: nil))
        guard destination.beneficiary == .customer else { throw Self.notOwn }
        let id = ids.next(CustodyWithdrawal.self)
        let quote = try await checks.quote(amount, by: user, for: id, to: destination)
        let order = CustodyWithdrawal.Order(
            user: user,
            recipient: recipient,
            amount: amount,
            fee: quote.total,
            reservation: ids.next()
        )
        let source = try await books.accounts.open(AccountKey(user, CustodyBooks.customer, amount.asset))
        let commands = commands(order, quote, source, asset)
        let fees = quote.lines.map { CustodyFeeRow(withdrawal: id, line: $0) }
        let item = LedgerItem(
            operation: id.cast(),
            commands: commands,
            idempotency: try request.scopedKey()
        ) { [books, chain] decision, instant in
            switch decision {
            case .failure(let refusal):
                let problem = refusal.problem(in: amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: request.id)))
            case .success(let receipt):
                let new = CustodyWithdrawal(order, id: id, on: chain, at: instant)
                let rows: [any StoredRow] = [NewCustodyWithdrawalRow(withdrawal: new)] + fees
                return LedgerItem.Finish(
                    rows: rows + books.news(new, balances: BalanceSnapshot.json(receipt)),
                    answer: StoredAnswer(.accepted(new.json, location: new.path))
                )
            }
        }
        return try await ledger.submit(item).response()
    }

    /// Counts the amount to the day's limit, and holds it with its fees.
    private func commands(
        _ order: CustodyWithdrawal.Order,
        _ quote: FeeQuote,
        _ source: ID<LedgerAccount>,
        _ asset: CustodyAsset
    ) -> [LedgerCommand] {
        [
            .use(
                Usage(
                    account: source,
                    counter: CustodyBooks.counter,
                    amount: order.amount.minorUnits,
                    dayLimit: asset.withdrawalDaily.minorUnits,
                    monthLimit: nil
                )
            ),
            .reserve(
                NewReservation(
                    id: order.reservation,
                    account: source,
                    amount: (order.amount + quote.total).minorUnits,
                    kind: CustodyBooks.counter,
                    // It ends with the withdrawal, which has an end of its own.
                    lifetime: .unlimited,
                    quote: quote.json
                )
            ),
        ]
    }

    /// Takes a withdrawal back that isn't signed yet; the money is available again.
    ///
    /// - Throws: 409 `withdrawal_under_way`.
    func cancel(_ withdrawal: CustodyWithdrawal, _ request: APIRequest) async throws -> APIResponse {
        guard withdrawal.state == .waiting else { throw Self.underWay(withdrawal.state.shown) }
        let item = try await books.item(withdrawal, .cancelled, because: "by_customer")
        var cancelled = withdrawal
        try cancelled.apply(.cancelled, because: "by_customer")
        let answer = StoredAnswer(.ok(cancelled.json))
        let keyed = LedgerItem(
            operation: item.operation,
            commands: item.commands,
            idempotency: try request.scopedKey()
        ) { decision, instant in
            var finish = item.finish(decision, instant)
            switch decision {
            case .success: finish.answer = answer
            case .failure(let refusal):
                finish.answer = StoredAnswer(.problem(refusal.problem(in: withdrawal.amount.asset), to: request.id))
            }
            return finish
        }
        do {
            return try await ledger.submit(keyed).response()
        } catch let error as PostgresError where error.isStale {
            // It was signed meanwhile.
            throw Self.underWay("pending")
        }
    }

    private func payable(_ recipient: String, for user: ID<User>) async throws -> AccountID {
        guard recipient != chain.account else {
            throw Problem(
                422,
                "recipient_is_custodian",
                "This is where deposits go. Name an address of your own.",
                faults: [Problem.Fault("/to", "recipient_is_custodian")]
            )
        }
        guard let account = AccountID("\(chain.name):\(recipient)") else {
            throw Problem.malformed("bad_format", in: "/to")
        }
        _ = try await book.requirePayable(account, for: user)
        return account
    }

    private static let notOwn = Problem(
        422,
        "wallet_not_verified",
        "What is kept goes to your own proven wallets alone. Prove this one, or pay others from a wallet of yours.",
        faults: [Problem.Fault("/to", "wallet_not_verified")]
    )

    private static func underWay(_ status: String) -> Problem {
        Problem(409, "withdrawal_under_way", "It is \(status) and can't be taken back any more.")
    }
}
