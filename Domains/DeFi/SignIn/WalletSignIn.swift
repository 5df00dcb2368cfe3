import DomainKit
import HTTP
import Identity
import Kernel
import PostgreSQL
import WalletCrypto

/// Signing in by a wallet that is linked.
///
/// Whether anybody has linked an account is told to nobody but the holder of its key.
struct WalletSignIn: Sendable {
    let wallets: Wallets
    let challenges: Challenges
    let proofs: Proofs
    let sessions: ProvenSignIn

    /// A challenge for an account, linked or not.
    ///
    /// - Throws: 422 `unknown_network`, `address_invalid`, `form_not_possible`.
    func challenge(_ account: String, _ form: Challenge.Form) async throws -> Challenge {
        try await challenges.issue(.signIn, try ServedAccount(account).account, form, for: nil)
    }

    /// Begins a session of whoever has linked the account that a challenge is for.
    ///
    /// - Throws: 404, as `Proofs.settle`, 401 `wallet_not_linked`, 403 `user_not_active`.
    func begin(_ id: ID<Challenge>, _ signature: String, _ request: APIRequest) async throws -> SessionTokens {
        let challenge = try await challenges.get(id, .signIn, of: nil)
        let kind = try await wallets.owner(of: challenge.account)?.kind ?? .hot
        let asking = Initiator(anonymous: request)
        try await proofs.settle(challenge, signature: signature, kind: kind, by: asking)
        // Asked last: a wallet that was revoked while its contract answered opens nothing.
        let owner = try await wallets.owner(of: challenge.account)
        let isLinked = owner != nil
        _ = try await challenges.pool.query(challenges.noting(isLinked ? "verified" : "not_linked", challenge))
        guard let owner else {
            throw Problem(
                401,
                "wallet_not_linked",
                "Nobody has linked this wallet. Sign in with your password and link it first."
            )
        }
        return try await sessions.begin(owner.user, by: "wallet", request)
    }
}
