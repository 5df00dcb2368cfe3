import Kernel
import Ledger
import Logging
import Metrics
import WalletCrypto

/// What the chain does to deposits and withdrawals, beside everything else that is followed.
///
/// Blocks are looked at after they were stored, each as often as it takes: what is found once more changes nothing, and
/// what is refused holds up neither the chain nor another deposit.
struct CustodyWatch: Sendable {
    /// Deposits that are looked after in one step beside what blocks are about.
    static let choresMax = 100

    let chain: any CustodyChain
    let assets: CustodyAssets
    let blocks: CustodyBlocks
    let deposits: CustodyDeposits
    let withdrawals: CustodyWithdrawals
    let books: CustodyBooks
    let checks: CustodyChecks
    let faults: CustodyFaults
    let freezes: CustodyFreezes
    let ids: IDGenerator
    let logger: Logger

    /// How far the chain is followed in a step, and what isn't tried again in it.
    struct Step: Sendable {
        let tip: StillFollowedRow
        let resting: Set<String>
    }

    /// Looks at what there is by now, at one block alone if it is given; what fails waits for the next step.
    func step(_ tip: StillFollowedRow, having block: ReadBlock? = nil) async {
        do {
            let step = Step(tip: tip, resting: try await faults.resting())
            try await takeBack(step)
            try await catchUp(step, having: block)
            try await settle(step)
            guard block == nil else { return }
            try await chores(step)
            try await freezes.settle()
        } catch {
            logger.warning(
                "custody waits for the next step",
                metadata: ["chain": "\(chain.name)", "block": "\(tip.tip.number)", "error": "\(error)"]
            )
        }
    }

    // MARK: Blocks that the chain goes on without

    private func takeBack(_ step: Step) async throws {
        var changes: [CustodyChange] = []
        for deposit in try await deposits.abandoned(on: chain.name) {
            if let change = try await change(deposit, .reorganised, step) { changes.append(change) }
        }
        for withdrawal in try await withdrawals.abandoned(on: chain.name) {
            if let change = try await change(withdrawal, .reorganised, because: "reorganised", step) {
                changes.append(change)
            }
        }
        _ = try await faults.store(changes, on: step.tip)
    }

    /// Has payouts signed anew: another chain is in the place of the one that was followed, as on one's own machine.
    ///
    /// It is stored with the new chain, before anything is sent to that.
    func itemsOfNewChain() async throws -> [LedgerItem] {
        var items: [LedgerItem] = []
        for withdrawal in try await withdrawals.underWay(on: chain.name) {
            items.append(try await books.item(withdrawal, .voided, because: "another_chain"))
        }
        return items
    }

    // MARK: What blocks show

    private func catchUp(_ step: Step, having block: ReadBlock?) async throws {
        let due = try await blocks.due(on: chain.name)
        guard let first = due.first else { return }
        if try await !blocks.areOpen(on: chain.name) {
            guard try await open(before: first, step) else { return }
        }
        let served = try await assets.all(on: chain).map(\.asset)
        for reference in due {
            guard let seen = try await chain.look(at: reference, served, having: block) else { return }
            let isWhole = try await store(seen, of: reference, step)
            let seconds = seen.isEarly ? 0 : CustodyBlocks.againSeconds
            try await blocks.looked(at: reference, on: chain.name, isWhole: isWhole, againSeconds: seconds)
        }
    }

    /// Makes the books say what the custodian had before the first block that is followed; whether they do.
    private func open(before block: BlockReference, _ step: Step) async throws -> Bool {
        let served = try await assets.all(on: chain).map(\.asset)
        let held = try await CustodyHoldings(chain: chain, accounts: books.accounts)
            .holdings(of: served, at: max(0, block.number - 1))
        var commands: [LedgerCommand] = []
        for (asset, holding) in zip(served, held) {
            let command = try await books.opening(asset, onChain: holding.onChain, booked: holding.booked)
            if let command { commands.append(command) }
        }
        let row = CustodyOpenedRow(chain: chain.name, block: block)
        let item = LedgerItem(operation: ids.next(), commands: commands) { decision, _ in
            guard case .success = decision else { return LedgerItem.Finish() }
            return LedgerItem.Finish(rows: [row])
        }
        return try await faults.store([CustodyChange(subject: "opening", item: item)], on: step.tip)
    }

    /// Whether all is stored that a block shows.
    private func store(_ seen: CustodyBlock, of block: BlockReference, _ step: Step) async throws -> Bool {
        let sighted = try await sighted(seen.sightings, step)
        let included = try await included(seen.own, in: block, step)
        let isStored = try await faults.store(sighted.changes + included.changes, on: step.tip)
        tell(seen.unclear, in: block)
        return isStored && seen.unclear.isEmpty && !seen.isEarly && sighted.isWhole && included.isWhole
    }

    private func tell(_ unclear: [[UInt8]], in block: BlockReference) {
        for hash in unclear {
            Counter(label: "chain_held_total", dimensions: [("chain", chain.name)]).increment()
            logger.error(
                "what came to custody or left it waits: the nodes don't say the same of it; an operator must look",
                metadata: [
                    "chain": "\(chain.name)", "block": "\(block.number)",
                    "transaction": "\(Chain.shown(hash, on: chain.name))",
                ]
            )
        }
    }

    private func sighted(
        _ sightings: [CustodyDeposit.Sighting],
        _ step: Step
    ) async throws -> (changes: [CustodyChange], isWhole: Bool) {
        guard !sightings.isEmpty else { return ([], true) }
        let known = try await deposits.of(sightings.map(\.hash), on: chain.name)
        let owners = try await deposits.owners(of: sightings.map(\.sender), on: chain.name)
        var (changes, isWhole): ([CustodyChange], Bool) = ([], true)
        for sighting in sightings {
            let deposit = known.first { $0.hash == sighting.hash && $0.place == sighting.place }
            if let deposit, deposit.state.block == sighting.block { continue }
            let change = try await change(deposit, sighting, owner: owners[sighting.sender], step)
            if let change { changes.append(change) } else { isWhole = false }
        }
        return (changes, isWhole)
    }

    private func included(
        _ own: [CustodyBlock.Own],
        in block: BlockReference,
        _ step: Step
    ) async throws -> (changes: [CustodyChange], isWhole: Bool) {
        guard !own.isEmpty else { return ([], true) }
        let paid = try await withdrawals.of(own.map(\.hash), on: chain.name)
        var (changes, isWhole): ([CustodyChange], Bool) = ([], true)
        for entry in own {
            let known = paid.first { $0.attempt.hash == entry.hash }
            if let known, known.withdrawal == nil {
                // It is ours, and nobody can say which: the block is looked at again.
                isWhole = false
                continue
            }
            guard let known, let withdrawal = known.withdrawal, withdrawal.state != .waiting else {
                logger.critical(
                    "the custodian's account sent something that wasn't asked for",
                    metadata: [
                        "chain": "\(chain.name)", "transaction": "\(Chain.shown(entry.hash, on: chain.name))",
                    ]
                )
                continue
            }
            if withdrawal.state.inclusion?.block == block { continue }
            // Its old block is undone first; where that was refused, this one waits for it.
            guard case .signed = withdrawal.state else {
                isWhole = false
                continue
            }
            let inclusion = entry.inclusion(in: block, of: withdrawal.amount, coin: chain.coin)
            let change = try await change(withdrawal, .included(known.attempt, inclusion), step)
            if let change { changes.append(change) } else { isWhole = false }
        }
        return (changes, isWhole)
    }

    // MARK: Changes

    /// A transfer that another block shows, instead of what its transaction did in the one before; nil while it rests,
    /// and where it can't be made.
    private func change(
        _ former: CustodyDeposit?,
        _ sighting: CustodyDeposit.Sighting,
        owner: ID<User>?,
        _ step: Step
    ) async throws -> CustodyChange? {
        if let former, former.isShown(by: sighting) {
            return try await change(former, .seen(sighting.block), owner: owner, step)
        }
        let subject = sighting.name
        guard !step.resting.contains(subject) else { return nil }
        let new = CustodyDeposit(sighting, id: ids.next(), user: owner, on: chain)
        do {
            let item = try former.map { try books.item(new: new, insteadOf: $0) } ?? books.item(new: new)
            return CustodyChange(subject: subject, item: item)
        } catch {
            try await faults.keep(subject, error)
            return nil
        }
    }

    /// A deposit after an event; nil while it rests, and where it can't be made.
    func change(
        _ deposit: CustodyDeposit,
        _ event: CustodyDeposit.Event,
        owner: ID<User>? = nil,
        _ step: Step
    ) async throws -> CustodyChange? {
        let subject = deposit.id.wire
        guard !step.resting.contains(subject) else { return nil }
        do {
            return CustodyChange(subject: subject, item: try await books.item(deposit, event, owner: owner))
        } catch {
            try await faults.keep(subject, error)
            return nil
        }
    }

    /// A withdrawal after an event; nil while it rests, and where it can't be made.
    func change(
        _ withdrawal: CustodyWithdrawal,
        _ event: CustodyWithdrawal.Event,
        because reason: String? = nil,
        _ step: Step
    ) async throws -> CustodyChange? {
        let subject = withdrawal.id.wire
        guard !step.resting.contains(subject) else { return nil }
        do {
            return CustodyChange(subject: subject, item: try await books.item(withdrawal, event, because: reason))
        } catch {
            try await faults.keep(subject, error)
            return nil
        }
    }
}

extension CustodyDeposit.Sighting {
    /// What operators know it by as long as there is no row of it.
    fileprivate var name: String { "\(HexText.encode(hash)):\(place)" }
}
