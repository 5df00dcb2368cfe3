import Kernel
import Ledger
import Logging
import PostgreSQL
import WalletCrypto

/// What blocks do to wallets on a chain of payments: what came and went, and what a proven wallet has.
struct PaymentWallets: Sendable {
    let chain: any PaymentChain
    let books: WalletBooks
    /// Whole accounts; nil where there is no such thing.
    let accounts: AccountAddresses?

    init(chain: any PaymentChain, books: WalletBooks, logger: Logger) {
        (self.chain, self.books) = (chain, books)
        let isBitcoin = chain.network.chain == .bitcoin
        accounts =
            isBitcoin
            ? AccountAddresses(schema: books.schema, pool: books.pool, network: chain.network, logger: logger) : nil
    }

    /// What a block makes of the wallets on its chain; whole accounts are looked for first.
    ///
    /// Where they can't be read they are to be read anew, and the block goes without what they have.
    /// `moved` are the payments that the block has, or has something else in the place of.
    func effects(of block: PaymentBlock, moved: Set<ID<Intent>> = []) async throws -> WalletEffects {
        try await accounts?.derive()
        let addresses = Set(block.entries.flatMap { $0.moves }.filter { $0.amount != 0 }.map(\.address))
        let wallets = try await books.followed(Array(addresses))
        let doubtful = try await books.followed(Array(Set(block.disputed.flatMap { $0.moves }.map(\.address))))
        var effects = WalletEffects()
        effects.apart = flows(block.entries, in: block.reference, wallets).map { wallet, rows in
            LedgerItem(operation: wallet.cast(), commands: []) { _, _ in .init(rows: rows) }
        }
        if accounts != nil, !wallets.isEmpty {
            effects.apart.append(item([UsedAddressesRow(chain: chain.name, addresses: Array(wallets.keys))]))
        }
        // Whom disputed transactions may be about is read anew: what blocks tell of them isn't all.
        let unclear = Set(doubtful.values.flatMap(\.self))
        if !unclear.isEmpty {
            let asked: [any StoredRow] = block.unclear { doubtful[$0] != nil }.map {
                UnclearTransactionRow(chain: chain.name, hash: $0, block: block.reference)
            }
            effects.apart.append(item(asked + [WalletsDueRow(wallets: unclear.sorted())]))
        }
        let known = try await books.known(wallets.values.flatMap(\.self).filter { !unclear.contains($0) })
        if !known.isEmpty { effects.later = [item([WalletsDueRow(wallets: known.map(\.id))])] }
        do {
            effects.items = effects.apart + (try await readings(of: known, after: block, moved: moved))
        } catch let error as NodeError {
            (effects.items, effects.fault) = (effects.apart + effects.later, error)
        }
        return effects
    }

    /// What transactions of a followed block moved, as far as all nodes say the same of them by now.
    func cleared(_ group: UnclearTransactions.Group) async throws -> ClearedTransactions {
        var cleared = ClearedTransactions(operation: books.ids.next())
        // Another block in its place is for who follows the chain to find.
        guard let block = try await chain.block(after: group.block.number - 1), block.reference == group.block else {
            return cleared
        }
        let entries = block.entries.filter { group.hashes.contains($0.id) }
        let wallets = try await books.followed(Array(Set(entries.flatMap { $0.moves }.map(\.address))))
        cleared.hashes = entries.map(\.id)
        cleared.rows = flows(entries, in: block.reference, wallets).values.flatMap(\.self)
        if accounts != nil, !wallets.isEmpty {
            cleared.rows.append(UsedAddressesRow(chain: chain.name, addresses: Array(wallets.keys)))
        }
        return cleared
    }

    private func readings(
        of known: [WalletBooks.Due],
        after block: PaymentBlock,
        moved: Set<ID<Intent>>
    ) async throws -> [LedgerItem] {
        guard !known.isEmpty else { return [] }
        let reading = try await chain.reading(of: known.map(\.address), after: block)
        let read = known.map {
            WalletReadRow(wallet: $0.id, chain: chain.name, block: block.reference, isOver: false)
        }
        return try await differences(known, reading, moved: moved) + [item(reading.rows + read)]
    }

    /// What is to be stored of wallets that were never read, whose blocks were taken back, or that are revoked, once
    /// all blocks are followed up to the tip; nothing where the chain has gone on meanwhile.
    func items(of due: [WalletBooks.Due], at tip: BlockReference) async throws -> [LedgerItem] {
        let (alive, over) = (due.filter { !$0.isOver }, due.filter(\.isOver))
        var (items, rows): ([LedgerItem], [any StoredRow]) = ([], [])
        // Before what is read: the same account may have been proven anew.
        let forgotten = over.filter { !$0.isAccountFollowed }.map(\.address)
        if !forgotten.isEmpty { rows += chain.forgetting(forgotten) }
        if !alive.isEmpty {
            let reading = try await chain.reading(of: alive.map(\.address))
            // It is as of one block, or it is of no use: what comes later is added to it.
            // Where only final blocks are followed nothing of it is taken back, and it may be ahead.
            let isAhead = chain.isFinal && reading.block.number > tip.number
            guard reading.block == tip || isAhead else { return [] }
            items += try await differences(alive, reading, moved: [])
            rows += reading.rows
        }
        items += try await books.endings(among: due, of: chain.assets)
        rows += due.map { WalletReadRow(wallet: $0.id, chain: chain.name, block: tip, isOver: $0.isOver) }
        return items + [item(rows)]
    }

    private func item(_ rows: [any StoredRow]) -> LedgerItem {
        LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: rows) }
    }

    private func differences(
        _ wallets: [WalletBooks.Due],
        _ reading: AccountReading,
        moved: Set<ID<Intent>>
    ) async throws -> [LedgerItem] {
        let readings = wallets.map { wallet in
            let balances = reading.balances[wallet.address] ?? []
            let amounts = chain.assets.map { asset -> (asset: Asset, amount: Int128?) in
                (asset, balances.first { $0.asset == asset }?.minorUnits ?? 0)
            }
            return WalletBooks.Reading(wallet: wallet, amounts: amounts)
        }
        return try await books.differences(readings, moved: moved)
    }

    // MARK: What came and went

    private struct Place: Hashable {
        let wallet: ID<Wallet>
        let asset: Asset
    }

    /// What came to each wallet and left it, as rows.
    private func flows(
        _ entries: [PaymentBlock.Entry],
        in block: BlockReference,
        _ wallets: [String: [ID<Wallet>]]
    ) -> [ID<Wallet>: [any StoredRow]] {
        var rows: [ID<Wallet>: [any StoredRow]] = [:]
        for (place, flow) in Self.totals(entries, wallets) {
            let (wallet, asset, received, sent) = (place.wallet, place.asset, flow.received, flow.sent)
            rows[wallet, default: []] += [
                WalletTotalsRow(wallet: wallet, asset: asset, received: received, sent: sent),
                WalletFlowRow(chain: chain.name, block: block, wallet: wallet, asset: asset, flow: flow),
            ]
        }
        return rows
    }

    /// What transactions add up to; what a wallet of several addresses pays itself by one is none of it.
    private static func totals(
        _ entries: [PaymentBlock.Entry],
        _ wallets: [String: [ID<Wallet>]]
    ) -> [Place: WalletFlow] {
        var totals: [Place: WalletFlow] = [:]
        for entry in entries {
            var nets: [Place: Int128] = [:]
            for move in entry.moves {
                for wallet in wallets[move.address] ?? [] {
                    nets[Place(wallet: wallet, asset: move.asset), default: 0] += move.amount
                }
            }
            for (place, net) in nets where net != 0 {
                if net > 0 {
                    totals[place, default: WalletFlow()].received += net
                } else {
                    totals[place, default: WalletFlow()].sent -= net
                }
            }
        }
        return totals
    }
}
