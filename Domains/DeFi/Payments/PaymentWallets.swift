import Kernel
import Ledger
import PostgreSQL

/// What blocks do to wallets on a chain of payments: what came and went, and what a proven wallet has.
struct PaymentWallets: Sendable {
    let chain: any PaymentChain
    let books: WalletBooks

    /// What a block makes of the wallets on its chain.
    ///
    /// Where they can't be read they are to be read anew, and the block goes without what they have.
    func effects(of block: PaymentBlock) async throws -> WalletEffects {
        let moves = block.entries.flatMap { $0.moves }.filter { $0.amount != 0 }
        let wallets = try await books.followed(Array(Set(moves.map(\.address))))
        let flows = flows(in: block, moves, wallets)
        var effects = WalletEffects()
        effects.apart = flows.map { wallet, rows in
            LedgerItem(operation: wallet.cast(), commands: []) { _, _ in .init(rows: rows) }
        }
        let known = try await books.known(wallets.values.flatMap(\.self))
        if !known.isEmpty { effects.later = [item([WalletsDueRow(wallets: known.map(\.id))])] }
        do {
            effects.items = effects.apart + (try await readings(of: known, after: block))
        } catch let error as NodeError {
            (effects.items, effects.fault) = (effects.apart + effects.later, error)
        }
        return effects
    }

    private func readings(of known: [WalletBooks.Due], after block: PaymentBlock) async throws -> [LedgerItem] {
        guard !known.isEmpty else { return [] }
        let reading = try await chain.reading(of: known.map(\.address), after: block)
        let read = known.map {
            WalletReadRow(wallet: $0.id, chain: chain.name, block: block.reference, isOver: false)
        }
        return try await differences(known, reading) + [item(reading.rows + read)]
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
            items += try await differences(alive, reading)
            rows += reading.rows
        }
        items += try await books.endings(among: due, of: chain.assets)
        rows += due.map { WalletReadRow(wallet: $0.id, chain: chain.name, block: tip, isOver: $0.isOver) }
        return items + [item(rows)]
    }

    private func item(_ rows: [any StoredRow]) -> LedgerItem {
        LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: rows) }
    }

    private func differences(_ wallets: [WalletBooks.Due], _ reading: AccountReading) async throws -> [LedgerItem] {
        var items: [LedgerItem] = []
        for wallet in wallets {
            let balances = reading.balances[wallet.address] ?? []
            let amounts = chain.assets.map { asset -> (Asset, Int128?) in
                (asset, balances.first { $0.asset == asset }?.minorUnits ?? 0)
            }
            items += try await books.difference(wallet, amounts)
        }
        return items
    }

    // MARK: What came and went

    private struct Place: Hashable {
        let address: String
        let asset: Asset
    }

    /// What came to each wallet and left it, as rows.
    private func flows(
        in block: PaymentBlock,
        _ moves: [PaymentBlock.Move],
        _ wallets: [String: [ID<Wallet>]]
    ) -> [ID<Wallet>: [any StoredRow]] {
        var rows: [ID<Wallet>: [any StoredRow]] = [:]
        for (place, flow) in Self.totals(moves.filter { wallets[$0.address] != nil }) {
            for wallet in wallets[place.address] ?? [] {
                let (asset, received, sent) = (place.asset, flow.received, flow.sent)
                rows[wallet, default: []] += [
                    WalletTotalsRow(wallet: wallet, asset: asset, received: received, sent: sent),
                    WalletFlowRow(
                        chain: chain.name,
                        block: block.reference,
                        wallet: wallet,
                        asset: asset,
                        flow: flow
                    ),
                ]
            }
        }
        return rows
    }

    private static func totals(_ moves: [PaymentBlock.Move]) -> [Place: WalletFlow] {
        var totals: [Place: WalletFlow] = [:]
        for move in moves {
            let place = Place(address: move.address, asset: move.asset)
            if move.amount > 0 {
                totals[place, default: WalletFlow()].received += move.amount
            } else {
                totals[place, default: WalletFlow()].sent -= move.amount
            }
        }
        return totals
    }
}
