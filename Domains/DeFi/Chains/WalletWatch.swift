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
    func effects(
        of block: EthereumBlock,
        _ events: BlockEvents,
        moved: Set<ID<Intent>> = []
    ) async throws -> WalletEffects {
        let wallets = try await followed(Array(Self.touched(by: block, moves(events.all))))
        let (told, unclear) = try await moves(in: block, events, of: Set(wallets.keys))
        var effects = WalletEffects()
        effects.apart = flows(told, of: wallets, in: block.reference).map { wallet, rows in
            LedgerItem(operation: wallet.cast(), commands: []) { _, _ in .init(rows: rows) }
        }
        let concerned = wallets.values.flatMap(\.self)
        let due = try await books.due(concerned)
        let (read, unread) = try await differences(due, at: block, moved: moved)
        effects.unread = unread
        var rows: [any StoredRow] = due.map { wallet in
            WalletReadRow(
                wallet: wallet.id,
                chain: chain.name,
                block: block.reference,
                isOver: wallet.isOver,
                isPartial: unread[wallet.id] != nil
            )
        }
        let waiting = Set(concerned).subtracting(due.map(\.id))
        if !waiting.isEmpty { rows.append(WalletsDueRow(wallets: waiting.sorted())) }
        let asked: [any StoredRow] = unclear.map {
            UnclearTransactionRow(chain: chain.name, hash: $0, block: block.reference)
        }
        rows += asked
        effects.items = effects.apart + read + (rows.isEmpty ? [] : [item(rows)])
        let all = Set(concerned).union(due.map(\.id))
        if !all.isEmpty { effects.later = [item([WalletsDueRow(wallets: all.sorted())] + asked)] }
        return effects
    }

    /// What transactions of a followed block moved, as far as all nodes say the same of them by now.
    func cleared(_ group: UnclearTransactions.Group) async throws -> ClearedTransactions {
        var cleared = ClearedTransactions(operation: books.ids.next())
        // Another block in its place is for who follows the chain to find.
        guard let block = try await chain.nodes.block(group.block.number), block.reference == group.block else {
            return cleared
        }
        let entries = block.entries.filter { group.hashes.contains($0.hash) }
        let (moves, unclear) = try await moves(by: entries, in: block)
        let wallets = try await followed(moves.flatMap { [$0.from, $0.to] })
        cleared.hashes = entries.map(\.hash).filter { !unclear.contains($0) }
        cleared.rows = flows(moves, of: wallets, in: block.reference).values.flatMap(\.self)
        return cleared
    }

    private func flows(
        _ moves: [Move],
        of wallets: [EthereumAddress: [ID<Wallet>]],
        in block: BlockReference
    ) -> [ID<Wallet>: [any StoredRow]] {
        var flows: [ID<Wallet>: [any StoredRow]] = [:]
        for (place, flow) in Self.totals(moves) {
            for wallet in wallets[place.address] ?? [] {
                let (asset, received, sent) = (place.asset, flow.received, flow.sent)
                flows[wallet, default: []] += [
                    WalletTotalsRow(wallet: wallet, asset: asset, received: received, sent: sent),
                    WalletFlowRow(chain: chain.name, block: block, wallet: wallet, asset: asset, flow: flow),
                ]
            }
        }
        return flows
    }

    private func item(_ rows: [any StoredRow]) -> LedgerItem {
        LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: rows) }
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

    /// Whom a block may be about: who sends, who gets coins, and whom its events name.
    private static func touched(by block: EthereumBlock, _ told: [Move]) -> Set<EthereumAddress> {
        var touched = Set(block.entries.map(\.sender))
        touched.formUnion(block.entries.filter { !$0.value.isZero }.compactMap(\.to))
        for move in told { touched.formUnion([move.from, move.to]) }
        return touched
    }

    /// What events say of tokens that are assets here.
    private func moves(_ events: [EthereumLog]) -> [Move] {
        events.compactMap { log in
            guard let token = assets.first(where: { $0.token == log.contract }), let moved = log.transfer else {
                return nil
            }
            return Move(asset: token.asset, from: moved.from, to: moved.to, amount: Int128(clamping: moved.amount))
        }
    }

    /// What a block moved, and its transactions of which the nodes don't say the same as far as they concern wallets of
    /// ours.
    ///
    /// Coins come with no event: whether they went is in the receipt, and so are the events that not all nodes have.
    private func moves(
        in block: EthereumBlock,
        _ events: BlockEvents,
        of ours: Set<EthereumAddress>
    ) async throws -> (moves: [Move], unclear: [[UInt8]]) {
        let disputed = Set(
            events.disputed.filter { log in
                moves([log]).contains { ours.contains($0.from) || ours.contains($0.to) }
            }.map(\.transaction)
        )
        let asked = block.entries.filter { entry in
            let isPaying = ours.contains(entry.sender) || entry.to.map(ours.contains) == true
            return disputed.contains(entry.hash) || isPaying && !entry.value.isZero
        }
        let known = Set(asked.map(\.hash))
        let (received, unclear) = try await moves(by: asked, in: block)
        return (moves(events.agreed.filter { !known.contains($0.transaction) }) + received, unclear)
    }

    /// What transactions moved by the receipts that all nodes give, and those of which they don't.
    private func moves(
        by entries: [EthereumBlock.Entry],
        in block: EthereumBlock
    ) async throws(NodeError) -> (moves: [Move], unclear: [[UInt8]]) {
        var (found, unclear): ([Move], [[UInt8]]) = ([], [])
        for (entry, receipt) in zip(entries, try await chain.nodes.receipts(entries.map(\.hash)).answers) {
            // A node may have a block before its receipts.
            guard let receipt, receipt.block == block.reference else {
                unclear.append(entry.hash)
                continue
            }
            guard receipt.succeeded else { continue }
            found += moves(receipt.logs)
            guard let to = entry.to else { continue }
            let amount = Int128(clamping: entry.value)
            found.append(Move(asset: EthereumChain.gasAsset, from: entry.sender, to: to, amount: amount))
        }
        return (found, unclear)
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

    /// What is to be posted so that the books say what the chain does, and the wallets of which the nodes didn't say
    /// all, or didn't say the same.
    private func differences(
        _ due: [WalletBooks.Due],
        at block: EthereumBlock,
        moved: Set<ID<Intent>>
    ) async throws -> (items: [LedgerItem], unread: [ID<Wallet>: NodeError]) {
        let alive = due.filter { !$0.isOver }
        let addresses = alive.compactMap { EthereumAddress($0.address) }
        guard addresses.count == alive.count else { throw WalletFault.unknownAccount }
        let coins = try await chain.nodes.balances(of: addresses, at: .number(block.number))
        let views = addresses.flatMap { wallet in assets.map { EthereumNode.View.balance(of: wallet, in: $0.token) } }
        let tokens = try await chain.nodes.views(views, at: .number(block.number))
        var (readings, unread): ([WalletBooks.Reading], [ID<Wallet>: NodeError]) = ([], [:])
        for (place, wallet) in alive.enumerated() {
            let places = place * assets.count..<(place + 1) * assets.count
            let isDisputed = coins.disputed.contains(place) || !tokens.disputed.isDisjoint(with: places)
            var amounts: [(asset: Asset, amount: Int128?)] = [
                (EthereumChain.gasAsset, coins.answers[place].map { Int128(clamping: $0) })
            ]
            for ((asset, _), answer) in zip(assets, tokens.answers[places]) {
                amounts.append((asset, answer.map { Int128(clamping: BigUInt(bigEndian: $0)) }))
            }
            if isDisputed {
                unread[wallet.id] = .disagreement("what a wallet has")
            } else if amounts.contains(where: { $0.amount == nil }) {
                unread[wallet.id] = .malformed("what a wallet has")
            }
            readings.append(WalletBooks.Reading(wallet: wallet, amounts: amounts))
        }
        var items = try await books.differences(readings, moved: moved)
        items += try await books.endings(among: due, of: [EthereumChain.gasAsset] + assets.map(\.asset))
        return (items, unread)
    }
}
