import Kernel
import Ledger
import Messaging
import PostgreSQL
import WalletCrypto

/// What blocks do to customers' wallets: what came and went, and what a proven wallet has.
///
/// However many wallets there are, a block costs one look at its transactions and events. What a wallet has is read
/// from the chain's state when a block touched it, and the difference to the books is posted.
struct WalletWatch: Sendable {
    let chain: EthereumChain
    let books: WalletBooks

    /// The chain's tokens that are assets here.
    private var assets: [(asset: Asset, token: EthereumAddress)] {
        chain.deployment.tokens.compactMap { token in Asset(code: token.symbol).map { ($0, token.contract) } }
    }

    /// What a block makes of the wallets on its chain; `moved` are the intents that it has, or has something else in
    /// the place of.
    func items(
        at block: EthereumBlock,
        _ logs: [EthereumLog],
        moved: Set<ID<Intent>> = []
    ) async throws -> [LedgerItem] {
        let moves = try await moves(in: block, logs)
        var touched = Set(block.entries.map(\.sender))
        for move in moves { touched.formUnion([move.from, move.to]) }
        let wallets = try await followed(Array(touched))
        var rows: [any StoredRow] = []
        for (place, flow) in Self.totals(moves) {
            for wallet in wallets[place.address] ?? [] {
                let (received, sent) = (flow.received, flow.sent)
                rows.append(WalletTotalsRow(wallet: wallet, asset: place.asset, received: received, sent: sent))
                rows.append(
                    WalletFlowRow(
                        chain: chain.name,
                        block: block.reference,
                        wallet: wallet,
                        asset: place.asset,
                        flow: flow
                    )
                )
            }
        }
        let concerned = wallets.values.flatMap(\.self)
        let due = try await books.due(concerned)
        let (read, partial) = try await differences(due, at: block, moved: moved)
        var items = read
        for wallet in due {
            rows.append(
                WalletReadRow(
                    wallet: wallet.id,
                    chain: chain.name,
                    block: block.reference,
                    isOver: wallet.isOver,
                    isPartial: partial.contains(wallet.id)
                )
            )
        }
        let waiting = Set(concerned).subtracting(due.map(\.id))
        if !waiting.isEmpty { rows.append(WalletsDueRow(wallets: waiting.sorted())) }
        let stored = rows
        if !stored.isEmpty {
            items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: stored) })
        }
        return items
    }

    // MARK: What came and went

    private struct Move {
        let asset: Asset
        let from: EthereumAddress
        let to: EthereumAddress
        let amount: Int128
    }

    private struct Place: Hashable {
        let address: EthereumAddress
        let asset: Asset
    }

    /// What moves add up to, by account and asset.
    private static func totals(_ moves: [Move]) -> [Place: WalletFlow] {
        var totals: [Place: WalletFlow] = [:]
        func saturating(_ sum: Int128, _ amount: Int128) -> Int128 {
            let (exact, overflow) = sum.addingReportingOverflow(amount)
            return overflow ? .max : exact
        }
        for move in moves where move.amount > 0 {
            let (to, from) = (Place(address: move.to, asset: move.asset), Place(address: move.from, asset: move.asset))
            totals[to, default: WalletFlow()].received = saturating(totals[to]?.received ?? 0, move.amount)
            totals[from, default: WalletFlow()].sent = saturating(totals[from]?.sent ?? 0, move.amount)
        }
        return totals
    }

    /// Coins that the block's transactions carry, and tokens that its events say moved.
    private func moves(in block: EthereumBlock, _ logs: [EthereumLog]) async throws -> [Move] {
        var moves: [Move] = []
        for log in logs {
            guard let token = assets.first(where: { $0.token == log.contract }), let moved = log.transfer else {
                continue
            }
            let amount = Int128(clamping: moved.amount)
            moves.append(Move(asset: token.asset, from: moved.from, to: moved.to, amount: amount))
        }
        let paying = block.entries.filter { !$0.value.isZero }
        guard !paying.isEmpty else { return moves }
        let ours = Set(try await followed(paying.flatMap { [$0.sender, $0.to].compactMap(\.self) }).keys)
        // Coins come with no event: whether they went is in the receipt.
        let asked = paying.filter { ours.contains($0.sender) || $0.to.map(ours.contains) == true }
        let receipts = try await chain.nodes.first.receipts(asked.map(\.hash))
        for (entry, receipt) in zip(asked, receipts) {
            // A node that has the block and not yet its receipts is asked again: what isn't counted now never is.
            guard let receipt, receipt.block == block.reference else {
                throw NodeError.malformed("no receipt of a transaction in block \(block.number)")
            }
            guard receipt.succeeded, let to = entry.to else { continue }
            let amount = Int128(clamping: entry.value)
            moves.append(Move(asset: EthereumChain.gasAsset, from: entry.sender, to: to, amount: amount))
        }
        return moves
    }

    /// The wallets at some of these addresses.
    private func followed(_ addresses: [EthereumAddress]) async throws -> [EthereumAddress: [ID<Wallet>]] {
        var found: [EthereumAddress: [ID<Wallet>]] = [:]
        for (text, wallets) in try await books.followed(addresses.map(\.description)) {
            if let address = EthereumAddress(text) { found[address] = wallets }
        }
        return found
    }

    // MARK: What a wallet has

    /// What is to be posted so that the books say what the chain does, and the wallets of which the node didn't say
    /// all.
    private func differences(
        _ due: [WalletBooks.Due],
        at block: EthereumBlock,
        moved: Set<ID<Intent>>
    ) async throws -> (items: [LedgerItem], partial: Set<ID<Wallet>>) {
        let alive = due.filter { !$0.isOver }
        let node = chain.nodes.first
        let addresses = alive.compactMap { EthereumAddress($0.address) }
        guard addresses.count == alive.count else { throw WalletFault.unknownAccount }
        let coins = try await node.balances(of: addresses, at: .number(block.number))
        let views = addresses.flatMap { wallet in assets.map { EthereumNode.View.balance(of: wallet, in: $0.token) } }
        var tokens = try await node.views(views, at: .number(block.number))[...]
        var (readings, partial): ([WalletBooks.Reading], Set<ID<Wallet>>) = ([], [])
        for (wallet, coins) in zip(alive, coins) {
            var amounts = [(EthereumChain.gasAsset, coins)]
            for (asset, _) in assets { amounts.append((asset, tokens.popFirst()?.map { BigUInt(bigEndian: $0) })) }
            if amounts.contains(where: { $0.1 == nil }) { partial.insert(wallet.id) }
            let known = amounts.map { (asset: $0, amount: $1.map { Int128(clamping: $0) }) }
            readings.append(WalletBooks.Reading(wallet: wallet, amounts: known))
        }
        var items = try await books.differences(readings, moved: moved)
        items += try await books.endings(among: due, of: [EthereumChain.gasAsset] + assets.map(\.asset))
        return (items, partial)
    }
}
