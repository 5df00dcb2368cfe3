import Kernel
import Ledger

extension CustodyWatch {
    // MARK: What becomes final

    /// What has become final; each block is looked at once more for what it brought, and each receipt by all nodes.
    func settle(_ step: Step) async throws {
        let ripe = step.tip.tip.number - chain.confirmations + 1
        var changes: [CustodyChange] = []
        let due = try await deposits.undecided(on: chain.name, upTo: ripe)
            .filter { !step.resting.contains($0.id.wire) }
        let served = due.isEmpty ? [] : try await assets.all(on: chain)
        for (block, brought) in Dictionary(grouping: due, by: \.state.block) {
            guard let block else { continue }
            changes += try await settled(brought, in: block, served, step)
        }
        for withdrawal in try await withdrawals.undecided(on: chain.name, upTo: ripe) {
            if let change = try await settled(withdrawal, step) { changes.append(change) }
        }
        _ = try await faults.store(changes, on: step.tip)
    }

    private func settled(
        _ brought: [CustodyDeposit],
        in block: BlockReference,
        _ served: [CustodyAsset],
        _ step: Step
    ) async throws -> [CustodyChange] {
        let seen: Result<CustodyBlock?, any Error>
        do {
            seen = .success(try await chain.look(at: block, served.map(\.asset), having: nil))
        } catch {
            seen = .failure(error)
        }
        var changes: [CustodyChange] = []
        for deposit in brought {
            do {
                try await chain.requireStanding(deposit.hash, in: block, succeeded: true)
                let shown = try seen.get()?.sightings ?? []
                guard shown.contains(where: { $0 == deposit.sighting }) else {
                    throw NodeError.disagreement("the transfer of a deposit that becomes final")
                }
                if let change = try await change(deposit, try await outcome(of: deposit, served), step) {
                    changes.append(change)
                }
            } catch {
                try await faults.keep(deposit.id.wire, error)
            }
        }
        return changes
    }

    private func settled(_ withdrawal: CustodyWithdrawal, _ step: Step) async throws -> CustodyChange? {
        guard !step.resting.contains(withdrawal.id.wire), let signed = withdrawal.state.signature,
            let inclusion = withdrawal.state.inclusion
        else { return nil }
        do {
            try await chain.requireStanding(signed.hash, in: inclusion.block, succeeded: inclusion.succeeded)
            return try await change(withdrawal, .settled, because: inclusion.succeeded ? nil : "reverted", step)
        } catch {
            try await faults.keep(withdrawal.id.wire, error)
            return nil
        }
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

    // MARK: What no block is about

    /// Deposits that vanished, and those whose sender may have become somebody's wallet.
    func chores(_ step: Step) async throws {
        let due = try await deposits.due(on: chain.name, limit: Self.choresMax)
        guard !due.isEmpty else { return }
        let owners = try await deposits.owners(of: due.map(\.sender), on: chain.name)
        let served = try await assets.all(on: chain).map(\.asset)
        var (changes, same): ([CustodyChange], [CustodyDeposit]) = ([], [])
        for deposit in due {
            do {
                let owner = deposit.user ?? owners[deposit.sender]
                if let change = try await news(of: deposit, owner: owner, served, step) {
                    changes.append(change)
                } else {
                    same.append(deposit)
                }
            } catch {
                try await faults.keep(deposit.id.wire, error)
                same.append(deposit)
            }
        }
        try await deposits.postpone(same.map(\.id))
        _ = try await faults.store(changes, on: step.tip)
    }

    private func news(
        of deposit: CustodyDeposit,
        owner: ID<User>?,
        _ served: [Asset],
        _ step: Step
    ) async throws -> CustodyChange? {
        switch deposit.state {
        case .pending(nil):
            return try await mayReturn(deposit, served) ? nil : try await change(deposit, .forgotten, step)
        case .held(_, let hold) where hold.isOpen:
            guard let owner else { return nil }
            guard let now = try await checks.hold(deposit, owner: owner) else {
                return try await change(deposit, .credited, owner: owner, step)
            }
            return now == hold ? nil : try await change(deposit, .held(now), owner: owner, step)
        case .pending, .held, .confirmed, .lost: return nil
        }
    }

    /// Whether a block may show a deposit yet: its transaction waits, or does something at its place in the block that
    /// has it, which is found with that block.
    private func mayReturn(_ deposit: CustodyDeposit, _ served: [Asset]) async throws -> Bool {
        guard let block = try await chain.block(of: deposit.hash) else { return try await chain.knows(deposit.hash) }
        guard let seen = try await chain.look(at: block, served, having: nil) else { return true }
        return seen.isEarly || seen.unclear.contains(deposit.hash)
            || seen.sightings.contains { $0.hash == deposit.hash && $0.place == deposit.place }
    }
}
