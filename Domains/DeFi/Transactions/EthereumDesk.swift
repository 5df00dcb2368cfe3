import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Builds payments on a chain that follows Ethereum's rules, and takes what users signed.
struct EthereumDesk: Sendable {
    let chain: EthereumChain
    let payers: Payers
    let book: AddressBook
    let openings: IntentOpenings
    let submissions: Submissions
    let sender: IntentSender

    /// Builds a payment.
    ///
    /// - Throws: a `Problem`.
    func create(
        _ amount: Money,
        to text: String,
        from id: ID<Wallet>,
        of user: ID<User>,
        _ speed: GasPrice.Speed,
        _ request: APIRequest
    ) async throws -> APIResponse {
        guard let to = EthereumAddress(text) else {
            throw Problem(
                422,
                "bad_checksum",
                "The address's checksum doesn't hold (EIP-55). Copy it again.",
                faults: [Problem.Fault("/to", "bad_checksum")]
            )
        }
        let wallet = try await payers.wallet(id, of: user, on: chain.name)
        let account = try await book.requirePayable(to, on: chain.name, for: user)
        let call = try payment(of: amount, to: to)
        let drafts = try await openings.maker.drafts([call], from: wallet, speed: speed)
        let opened = try await openings.open(drafts)
        try await PayoutChecks(book).requireApproved(
            amount,
            to: account,
            named: PayoutChecks.beneficiary(in: request.body),
            for: user,
            subject: opened.intents[0].id.value
        )
        return try await store(opened, for: request)
    }

    /// Builds what takes a transaction's nonce.
    ///
    /// - Throws: a `Problem`: 409 `intent_not_open`.
    func replace(
        _ intent: Intent,
        cancelling: Bool,
        _ speed: GasPrice.Speed,
        _ request: APIRequest
    ) async throws -> APIResponse {
        guard intent.signed != nil, intent.state.block == nil, !intent.state.isOver else {
            throw Problem(409, "intent_not_open", "It is \(intent.state.name): nothing can take its place.")
        }
        let draft = try await openings.maker.replacement(of: intent, cancelling: cancelling, speed: speed)
        return try await store(try await openings.open([draft]), for: request)
    }

    private func payment(of amount: Money, to recipient: EthereumAddress) throws(Problem) -> IntentMaker.Call {
        if amount.asset == EthereumChain.gasAsset {
            return IntentMaker.Call(
                kind: .transfer,
                to: recipient,
                value: BigUInt(amount.minorUnits),
                data: [],
                gasMax: IntentMaker.gasOfPayment * 2,
                amount: amount
            )
        }
        let units = ABIValue.uint(BigUInt(amount.minorUnits))
        guard let token = chain.deployment.token(amount.asset),
            let data = try? KnownCall.transfer.callData([.address(recipient), units])
        else { throw Problem(422, "asset_not_supported", "The asset isn't on this chain.") }
        return IntentMaker.Call(
            kind: .transfer,
            to: token,
            value: .zero,
            data: data,
            gasMax: 120_000,
            amount: amount,
            token: token
        )
    }

    private func store(_ opened: OpenedIntents, for request: APIRequest) async throws -> APIResponse {
        let first = opened.intents[0]
        let (answer, requestID) = (StoredAnswer(.created(first.json, location: first.path)), request.id)
        let item = LedgerItem(
            operation: first.id.cast(),
            commands: opened.commands,
            idempotency: try request.scopedKey()
        ) { decision, _ in
            switch decision {
            case .success(let receipt): return LedgerItem.Finish(rows: opened.stored(receipt), answer: answer)
            case .failure(let refusal):
                let problem = refusal.problem(in: first.amount.asset)
                return LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: requestID)))
            }
        }
        return try await submissions.ledger.submit(item).response()
    }
}
