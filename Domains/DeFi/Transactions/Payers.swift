import Kernel
import PostgreSQL
import WalletCrypto

/// The wallets that transactions come from.
struct Payers: Sendable {
    let schema: Schema
    let pool: Pool

    /// A user's verified wallet on a chain.
    ///
    /// - Throws: 404; 422 `wallet_not_verified`, `wallet_on_other_chain`.
    func wallet(_ id: ID<Wallet>, of user: ID<User>, on chain: String) async throws -> LinkedWallet {
        let rows = try await pool.query(
            """
            select account, address, status from \(schema).wallets
            where id = \(id) and user_id = \(user) and status <> 'revoked'
            """
        )
        guard let row = rows.first else { throw Problem(404, "not_found", "There is no such wallet.") }
        let (account, text, status): (String, String, String) = (
            try row["account"], try row["address"], try row["status"]
        )
        guard status == "verified" else {
            throw Problem(422, "wallet_not_verified", "Prove first that the wallet is yours.")
        }
        guard account == "\(chain):\(text)", let address = EthereumAddress(text) else {
            throw Problem(422, "wallet_on_other_chain", "The wallet isn't on \(chain). Name another one.")
        }
        return LinkedWallet(id: id, user: user, address: address)
    }
}
