import Kernel
import Ledger
import Logging
import WalletCrypto

/// What blocks do to deposits and withdrawals.
struct CustodyWatch: Sendable {
    /// Deposits that are looked after in one step beside what blocks are about.
    static let choresMax = 100

    let chain: EthereumChain
    let custodian: any Custodian
    let assets: CustodyAssets
    let deposits: CustodyDeposits
    let withdrawals: CustodyWithdrawals
    let books: CustodyBooks
    let checks: CustodyChecks
    let ids: IDGenerator
    let logger: Logger

    /// What a block makes of them; the first one that is followed opens the books.
    func items(at block: EthereumBlock, isFirst: Bool) async throws -> [LedgerItem] {
        let served = try await assets.all(on: chain)
        var items: [LedgerItem] = []
        if isFirst { items += try await opening(before: block, served.map(\.asset)) }
        items += try await sighted(in: block, served.map(\.asset))
        items += try await included(in: block)
        return items + (try await settlements(at: block, served))
    }

    /// What it undoes that the chain goes on without some blocks.
    func items(without blocks: [BlockReference]) async throws -> [LedgerItem] {
        let hashes = blocks.map(\.hash)
        var items: [LedgerItem] = []
        for deposit in try await deposits.within(hashes, on: chain.name) {
            items.append(try await books.item(deposit, .reorganised))
        }
        for withdrawal in try await withdrawals.within(hashes, on: chain.name) {
            items.append(try await books.item(withdrawal, .reorganised, because: "reorganised"))
        }
        return items
    }

    /// What it means that another chain is in the place of the one that was followed, as on one's own machine: what
    /// wasn't final never was, and payouts are signed anew.
    func itemsOfNewChain() async throws -> [LedgerItem] {
        var items: [LedgerItem] = []
        for deposit in try await deposits.undecided(on: chain.name, upTo: .max) {
            items.append(try await books.item(deposit, .reorganised))
        }
        for withdrawal in try await withdrawals.underWay(on: chain.name) {
            items.append(try await books.item(withdrawal, .voided, because: "another_chain"))
        }
        let past = PastCustodyRow(chain: chain.name)
        return items + [LedgerItem(operation: ids.next(), commands: []) { _, _ in .init(rows: [past]) }]
    }

    /// What no block is about: deposits that vanished, and those whose sender may have become somebody's wallet.
    func chores() async throws -> [LedgerItem] {
        let due = try await deposits.due(on: chain.name, limit: Self.choresMax)
        guard !due.isEmpty else { return [] }
        let owners = try await deposits.owners(of: due.map(\.sender), on: chain.name)
        var (items, same): ([LedgerItem], [CustodyDeposit]) = ([], [])
        for deposit in due {
            if let item = try await news(of: deposit, owner: deposit.user ?? owners[deposit.sender]) {
                items.append(item)
            } else {
                same.append(deposit)
            }
        }
        try await deposits.postpone(same)
        return items
    }

    private func news(of deposit: CustodyDeposit, owner: ID<User>?) async throws -> LedgerItem? {
        switch deposit.state {
        case .pending(nil):
            guard try await !chain.nodes.knows(deposit.hash) else { return nil }
            return try await books.item(deposit, .forgotten)
        case .held(_, let hold) where hold.isOpen:
            guard let owner else { return nil }
            guard let now = try await checks.hold(deposit, owner: owner) else {
                return try await books.item(deposit, .credited, owner: owner)
            }
            return now == hold ? nil : try await books.item(deposit, .held(now), owner: owner)
        case .pending, .held, .confirmed, .lost: return nil
        }
    }

    // MARK: What blocks show

    /// Makes the books say what the custodian had before the first block that is followed.
    private func opening(before block: EthereumBlock, _ assets: [Asset]) async throws -> [LedgerItem] {
        let held = try await CustodyReconciliation(chain: chain, custodian: custodian, accounts: books.accounts)
            .holdings(of: assets, at: max(0, block.number - 1))
        var commands: [LedgerCommand] = []
        for (asset, holding) in zip(assets, held) {
            let command = try await books.opening(asset, onChain: holding.onChain, booked: holding.booked)
            if let command { commands.append(command) }
        }
        guard !commands.isEmpty else { return [] }
        return [LedgerItem(operation: ids.next(), commands: commands)]
    }

    private func sighted(in block: EthereumBlock, _ assets: [Asset]) async throws -> [LedgerItem] {
        let sightings = try await CustodySightings(chain: chain, account: custodian.account).sightings(
            in: block,
            assets
        )
        guard !sightings.isEmpty else { return [] }
        let known = try await deposits.of(sightings.map(\.hash), on: chain.name)
        let owners = try await deposits.owners(of: sightings.map(\.sender), on: chain.name)
        var items: [LedgerItem] = []
        for sighting in sightings {
            if let deposit = known.first(where: { $0.hash == sighting.hash && $0.place == sighting.place }) {
                guard deposit.state.block == nil else {
                    throw NodeError.disagreement("the block of \(HexText.encode(sighting.hash))")
                }
                items.append(try await books.item(deposit, .seen(block.reference), owner: owners[sighting.sender]))
            } else {
                let new = CustodyDeposit(sighting, id: ids.next(), user: owners[sighting.sender], on: chain)
                items.append(books.item(new: new))
            }
        }
        return items
    }

    private func included(in block: EthereumBlock) async throws -> [LedgerItem] {
        let own = block.entries.filter { $0.sender == custodian.account }
        guard !own.isEmpty else { return [] }
        let paid = try await withdrawals.signed(own.map(\.hash), on: chain.name)
        for entry in own where !paid.contains(where: { $0.state.signature?.hash == entry.hash }) {
            logger.critical(
                "the custodian's account sent something that wasn't asked for",
                metadata: ["chain": "\(chain.name)", "transaction": "\(HexText.encode(entry.hash))"]
            )
        }
        var items: [LedgerItem] = []
        for withdrawal in paid {
            guard let hash = withdrawal.state.signature?.hash else { continue }
            guard let receipt = try await chain.nodes.receipt(hash), receipt.block == block.reference else {
                throw NodeError.disagreement("a receipt of block \(block.number)")
            }
            let inclusion = CustodyWithdrawal.Inclusion(
                block: receipt.block,
                succeeded: receipt.succeeded,
                gasCost: Int128(clamping: receipt.gasCost)
            )
            items.append(try await books.item(withdrawal, .included(inclusion)))
        }
        return items
    }

    /// What becomes final with a block; each receipt is looked at once more, by all nodes.
    private func settlements(at block: EthereumBlock, _ served: [CustodyAsset]) async throws -> [LedgerItem] {
        let ripe = block.number - chain.confirmations + 1
        var items: [LedgerItem] = []
        for deposit in try await deposits.undecided(on: chain.name, upTo: ripe) {
            try await requireStanding(deposit.hash, in: deposit.state.block, succeeded: true)
            items.append(try await books.item(deposit, try await outcome(of: deposit, served)))
        }
        for withdrawal in try await withdrawals.undecided(on: chain.name, upTo: ripe) {
            guard let signed = withdrawal.state.signature, let inclusion = withdrawal.state.inclusion else { continue }
            try await requireStanding(signed.hash, in: inclusion.block, succeeded: inclusion.succeeded)
            let reason = inclusion.succeeded ? nil : "reverted"
            items.append(try await books.item(withdrawal, .settled, because: reason))
        }
        return items
    }

    private func outcome(
        of deposit: CustodyDeposit,
        _ served: [CustodyAsset]
    ) async throws -> CustodyDeposit.Event {
        let minimum = served.first { $0.asset == deposit.amount.asset }?.depositMinimum.minorUnits ?? 0
        guard deposit.amount.minorUnits >= minimum else { return .held(.belowMinimum) }
        guard let user = deposit.user else { return .held(.senderUnknown) }
        return try await checks.hold(deposit, owner: user).map { .held($0) } ?? .credited
    }

    private func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws {
        let receipt = try await chain.nodes.receipt(hash)
        guard let receipt, receipt.block == block, receipt.succeeded == succeeded else {
            throw NodeError.disagreement("the receipt of a transaction that becomes final")
        }
    }
}
