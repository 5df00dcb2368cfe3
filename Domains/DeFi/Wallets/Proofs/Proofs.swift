import Audit
import DomainKit
import HTTP
import Kernel
import Metrics
import PostgreSQL
import WalletCrypto

/// Decides whether a signature proves an account, in a fixed order.
///
/// Binding, then the nonce, which is used up whatever follows, then the window, then the signature: guessing costs a
/// challenge each time, and nothing expensive is done twice for one.
struct Proofs: Sendable {
    let challenges: Challenges
    let contracts: (any ContractAccounts)?
    let journal: WalletJournal

    /// Uses a challenge up by a signature.
    ///
    /// - Throws: 409 `challenge_stale` or `challenge_used`; 422 `challenge_expired`, `proof_refused` or
    ///   `proof_unsupported`; 503 `node_unavailable` or `chain_disagreement`.
    func settle(
        _ challenge: Challenge,
        signature: String,
        kind: Wallet.Kind,
        by initiator: Initiator
    ) async throws {
        do throws(SignInMessage.Fault) {
            try ChallengeMessage.check(challenge, at: challenges.site)
        } catch {
            throw Problem(
                409,
                "challenge_stale",
                "This challenge was made for elsewhere (\(error.rawValue)). Ask anew."
            )
        }
        try await challenges.consume(challenge)
        let verdict: ProofVerdict
        do {
            verdict = try await self.verdict(challenge, signature, kind)
        } catch {
            try await note("undecided", challenge, by: initiator)
            throw error
        }
        count(verdict.word)
        guard verdict != .valid else { return }
        try await note(verdict.word, challenge, by: initiator)
        throw verdict.problem
    }

    private func verdict(
        _ challenge: Challenge,
        _ signature: String,
        _ kind: Wallet.Kind
    ) async throws -> ProofVerdict {
        if let decided = try await contractVerdict(challenge, signature, kind) { return decided }
        let address = challenge.account.address
        switch challenge.form {
        case .text:
            guard let chain = challenge.account.chainID.chain else { return .unsupported }
            return WalletProof.verify(
                message: challenge.message,
                signature: signature,
                address: address,
                chain: chain,
                applicationDomain: Proofs.applicationDomain
            )
        case .typedData:
            guard let typed = try? TypedMessage(parsing: Array(challenge.message.utf8)) else {
                return .invalid(.malformedMessage)
            }
            return typed.verify(signature: signature, address: address)
        }
    }

    // What hardware wallets sign for when nobody names a domain.
    private static let applicationDomain = [UInt8](repeating: 0, count: 32)

    /// What the contract at an account says; nil where there is none and the key decides.
    private func contractVerdict(
        _ challenge: Challenge,
        _ signature: String,
        _ kind: Wallet.Kind
    ) async throws -> ProofVerdict? {
        let chainID = challenge.account.chainID
        guard chainID.chain == .ethereum, let address = EthereumAddress(challenge.account.address) else { return nil }
        let hasCode: Bool?
        do {
            hasCode = try await contracts?.hasCode(address, on: chainID)
            guard hasCode == true else {
                if hasCode == nil, kind == .contract { throw Proofs.nodeUnavailable }
                return kind == .contract ? .invalid(.mismatch) : nil
            }
            guard let signature = HexText.decode(signature),
                let call = ContractSignature.callData(digest: try digest(challenge), signature: signature),
                let answer = try await contracts?.answer(of: address, to: call, on: chainID)
            else { return .invalid(.malformedSignature) }
            return ContractSignature.isAffirmative(answer) ? .valid : .invalid(.mismatch)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Proofs.nodeUnavailable
        }
    }

    private func digest(_ challenge: Challenge) throws -> [UInt8] {
        switch challenge.form {
        case .text: PersonalMessage.digest(of: Array(challenge.message.utf8))
        case .typedData: try TypedMessage(parsing: Array(challenge.message.utf8)).digest
        }
    }

    private static let nodeUnavailable = Problem(
        503,
        "node_unavailable",
        "The chain can't be asked about this account now. Try again with another challenge.",
        retryAfterSeconds: 5
    )

    private func note(_ outcome: String, _ challenge: Challenge, by initiator: Initiator) async throws {
        let refused = journal.entry(
            "wallet_challenge.refused",
            "wallet_challenge",
            challenge.id,
            after: ["account": .string(challenge.account.description), "outcome": .string(outcome)],
            by: initiator
        )
        let rows: [any StoredRow] = [refused]
        let statements = [challenges.noting(outcome, challenge)]
        try await challenges.pool.transact { transaction in
            let now: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            return Closing((), last: statements + rows.statements(in: challenges.schema, at: now))
        }
    }

    private func count(_ outcome: String) {
        Counter(label: "wallet_proofs_total", dimensions: [("outcome", outcome)]).increment()
    }
}

extension ProofVerdict {
    /// The verdict as it is kept: `verified`, `unsupported`, or why not.
    var word: String {
        switch self {
        case .valid: "verified"
        case .unsupported: "unsupported"
        case .invalid(let fault): fault.rawValue
        }
    }

    /// What its user is told of a proof that doesn't hold.
    fileprivate var problem: Problem {
        guard case .invalid(let fault) = self else {
            return Problem(
                422,
                "proof_unsupported",
                "Signatures of this form aren't checked here. Sign in another form."
            )
        }
        return Problem(
            422,
            "proof_refused",
            "The signature doesn't prove this account. Ask for another challenge and sign it with the account's key.",
            faults: [Problem.Fault("/signature", fault.rawValue)]
        )
    }
}
