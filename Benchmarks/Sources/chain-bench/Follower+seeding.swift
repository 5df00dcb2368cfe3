import Kernel
import DomainKit
import Ledger
import PostgreSQL
import WalletCrypto

/// A strategy and whose it is, as far as the measurements need it.
struct Position: Sendable {
    let strategy: ID<StrategyName>
    let user: ID<User>
}

extension Follower {
    /// Principal of every position, in USDC's smallest units.
    static let principal = 3_000_000_000

    /// An address that nobody has the key of.
    static func stranger(_ place: Int) -> EthereumAddress {
        let bytes =
            [UInt8](repeating: 0xAB, count: 12) + (0..<8).map { UInt8(truncatingIfNeeded: place >> (56 - 8 * $0)) }
        guard let address = EthereumAddress(bytes: bytes) else { preconditionFailure("20 bytes") }
        return address
    }

    /// Follows so many wallets, watched by one user.
    func follow(wallets count: Int) async throws {
        let user: ID<User> = ids.next()
        for start in stride(from: 0, to: count, by: 5_000) {
            let addresses = (start..<min(start + 5_000, count)).map { Self.stranger($0).description }
            let wallets = addresses.map { _ in ids.next(StrategyName.self) }
            _ = try await pool.query(
                """
                insert into defi.wallets (id, user_id, chain, network, account, address, type, label, created_at,
                    updated_at)
                select n.id, \(user), 'ethereum', 'local', 'eip155:31337:' || n.address, n.address, 'hot', 'Bench',
                    now(), now()
                from unnest(\(wallets), \(addresses)) as n(id, address)
                """
            )
        }
    }

    /// Gives a followed wallet its coins and a position in the vault.
    func provide(_ wallet: EthereumAddress) async throws {
        let (usdc, vault) = (try chain.contract("USDC"), try chain.contract("ERC4626Vault"))
        let amount = BigUInt(UInt64(Self.principal))
        try await chain.call("dev_mint", "USDC", .string(chain.custodian.description), .integer(1_000_000_000_000))
        try await chain.pay(wallet, wei: 10_000_000_000_000_000_000)
        try await chain.send("approve(address,uint256)", [.address(vault), .uint(BigUInt.powerOfTen(12))], to: usdc)
        try await chain.send("deposit(uint256,address)", [.uint(amount), .address(wallet)], to: vault)
    }

    /// Strategies over one position, each with its share of the books; with a limit where `stopLoss` gives one.
    func strategies(_ count: Int, of wallet: EthereumAddress, stopLoss: Int64?) async throws -> [Position] {
        let rows = try await pool.query(
            "select id, user_id from defi.wallets where address = \(wallet.description)"
        )
        let (walletID, user): (ID<StrategyName>, ID<User>) = (try rows[0]["id"], try rows[0]["user_id"])
        let positions = (0..<count).map { _ in Position(strategy: ids.next(), user: user) }
        _ = try await pool.query(
            """
            insert into defi.strategies (id, user_id, wallet, chain, address, offer, asset, status, is_numbered,
                principal, stop_loss, peak, created_at, updated_at)
            select n.id, \(user), \(walletID), 'eip155:31337', \(wallet.description), 'vault-usdc', 'USDC', 'active',
                true, \(Int128(Self.principal)), \(stopLoss), 1000000000, now(), now()
            from unnest(\(positions.map(\.strategy))) as n(id)
            """
        )
        try await book(positions)
        return positions
    }

    private func book(_ positions: [Position]) async throws {
        let house = try await runtime.accounts.open(AccountKey(house: "on_chain", .usdc))
        var items: [LedgerItem] = []
        for position in positions {
            let kind = "strategy:" + position.strategy.wire
            let account = try await runtime.accounts.open(AccountKey(position.user, kind, .usdc))
            let transfer = NewTransfer(
                id: ids.next(),
                debit: house,
                credit: account,
                amount: Int128(Self.principal),
                code: "bench"
            )
            items.append(LedgerItem(operation: ids.next(), commands: [.transfer(transfer)]))
        }
        for start in stride(from: 0, to: items.count, by: 500) {
            _ = try await runtime.ledger.submit(batch: Array(items[start..<min(start + 500, items.count)]))
        }
    }
}

/// Has the prefix that strategies' ids have.
enum StrategyName: Entity {
    static let idPrefix = "stg"
}
