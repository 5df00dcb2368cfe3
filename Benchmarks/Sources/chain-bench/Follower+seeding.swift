import BenchServers
import DomainKit
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Has the prefix that strategies' ids have.
enum StrategyName: Entity {
    static let idPrefix = "stg"
}

extension Follower {
    private static let pageMax = 5_000

    /// Has so many proven wallets followed, each of a customer of its own; their places are those of the accounts.
    func follow(wallets count: Int) async throws {
        _ = try await pool.query(
            "insert into defi.chains (name) values (\(SyntheticChain.chain)) on conflict (name) do nothing"
        )
        for start in stride(from: 0, to: count, by: Self.pageMax) {
            let places = start..<min(start + Self.pageMax, count)
            let addresses = places.map { Account.address(UInt64($0)).description }
            let accounts = addresses.map { SyntheticChain.chain + ":" + $0 }
            let users = addresses.map { _ in ids.next(User.self) }
            let proofs = addresses.map { _ in ids.next(StrategyName.self) }
            try await pool.withTransaction { transaction in
                _ = try await transaction.query(
                    """
                    insert into defi.wallet_challenges (id, nonce, purpose, user_id, account, domain, uri, form,
                        message, issued_at, expires_at, consumed_at, outcome, signature)
                    select n.id, replace(n.id::text, '-', ''), 'link_wallet', n.user_id, n.account, 'bench', 'bench',
                        'text', 'bench', now(), now() + interval '5 minutes', now(), 'verified', '0x'
                    from unnest(\(proofs), \(users), \(accounts)) as n(id, user_id, account)
                    """
                )
                _ = try await transaction.query(
                    """
                    insert into defi.wallets (id, user_id, chain, network, account, address, type, label, status,
                        proof, verified_at, created_at, updated_at)
                    select n.id, n.user_id, 'ethereum', 'mainnet', n.account, n.address, 'hot', 'Bench', 'verified',
                        n.id, now(), now(), now()
                    from unnest(\(proofs), \(users), \(accounts), \(addresses)) as n(id, user_id, account, address)
                    """
                )
            }
        }
        try await server.analyze("defi.wallets")
    }

    /// Gives the first wallets a strategy each, which lose all at a limit of a twentieth (those before `limited`) or
    /// of nine tenths, with their share of the books.
    func open(strategies count: Int, limited: Int) async throws {
        chain.open(positions: count)
        let names = (0..<count).map { _ in ids.next(StrategyName.self) }
        let addresses = (0..<count).map { Account.address(UInt64($0)).description }
        let limits = (0..<count).map { Int64($0 < limited ? 50_000_000 : 900_000_000) }
        let rows = try await pool.query(
            """
            insert into defi.strategies (id, user_id, wallet, chain, address, offer, asset, status, principal,
                stop_loss, peak, created_at, updated_at)
            select n.id, w.user_id, w.id, \(SyntheticChain.chain), w.address, 'vault-usdc', 'USDC', 'active',
                \(Int128(SyntheticChain.shares)), n.stop_loss, 1000000000, now(), now()
            from unnest(\(names), \(addresses), \(limits)) as n(id, address, stop_loss)
            join defi.wallets w on w.address = n.address
            returning id, user_id
            """
        )
        let house = try await runtime.accounts.open(AccountKey(house: "on_chain", .usdc))
        var items: [LedgerItem] = []
        for row in rows {
            let (strategy, user): (ID<StrategyName>, ID<User>) = (try row["id"], try row["user_id"])
            let transfer = NewTransfer(
                id: ids.next(),
                debit: house,
                credit: try await runtime.accounts.open(AccountKey(user, "strategy:" + strategy.wire, .usdc)),
                amount: Int128(SyntheticChain.shares),
                code: "bench"
            )
            items.append(LedgerItem(operation: ids.next(), commands: [.transfer(transfer)]))
        }
        for start in stride(from: 0, to: items.count, by: 500) {
            _ = try await runtime.ledger.submit(batch: Array(items[start..<min(start + 500, items.count)]))
        }
        try await server.analyze("defi.strategies")
    }
}
