import Compliance
import Kernel
import PostgreSQL

/// Who keeps an address: as a wallet that isn't revoked, or in the address book.
///
/// Of a whole account on Bitcoin it is the first address that is compared; money is screened wherever it goes.
struct WalletKeeper: AddressKeeper {
    let schema: Schema
    let pool: Pool

    func keepers(of address: String, after user: ID<User>, limit: Int) async throws -> [KeptAddress] {
        // Both indices are by small letters; whether the case matters is the asker's to say.
        let small = address.lowercased()
        let found: SQL = """
            select user_id, account, true as is_wallet from \(schema).wallets
            where lower(address) = \(small) and status <> 'revoked' and user_id > \(user)
            union all
            select user_id, account, false from \(schema).address_book
            where lower(address) = \(small) and removed_at is null and user_id > \(user)
            """
        return try await pool.query(
            """
            with found as (\(found)), page as (
                select distinct user_id from found order by user_id limit \(limit)
            )
            select user_id, account, is_wallet from found join page using (user_id)
            order by user_id, account, is_wallet
            """
        ).map { row in
            let isWallet: Bool = try row["is_wallet"]
            return KeptAddress(user: try row["user_id"], account: try row["account"], use: isWallet ? .wallet : .payout)
        }
    }
}
