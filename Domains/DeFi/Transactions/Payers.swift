import Kernel
import PostgreSQL
import WalletCrypto

/// The wallets that transactions come from.
struct Payers: Sendable {
    let schema: Schema
    let pool: Pool

    /// A user's verified wallet, and its chain (CAIP-2).
    ///
    /// - Throws: 404; 422 `wallet_not_verified`.
    func wallet(_ id: ID<Wallet>, of user: ID<User>) async throws -> (wallet: PayingWallet, chain: String) {
        let rows = try await pool.query(
            """
            select account, address, status from \(schema).wallets
            where id = \(id) and user_id = \(user) and status <> 'revoked'
            """
        )
        guard let row = rows.first else { throw Problem(404, "not_found", "There is no such wallet.") }
        let (account, address, status): (String, String, String) = (
            try row["account"], try row["address"], try row["status"]
        )
        guard status == "verified" else {
            throw Problem(422, "wallet_not_verified", "Prove first that the wallet is yours.")
        }
        let chain = AccountID(account)?.chainID.description ?? ""
        return (PayingWallet(id: id, user: user, address: address), chain)
    }

    /// A user's verified wallet on a chain that follows Ethereum's rules.
    ///
    /// - Throws: 404; 422 `wallet_not_verified`, `wallet_on_other_chain`.
    func wallet(_ id: ID<Wallet>, of user: ID<User>, on chain: String) async throws -> LinkedWallet {
        let (wallet, home) = try await wallet(id, of: user)
        guard home == chain, let address = EthereumAddress(wallet.address) else {
            throw Problem(422, "wallet_on_other_chain", "The wallet isn't on \(chain). Name another one.")
        }
        return LinkedWallet(id: id, user: user, address: address)
    }
}
