import Compliance
import DomainKit
import HTTP
import Kernel
import Messaging
import PostgreSQL
import WalletCrypto

/// Makes a watched wallet the user's own, by a proof.
struct WalletVerification: Sendable {
    let runtime: DomainRuntime
    let wallets: Wallets
    let challenges: Challenges
    let proofs: Proofs
    let book: AddressBook
    let screening: any AddressScreening
    let journal: WalletJournal

    /// A challenge for a wallet that is to be proven.
    ///
    /// - Throws: 409 `wallet_revoked`, `wallet_verified`, `wallet_claimed` or `primary_exists`; 422
    ///   `wallet_not_provable`, and what `Challenges.issue` throws.
    func challenge(_ wallet: Wallet, _ form: Challenge.Form) async throws -> Challenge {
        try requireProvable(wallet)
        if let owner = try await wallets.owner(of: wallet.account), owner.user != wallet.user {
            throw WalletVerification.claimed
        }
        guard try await wallets.primary(of: wallet.user, on: wallet.network) == nil else {
            throw WalletVerification.primaryExists
        }
        return try await challenges.issue(.linkWallet, wallet.account, form, for: wallet.user)
    }

    /// Proves a wallet by the signature over a challenge.
    ///
    /// - Throws: 404 for another wallet's challenge; as `challenge` and `Proofs.settle`; 422 `address_blocked` or
    ///   `address_in_review`.
    func verify(
        _ wallet: Wallet,
        by id: ID<Challenge>,
        _ signature: String,
        _ initiator: Initiator
    ) async throws -> Wallet {
        let challenge = try await challenges.get(id, .linkWallet, of: wallet.user)
        guard challenge.account == wallet.account else { throw Problem.notFound }
        try requireProvable(wallet)
        try await screening.requireApproved(wallet.account, for: wallet.user, subject: wallet.id.value, .wallet)
        try await proofs.settle(challenge, signature: signature, kind: wallet.kind, by: initiator)
        do {
            let verified = try await store(wallet, challenge, signature, by: initiator)
            runtime.outboxSignal.raise()
            return verified
        } catch let error as PostgresError where error.violates("wallets_owner") {
            throw WalletVerification.claimed
        } catch let error as PostgresError where error.violates("wallets_primary") {
            throw WalletVerification.primaryExists
        }
    }

    private func store(
        _ wallet: Wallet,
        _ challenge: Challenge,
        _ signature: String,
        by initiator: Initiator
    ) async throws -> Wallet {
        let schema = runtime.schema
        return try await runtime.pool.transact { transaction in
            let rows = try await transaction.query(
                """
                update \(schema).wallets w
                set status = 'verified', proof = \(challenge.id), verified_at = t.now, version = w.version + 1,
                    updated_at = t.now
                from (select clock_timestamp() as now) t
                where w.id = \(wallet.id) and w.status = 'watch_only'
                returning \(Wallet.columns)
                """
            )
            guard let verified = try rows.first.map(Wallet.init) else {
                throw Problem(409, "wallet_changed", "The wallet has changed meanwhile. Read it again.")
            }
            let before: JSON = ["status": .string(wallet.status.rawValue)]
            var told = journal.rows("verified", verified, before: before, by: initiator)
            for row in try await transaction.query(book.opening(verified)) {
                let entry = try AddressEntry(row)
                told += journal.rows(entry.version == 1 ? "added" : "changed", entry, by: initiator)
            }
            let noted = challenges.noting("verified", challenge, signature: signature)
            return Closing(verified, last: [noted] + told.statements(in: schema, at: verified.updatedAt))
        }
    }

    private func requireProvable(_ wallet: Wallet) throws(Problem) {
        switch wallet.status {
        case .watchOnly: break
        case .verified: throw Problem(409, "wallet_verified", "This wallet is proven to be yours already.")
        case .revoked: throw Problem(409, "wallet_revoked", "This wallet is revoked. Link its account anew.")
        }
        guard wallet.derivation == nil else {
            throw Problem(
                422,
                "wallet_not_provable",
                "A whole account has no key that signs. Add the address that you want to prove."
            )
        }
    }

    private static let claimed = Problem(
        409,
        "wallet_claimed",
        "Somebody else has proven this account. Contact support if the key is yours alone."
    )
    private static let primaryExists = Problem(
        409,
        "primary_exists",
        "You have a wallet on this chain already. Revoke it first, or go on watching this one."
    )
}
