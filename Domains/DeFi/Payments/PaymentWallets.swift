import Kernel
import Ledger
import PostgreSQL

/// What blocks do to wallets on a chain of payments: what came and went, and what a proven wallet has.
struct PaymentWallets: Sendable {
    let chain: any PaymentChain
    let books: WalletBooks

    /// What a block makes of the wallets on its chain.
    func items(at block: PaymentBlock) async throws -> [LedgerItem] {
        let moves = block.entries.flatMap { $0.moves }.filter { $0.amount != 0 }
        let wallets = try await books.followed(Array(Set(moves.map(\.address))))
        var rows: [any StoredRow] = []
        for (place, flow) in Self.totals(moves.filter { wallets[$0.address] != nil }) {
            for wallet in wallets[place.address] ?? [] {
                let (asset, received, sent) = (place.asset, flow.received, flow.sent)
                rows.append(WalletTotalsRow(wallet: wallet, asset: asset, received: received, sent: sent))
                rows.append(
                    WalletFlowRow(chain: chain.name, block: block.reference, wallet: wallet, asset: asset, flow: flow)
                )
            }
        }
        var items: [LedgerItem] = []
        let known = try await books.known(wallets.values.flatMap(\.self))
        if !known.isEmpty {
            let reading = try await chain.reading(of: known.map(\.address), after: block)
            rows += reading.rows
            items += try await differences(known, reading)
            rows += known.map {
                WalletReadRow(wallet: $0.id, chain: chain.name, block: block.reference, isOver: false)
            }
        }
        let stored = rows
        if !stored.isEmpty {
            items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: stored) })
        }
        return items
    }

    /// What is to be stored of wallets that were never read, whose blocks were taken back, or that are revoked, once
    /// all blocks are followed up to the tip; nothing where the chain has gone on meanwhile.
    func items(dueAt tip: BlockReference) async throws -> [LedgerItem] {
        let due = try await books.due([])
        guard !due.isEmpty else { return [] }
        let alive = due.filter { !$0.isOver }
        var (items, rows): ([LedgerItem], [any StoredRow]) = ([], [])
        if !alive.isEmpty {
            let reading = try await chain.reading(of: alive.map(\.address))
            // It is as of one block, or it is of no use: what comes later is added to it.
            // Where only final blocks are followed nothing of it is taken back, and it may be ahead.
            let isAhead = chain.confirmations == 1 && reading.block.number > tip.number
            guard reading.block == tip || isAhead else { return [] }
            items += try await differences(alive, reading)
            rows += reading.rows
        }
        let over = due.filter(\.isOver)
        for wallet in over { items += try await books.difference(wallet, chain.assets.map { ($0, 0) }) }
        if !over.isEmpty { rows += chain.forgetting(over.map(\.address)) }
        rows += due.map { WalletReadRow(wallet: $0.id, chain: chain.name, block: tip, isOver: $0.isOver) }
        let stored = rows
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: stored) })
        return items
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

    private struct Place: Hashable {
        let address: String
        let asset: Asset
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
