import HTTP
import Kernel
import PostgreSQL
import WalletCrypto

/// Finds wallets.
struct Wallets: Sendable {
    /// The wallets of one user that aren't revoked.
    static let liveMax = 100
    /// The wallets of a page that is followed.
    static let followedMax = 10_000

    let schema: Schema
    let pool: Pool

    // MARK: Of a user

    /// A user's wallets that aren't revoked, the verified ones first, then oldest first.
    func list(of user: ID<User>) async throws -> [Wallet] {
        try await read(
            """
            where w.user_id = \(user) and w.status <> 'revoked'
            order by w.status = 'watch_only', w.id limit \(Wallets.liveMax)
            """
        )
    }

    /// A user's wallet, revoked ones included.
    ///
    /// - Throws: 404 for somebody else's, as for none.
    func get(_ id: ID<Wallet>, of user: ID<User>) async throws -> Wallet {
        guard let wallet = try await read("where w.id = \(id) and w.user_id = \(user)").first else {
            throw Problem.notFound
        }
        return wallet
    }

    /// A wallet that a user has proven and that may act.
    ///
    /// - Throws: 404 for none of the user's, 422 `wallet_not_verified`.
    func verified(_ id: ID<Wallet>, of user: ID<User>) async throws -> Wallet {
        let wallet = try await get(id, of: user)
        guard wallet.status == .verified else {
            throw Problem(422, "wallet_not_verified", "This wallet isn't proven to be yours. Link it first.")
        }
        return wallet
    }

    /// The wallet by which a user has proven an account; nil when they haven't.
    func verified(_ account: AccountID, of user: ID<User>) async throws -> Wallet? {
        try await read(
            "where w.account = \(account.description) and w.status = 'verified' and w.user_id = \(user)"
        ).first
    }

    /// A user's primary wallet on a network, which is the one that is proven; nil for none.
    func primary(of user: ID<User>, on network: ChainNetwork) async throws -> Wallet? {
        try await read(
            """
            where w.user_id = \(user) and w.chain = \(network.chain) and w.network = \(network.kind)
                and w.status = 'verified'
            """
        ).first
    }

    // MARK: Of anybody

    /// A wallet by id, whosever it is; nil for none.
    func find(_ id: ID<Wallet>) async throws -> Wallet? { try await read("where w.id = \(id)").first }

    /// The wallet of whoever has proven an account; nil when nobody has.
    func owner(of account: AccountID) async throws -> Wallet? {
        try await read("where w.account = \(account.description) and w.status = 'verified'").first
    }

    /// Wallets on a network that aren't revoked, in the order of ids after one; at most `limit`, which is bounded by
    /// `followedMax`.
    func followed(on network: ChainNetwork, after: ID<Wallet>? = nil, limit: Int) async throws -> [Wallet] {
        try await read(
            """
            where w.chain = \(network.chain) and w.network = \(network.kind) and w.status <> 'revoked'
                and w.id > \(after ?? ID(0))
            order by w.id limit \(min(max(limit, 1), Wallets.followedMax))
            """
        )
    }

    private func read(_ rest: SQL) async throws -> [Wallet] {
        try await pool.query("select \(Wallet.columns) from \(schema).wallets w \(rest)").map(Wallet.init)
    }
}
