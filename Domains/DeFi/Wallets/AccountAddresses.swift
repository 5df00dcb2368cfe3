import Kernel
import Logging
import PostgreSQL
import WalletCrypto

/// The addresses of whole accounts on Bitcoin that blocks are looked through for: those up to the last one that a block
/// had, and as many after it as the gap limit says (BIP-44).
struct AccountAddresses: Sendable {
    /// Branches of one look at most; the rest have their turn with the next block.
    static let branchesMax = 20

    let schema: Schema
    let pool: Pool
    let network: ChainNetwork
    let logger: Logger

    /// What has a new wallet's addresses looked for.
    static func branches(
        of wallet: ID<Wallet>,
        _ derivation: Derivation,
        on network: ChainNetwork,
        in schema: Schema
    ) -> SQL {
        """
        insert into \(schema).wallet_branches (wallet, chain, branch, gap_limit)
        select \(wallet), \(network.id.description), branch, \(derivation.gapLimit) from (values (0), (1)) n(branch)
        """
    }

    /// Derives what is to be looked for and isn't yet; doing so twice is doing so once.
    ///
    /// - Throws: a `PostgresError`; a key of which nothing derives is told of and left out.
    func derive() async throws {
        let due = try await pool.query(
            """
            select b.wallet, b.branch, b.derived, b.used, w.extended_key, w.script, w.gap_limit
            from \(schema).wallet_branches b join \(schema).wallets w on w.id = b.wallet and w.status <> 'revoked'
            where b.chain = \(network.id.description) and b.derived < b.used + b.gap_limit
            order by b.derived desc, b.wallet, b.branch limit \(AccountAddresses.branchesMax)
            """
        )
        for row in due {
            do {
                try await derive(row)
            } catch let error where error is ExtendedPublicKey.Fault || error is WalletFault {
                let wallet: ID<Wallet> = try row["wallet"]
                logger.error(
                    "nothing derives from a wallet's key; an operator must look",
                    metadata: ["wallet": "\(wallet.wire)", "error": "\(error)"]
                )
            }
        }
    }

    private func derive(_ row: Row) async throws {
        let (number, derived, used): (Int, Int, Int) = (try row["branch"], try row["derived"], try row["used"])
        guard let account = try Derivation(row)?.watching(on: network),
            let branch = WatchOnlyAccount.Branch(rawValue: UInt32(number))
        else { throw WalletFault.unknownKey }
        let wallet: ID<Wallet> = try row["wallet"]
        let end = account.watched(lastUsed: used > 0 ? used - 1 : nil).upperBound
        let accounts = try account.addresses(branch, derived..<max(derived, end))
            .map { "\(network.id.description):\($0)" }
        _ = try await pool.query(
            """
            with made as (
                insert into \(schema).wallet_addresses (wallet, branch, place, account)
                select \(wallet), \(number), n.place, n.account
                from unnest(\(Array(derived..<derived + accounts.count)), \(accounts)) as n(place, account)
                on conflict (wallet, branch, place) do nothing)
            update \(schema).wallet_branches set derived = greatest(derived, \(derived + accounts.count))
            where wallet = \(wallet) and branch = \(number)
            """
        )
    }
}

/// Addresses that a block had, as far as they are those of whole accounts.
struct UsedAddressesRow: StoredRow {
    /// CAIP-2.
    let chain: String
    let addresses: [String]

    static func store(_ rows: [UsedAddressesRow], in schema: Schema, at: Timestamp) -> [SQL] {
        let accounts = rows.flatMap { row in row.addresses.map { "\(row.chain):\($0)" } }
        return [
            """
            update \(schema).wallet_branches b set used = n.used
            from (
                select wallet, branch, max(place) + 1 as used from \(schema).wallet_addresses
                where account = any(\(accounts)) group by wallet, branch) n
            where b.wallet = n.wallet and b.branch = n.branch and b.used < n.used
            """
        ]
    }

    static var mustTouchEachRow: Bool { false }
}
