import Kernel
import Ledger

extension CustodyWatch {
    // MARK: What becomes final

    /// What has become final; each receipt is looked at once more, by all nodes.
    func settle(_ step: Step) async throws {
        let ripe = step.tip.tip.number - chain.confirmations + 1
        var changes: [CustodyChange] = []
        let due = try await deposits.undecided(on: chain.name, upTo: ripe)
        let served = due.isEmpty ? [] : try await assets.all(on: chain)
        for deposit in due {
            if let change = try await settled(deposit, served, step) { changes.append(change) }
        }
        for withdrawal in try await withdrawals.undecided(on: chain.name, upTo: ripe) {
            if let change = try await settled(withdrawal, step) { changes.append(change) }
        }
        _ = try await faults.store(changes, on: step.tip)
    }

    private func settled(
        _ deposit: CustodyDeposit,
        _ served: [CustodyAsset],
        _ step: Step
    ) async throws -> CustodyChange? {
        guard !step.resting.contains(deposit.id.wire) else { return nil }
        do {
            try await chain.requireStanding(deposit.hash, in: deposit.state.block, succeeded: true)
            return try await change(deposit, try await outcome(of: deposit, served), step)
        } catch {
            try await faults.keep(deposit.id.wire, error)
            return nil
        }
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
        var (changes, same): ([CustodyChange], [CustodyDeposit]) = ([], [])
        for deposit in due {
            do {
                if let change = try await news(of: deposit, owner: deposit.user ?? owners[deposit.sender], step) {
                    changes.append(change)
                } else {
                    same.append(deposit)
                }
            } catch {
                try await faults.keep(deposit.id.wire, error)
                same.append(deposit)
            }
        }
        try await deposits.postpone(same)
        _ = try await faults.store(changes, on: step.tip)
    }

    private func news(of deposit: CustodyDeposit, owner: ID<User>?, _ step: Step) async throws -> CustodyChange? {
        switch deposit.state {
        case .pending(nil):
            guard try await !chain.knows(deposit.hash) else { return nil }
            return try await change(deposit, .forgotten, step)
        case .held(_, let hold) where hold.isOpen:
            guard let owner else { return nil }
            guard let now = try await checks.hold(deposit, owner: owner) else {
                return try await change(deposit, .credited, owner: owner, step)
            }
            return now == hold ? nil : try await change(deposit, .held(now), owner: owner, step)
        case .pending, .held, .confirmed, .lost: return nil
        }
    }
}
