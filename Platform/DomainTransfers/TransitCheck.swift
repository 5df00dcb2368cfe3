import PostgreSQL
import Kernel

/// Two domains whose in-transit accounts of an asset don't cancel out.
public struct TransitDifference: Sendable, Hashable {
    /// The one whose name comes first.
    public let first: String
    /// The other one.
    public let second: String
    /// The asset's code.
    public let asset: String
    /// What both accounts come to together, in minor units; zero once nothing is on its way between the two.
    public let amount: Int128
}

/// Compares the in-transit accounts of all domains, each read through its own pool.
public enum TransitCheck {
    /// What doesn't cancel out; empty once all queues are.
    ///
    /// While money is on its way, it is that money.
    public static func differences(_ domains: [DomainTransfers]) async throws -> [TransitDifference] {
        var balances: [String: [String: [String: Int128]]] = [:]
        for domain in domains { balances[domain.schema.name] = try await domain.inTransitBalances() }
        var found: [TransitDifference] = []
        let names = balances.keys.sorted()
        for (position, first) in names.enumerated() {
            for second in names[(position + 1)...] {
                let (there, back) = (balances[first]?[second] ?? [:], balances[second]?[first] ?? [:])
                for asset in Set(there.keys).union(back.keys).sorted() {
                    let amount = (there[asset] ?? 0) + (back[asset] ?? 0)
                    guard amount != 0 else { continue }
                    found.append(TransitDifference(first: first, second: second, asset: asset, amount: amount))
                }
            }
        }
        return found
    }
}
