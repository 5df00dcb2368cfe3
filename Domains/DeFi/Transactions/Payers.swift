import Compliance
import Kernel
import PostgreSQL
import WalletCrypto

/// The wallets that transactions come from, and the addresses that they may go to.
struct Payers: Sendable {
    let schema: Schema
    let pool: Pool
    let screening: any AddressScreening

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

    /// Checks that a user may send to an address: an entry of the address book whose lock is open, or an own wallet,
    /// that compliance holds nothing against now.
    ///
    /// - Throws: 422 `recipient_not_in_address_book`, `recipient_locked`, `address_blocked`, `address_in_review`.
    func check(_ recipient: EthereumAddress, for user: ID<User>, on chain: String) async throws {
        try await check(recipient.description, for: user, on: chain)
    }

    /// The same on any chain, of an address in its one spelling.
    func check(_ recipient: String, for user: ID<User>, on chain: String) async throws {
        guard let named = AccountID("\(chain):\(recipient)") else {
            throw Problem(422, "bad_checksum", "The address can't be read. Copy it again.")
        }
        let account = named.description
        let rows = try await pool.query(
            """
            select id, opens_at <= clock_timestamp() as is_open from \(schema).address_book
            where user_id = \(user) and account = \(account) and removed_at is null
            union all
            select id, true from \(schema).wallets
            where user_id = \(user) and account = \(account) and status = 'verified'
            """
        )
        guard !rows.isEmpty else {
            throw Problem(
                422,
                "recipient_not_in_address_book",
                "The address is none of your address book. Add it first.",
                faults: [Problem.Fault("/to", "recipient_not_in_address_book")]
            )
        }
        for row in rows where try row["is_open"] {
            return try await screening.requireApproved(named, for: user, subject: try row["id"], .payout)
        }
        throw Problem(
            422,
            "recipient_locked",
            "The address is still locked. Wait until it opens.",
            faults: [Problem.Fault("/to", "recipient_locked")]
        )
    }
}
