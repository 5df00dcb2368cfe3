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
    /// Wallets that are read in one block at most; the rest have their turn in the next ones.
    static let readMax = 200

    let chain: EthereumChain
    let schema: Schema
    let pool: Pool
    let accounts: LedgerAccounts
    let ids: IDGenerator

    /// The customer's account for what their proven wallet on a chain has.
    static func account(_ user: ID<User>, _ chain: String, _ asset: Asset) -> AccountKey {
        AccountKey(user, "wallet:\(chain)", asset)
    }

    /// The chain's tokens that are assets here.
    private var assets: [(asset: Asset, token: EthereumAddress)] {
        chain.deployment.tokens.compactMap { token in Asset(code: token.symbol).map { ($0, token.contract) } }
    }

    /// What a block makes of the wallets on its chain.
    func items(at block: EthereumBlock, _ logs: [EthereumLog]) async throws -> [LedgerItem] {
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
        let due = try await due(wallets.values.flatMap(\.self))
        var items = try await differences(due, at: block)
        rows += due.map { WalletReadRow(wallet: $0.id, chain: chain.name, block: block.reference, isOver: $0.isOver) }
        let stored = rows
        if !stored.isEmpty {
            items.append(LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: stored) })
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
        for (entry, receipt) in zip(asked, receipts) where receipt?.succeeded == true {
            guard let to = entry.to else { continue }
            let amount = Int128(clamping: entry.value)
            moves.append(Move(asset: EthereumChain.gasAsset, from: entry.sender, to: to, amount: amount))
        }
        return moves
    }

    /// The wallets at some of these addresses.
    private func followed(_ addresses: [EthereumAddress]) async throws -> [EthereumAddress: [ID<Wallet>]] {
        guard !addresses.isEmpty else { return [:] }
        let rows = try await pool.query(
            """
            select id, address from \(schema).wallets
            where account = any(\(addresses.map { "\(chain.name):\($0)" })) and status <> 'revoked'
            """
        )
        var found: [EthereumAddress: [ID<Wallet>]] = [:]
        for row in rows {
            let (id, text): (ID<Wallet>, String) = (try row["id"], try row["address"])
            if let address = EthereumAddress(text) { found[address, default: []].append(id) }
        }
        return found
    }

    // MARK: What a wallet has

    private struct Due: Sendable {
        let id: ID<Wallet>
        let user: ID<User>
        let address: EthereumAddress
        /// It is revoked: what it has is nothing to us any more.
        let isOver: Bool
    }

    /// Proven wallets that are to be read: those touched, those that are due, and those that never were.
    private func due(_ touched: [ID<Wallet>]) async throws -> [Due] {
        try await pool.query(
            """
            select w.id, w.user_id, w.address, w.status = 'revoked' as is_over
            from (
                select id from \(schema).wallets where id = any(\(touched)) and status = 'verified'
                union
                select wallet from \(schema).wallet_reads where chain = \(chain.name) and is_due
                union
                select v.id from \(schema).wallets v
                left join \(schema).wallet_reads r on r.wallet = v.id
                where v.status = 'verified' and v.account like \(chain.name + ":%") and r.wallet is null) n
            join \(schema).wallets w on w.id = n.id
            order by w.id limit \(WalletWatch.readMax)
            """
        ).compactMap { row in
            let text: String = try row["address"]
            guard let address = EthereumAddress(text) else { return nil }
            return Due(id: try row["id"], user: try row["user_id"], address: address, isOver: try row["is_over"])
        }
    }

    /// What is to be posted so that the books say what the chain does.
    private func differences(_ due: [Due], at block: EthereumBlock) async throws -> [LedgerItem] {
        let alive = due.filter { !$0.isOver }
        let node = chain.nodes.first
        let coins = try await node.balances(of: alive.map(\.address), at: .number(block.number))
        let views = alive.flatMap { wallet in assets.map { EthereumNode.View.balance(of: wallet.address, in: $0.token) }
        }
        var tokens = try await node.views(views, at: .number(block.number))[...]
        var items: [LedgerItem] = []
        for (wallet, coins) in zip(alive, coins) {
            var amounts = [(EthereumChain.gasAsset, coins)]
            for (asset, _) in assets { amounts.append((asset, tokens.popFirst()?.map { BigUInt(bigEndian: $0) })) }
            items += try await difference(wallet, amounts)
        }
        for wallet in due where wallet.isOver {
            items += try await difference(wallet, ([EthereumChain.gasAsset] + assets.map(\.asset)).map { ($0, .zero) })
        }
        return items
    }

    private func difference(_ wallet: Due, _ amounts: [(Asset, BigUInt?)]) async throws -> [LedgerItem] {
        let kind = Self.account(wallet.user, chain.name, EthereumChain.gasAsset).kind
        let known = try await accounts.balances(of: wallet.user.value).filter { $0.kind == kind }
        var commands: [LedgerCommand] = []
        for (asset, amount) in amounts {
            guard let amount else { continue }
            let before = known.first { $0.total.asset == asset }?.total.minorUnits ?? 0
            let now = Int128(clamping: amount)
            guard before != now else { continue }
            let own = try await accounts.open(Self.account(wallet.user, chain.name, asset))
            let other = try await accounts.open(AccountKey(house: IntentBooks.onChain, asset))
            commands.append(
                .transfer(
                    NewTransfer(
                        id: ids.next(),
                        debit: now > before ? other : own,
                        credit: now > before ? own : other,
                        amount: now > before ? now - before : before - now,
                        code: "wallet_balance"
                    )
                )
            )
        }
        guard !commands.isEmpty else { return [] }
        let (event, aggregate): (ID<OutboxEvent>, ID<WalletReadRow>) = (ids.next(), ids.next())
        let told: [JSON.Member] = [
            .init("wallet", .string(wallet.id.wire)), .init("user", .string(wallet.user.wire)),
        ]
        let item = LedgerItem(operation: wallet.id.cast(), commands: commands) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            // Each reading is an aggregate of its own, with one event.
            let row = OutboxEvent(
                id: event,
                aggregateType: "wallet_reading",
                aggregate: aggregate,
                version: 1,
                type: "defi.wallet.read",
                payload: .object(told + [.init("balances", BalanceSnapshot.json(receipt))])
            )
            return LedgerItem.Finish(rows: [row])
        }
        return [item]
    }
}
