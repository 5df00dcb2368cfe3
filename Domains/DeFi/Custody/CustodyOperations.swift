public import Kernel
import Ledger
import WalletCrypto

/// What operators do with custody.
public struct CustodyOperations: Sendable {
    /// Of each chain with a custodian, one at least.
    let chains: [CustodyParts]

    /// Nil without a chain.
    init?(_ chains: [CustodyParts]) {
        guard !chains.isEmpty else { return nil }
        self.chains = chains
    }

    /// Compares the books with the chains as of a final block of each, an entry for each asset.
    ///
    /// - Throws: 409 `custody_catching_up` while something of final blocks isn't booked; 503 without a node.
    public func reconcile() async throws -> [JSON] {
        var found: [JSON] = []
        for parts in chains { found += try await reconcile(parts.reconciliation) }
        return found
    }

    private func reconcile(_ reconciliation: CustodyReconciliation) async throws -> [JSON] {
        do {
            return try await reconciliation.reconcile().map { $0.json(on: reconciliation.holdings.chain.name) }
        } catch CustodyReconciliation.Unready.catchingUp(let open) {
            throw Problem(409, "custody_catching_up", "\(open) blocks or movements wait to be booked. Try again.")
        } catch is CustodyReconciliation.Unready {
            throw Problem(409, "custody_catching_up", "The chain isn't followed far enough yet. Try again.")
        } catch let error as NodeError {
            throw ChainProblem.unavailable(error)
        }
    }

    /// Changes that were refused and wait to be tried again, the oldest first.
    public func refused(limit: Int) async throws -> [JSON] {
        var found: [JSON] = []
        for parts in chains { found += try await parts.faults.list(limit: limit) }
        return Array(found.prefix(limit))
    }

    /// Deposits that are final and credited to nobody, and why, the newest first.
    public func held(limit: Int) async throws -> [JSON] {
        try await chains[0].deposits.held(limit: limit).map { deposit in
            [
                "deposit": .string(deposit.id.wire), "user": deposit.user.map { .string($0.wire) } ?? .null,
                "chain": .string(deposit.chain), "asset": .string(deposit.amount.asset.code),
                "amount": .string(deposit.amount.wire), "reason": deposit.state.reason.map { .string($0) } ?? .null,
                "status": .string(deposit.state.shown), "from": .string(deposit.sender),
                "transaction_hash": .string(Chain.shown(deposit.hash, on: deposit.chain)),
                "since": .string(deposit.updatedAt.description),
            ]
        }
    }

    /// Whose custody is stopped by a shortfall, by asset.
    public func frozen(limit: Int) async throws -> [JSON] { try await chains[0].freezes.list(limit: limit) }

    /// Lets a customer's custody go although something is owed; audited with the reason.
    ///
    /// - Throws: 404 where no shortfall stops it.
    public func release(_ user: ID<User>, because reason: String, by operator: String) async throws {
        try await chains[0].freezes.release(user, because: reason, by: "operator:\(`operator`)")
    }
}

extension CustodyReconciliation.Finding {
    fileprivate func json(on chain: String) -> JSON {
        func money(_ minorUnits: Int128) -> JSON {
            .string((minorUnits < 0 ? "-" : "") + Money(minorUnits: abs(minorUnits), holding.asset).wire)
        }
        let meaning =
            switch holding.difference {
            case 0: "none"
            case 1...: "came within a call of a contract"
            default: "left otherwise"
            }
        return [
            "chain": .string(chain), "asset": .string(holding.asset.code), "on_chain": money(holding.onChain),
            "booked": money(-holding.booked),
            "difference": money(holding.difference), "meaning": .string(meaning), "block": .integer(number),
            "since": .string(since.description),
        ]
    }
}
