import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Builds payments on chains without contracts of ours, and takes what users signed.
struct PaymentDesk: Sendable {
    let chains: [PaymentParts]
    let payments: Payments
    let book: AddressBook
    let ledger: Ledger
    let ids: IDGenerator
    let clock: any WallClock

    /// The parts of a chain by its name; nil for one that isn't followed, and for those that follow Ethereum's rules.
    func chain(_ name: String) -> PaymentParts? { chains.first { $0.chain.name == name } }

    /// Builds a payment.
    ///
    /// - Throws: a `Problem`.
    func create(
        _ amount: Money,
        to text: String,
        from wallet: PayingWallet,
        on parts: PaymentParts,
        _ speed: GasPrice.Speed,
        _ request: APIRequest
    ) async throws -> APIResponse {
        let chain = parts.chain
        guard let account = chain.network.account(text) else {
            throw Problem(
                422,
                "bad_checksum",
                "This isn't an address of that network. Copy it again.",
                faults: [Problem.Fault("/to", "bad_checksum")]
            )
        }
        guard chain.assets.contains(amount.asset) else {
            throw Problem(422, "asset_not_supported", "The asset isn't on this chain.")
        }
        _ = try await book.requirePayable(account, for: wallet.user)
        let held = try await payments.holds(of: wallet.address, on: chain.name)
        let order = PaymentOrder(
            wallet: wallet,
            recipient: account.address,
            amount: amount,
            speed: speed,
            held: held
        )
        let unsigned = try await chain.build(order)
        let id: ID<Intent> = ids.next()
        try await PayoutChecks(book).requireApproved(
            amount,
            to: account,
            named: PayoutChecks.beneficiary(in: request.body),
            for: wallet.user,
            subject: id.value
        )
        return try await store(draft(unsigned, order, .transfer, chain), id, parts, request)
    }

    /// Builds what takes a payment's place.
    ///
    /// - Throws: a `Problem`: 409 `intent_not_open`; as `create`.
    func replace(
        _ payment: Payment,
        cancelling: Bool,
        _ speed: GasPrice.Speed,
        _ request: APIRequest
    ) async throws -> APIResponse {
        guard payment.signed != nil, payment.state.block == nil, !payment.state.isOver,
            let parts = chain(payment.chain)
        else {
            throw Problem(409, "intent_not_open", "It is \(payment.state.name): nothing can take its place.")
        }
        let (chain, root) = (parts.chain, payment.root)
        let held = try await payments.holds(of: payment.draft.wallet.address, on: chain.name, besides: root)
        // The dearest one that is signed is the one that waits.
        let family = try await payments.family(of: root)
        let waiting =
            family.filter { $0.signed != nil && !$0.state.isOver }
            .max { $0.unsigned.fee < $1.unsigned.fee } ?? payment
        let isCancel = cancelling || waiting.draft.kind == .cancel
        let order = waiting.order(speed, held: held)
        let unsigned = try await chain.replacement(of: waiting.unsigned, for: order, cancelling: isCancel)
        let wallet = order.wallet
        let shown = PaymentOrder(
            wallet: wallet,
            recipient: isCancel ? wallet.address : order.recipient,
            amount: isCancel ? Money.zero(order.amount.asset) : order.amount,
            speed: speed
        )
        var draft = draft(unsigned, shown, isCancel ? .cancel : .transfer, chain)
        draft.replaces = root
        return try await store(draft, ids.next(), parts, request)
    }

    /// Stores a signed payment that is as it was built; from then on it is sent until the chain has it.
    ///
    /// The same again answers with what became of it.
    ///
    /// - Throws: a `Problem`: 409 `intent_not_open`; 422 with what differs.
    func submit(_ returned: ReturnedPayment, for payment: Payment, _ request: APIRequest) async throws -> APIResponse {
        guard let parts = chain(payment.chain) else {
            throw Problem(503, "chain_unavailable", "The chain isn't followed now.", retryAfterSeconds: 60)
        }
        let signed: SignedTransaction
        do throws(PaymentFault) {
            signed = try parts.chain.read(returned, for: payment.unsigned, of: payment.order())
        } catch {
            throw error.problem
        }
        if payment.signed == signed { return .accepted(payment.json, location: payment.path) }
        guard case .built = payment.state, payment.expiresAt > clock.now() else {
            throw Problem(409, "intent_not_open", "It is \(payment.state.name). Build a new one.")
        }
        try await check(payment, signed, parts.chain)
        var taken = payment
        try taken.take(signed)
        return try await store(taken, parts, request)
    }

    /// What was true when it was built must still be: lists and coins change while a user thinks.
    ///
    /// A wallet may have sent it by itself: what a block has is followed, whatever would be said of it now.
    private func check(_ payment: Payment, _ signed: SignedTransaction, _ chain: any PaymentChain) async throws {
        // A node that doesn't answer refuses nothing: what is signed is stored first, and its chances are seen later.
        let outlook = try? await chain.outlook(of: payment.unsigned)
        // Asked last: what came into a block meanwhile is known.
        let status = try? await chain.status(of: signed.hash)
        if case .included? = status { return }
        if payment.draft.kind == .transfer, let account = chain.network.account(payment.draft.recipient) {
            // Nor does a wallet that was revoked meanwhile.
            _ = try await Payers(schema: payments.schema, pool: payments.pool)
                .wallet(payment.draft.wallet.id, of: payment.user)
            _ = try await book.requirePayable(account, for: payment.user)
        }
        guard outlook?.isOver == true, let status else { return }
        if status == .unknown {
            throw Problem(409, "intent_not_open", "What it uses is spent, or its time is over. Build a new one.")
        }
    }

    /// Sends what was submitted, at once.
    func sendNow(_ payment: Payment) async { await chain(payment.chain)?.sender.sendNow(payment.id) }

    // MARK: Storing

    private func draft(
        _ unsigned: UnsignedPayment,
        _ order: PaymentOrder,
        _ kind: Intent.Kind,
        _ chain: any PaymentChain
    ) -> Payment.Draft {
        Payment.Draft(
            wallet: order.wallet,
            chain: chain.name,
            kind: kind,
            recipient: order.recipient,
            amount: order.amount,
            unsigned: unsigned,
            summary: PaymentSummary.json(unsigned, order, kind, coin: chain.coin)
        )
    }

    private func store(
        _ draft: Payment.Draft,
        _ id: ID<Intent>,
        _ parts: PaymentParts,
        _ request: APIRequest
    ) async throws -> APIResponse {
        let payment = Payment(draft, id: id, at: clock.now())
        let held = try await parts.books.opening(payment)
        let rows: [any StoredRow] =
            [NewPaymentRow(payment: payment)] + parts.books.news(payment) + held.rows
        let balances = BalanceNews(of: payment.user, ids)
        let (answer, requestID) = (StoredAnswer(.created(payment.json, location: payment.path)), request.id)
        let item = LedgerItem(
            operation: payment.id.cast(),
            commands: held.commands,
            idempotency: try request.scopedKey()
        ) { decision, _ in
            switch decision {
            case .success(let receipt): return LedgerItem.Finish(rows: rows + balances.rows(receipt), answer: answer)
            case .failure(let refusal):
                let problem = refusal.problem(in: payment.draft.amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: requestID)))
            }
        }
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError where error.violates("payment_inputs_once") {
            throw Problem(409, "inputs_taken", "Another payment of the wallet was built meanwhile. Try again.")
        }
    }

    private func store(_ taken: Payment, _ parts: PaymentParts, _ request: APIRequest) async throws -> APIResponse {
        let rows: [any StoredRow] =
            [PaymentChangeRow(payment: taken, nextAt: clock.now())] + parts.books.news(taken)
        let answer = StoredAnswer(.accepted(taken.json, location: taken.path))
        let item = LedgerItem(
            operation: taken.id.cast(),
            commands: [],
            idempotency: try request.scopedKey()
        ) { _, _ in
            LedgerItem.Finish(rows: rows, answer: answer)
        }
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError where error.isStale {
            // Somebody was faster: the same is no fault.
            let stored = try await payments.find(taken.id)
            if let stored, stored.signed == taken.signed { return .accepted(stored.json, location: stored.path) }
            throw Problem(409, "intent_not_open", "It isn't open any more. Build a new one.")
        }
    }
}
