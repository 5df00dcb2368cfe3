public import Kernel

/// A set of schedules that don't contradict each other, and which of them is in force when.
public struct FeeCatalog: Sendable {
    private struct Key: Hashable {
        let operation: String
        let asset: Asset
    }

    private let byKey: [Key: [FeeSchedule]]
    private let byID: [ID<FeeSchedule>: FeeSchedule]

    /// A catalogue of schedules, each given once, in any order.
    ///
    /// - Throws: `FeeScheduleError.overlap` when two for the same operation and asset are in force at the same time.
    public init(_ schedules: [FeeSchedule]) throws(FeeScheduleError) {
        let groups = Dictionary(grouping: schedules) { Key(operation: $0.operation, asset: $0.asset) }
            .mapValues { $0.sorted { $0.effectiveFrom < $1.effectiveFrom } }
        for group in groups.values {
            for (earlier, later) in zip(group, group.dropFirst())
            where earlier.effectiveTo.map({ $0 > later.effectiveFrom }) ?? true {
                throw .overlap(earlier.id, later.id)
            }
        }
        byKey = groups
        byID = Dictionary(schedules.map { ($0.id, $0) }) { first, _ in first }
    }

    /// The schedule in force for an operation in an asset.
    ///
    /// - Throws: `FeeError.noSchedule` when none is.
    public func schedule(operation: String, asset: Asset, at instant: Timestamp) throws(FeeError) -> FeeSchedule {
        let candidates = byKey[Key(operation: operation, asset: asset)] ?? []
        guard let found = candidates.last(where: { $0.isEffective(at: instant) }) else {
            throw .noSchedule(operation: operation, asset: asset, at: instant)
        }
        return found
    }

    /// A schedule by its id, in force or not; nil when there is none.
    public func schedule(_ id: ID<FeeSchedule>) -> FeeSchedule? { byID[id] }

    /// A quote by the schedule in force.
    ///
    /// - Throws: a `FeeError`, as `schedule(operation:asset:at:)` and `FeeEngine.quote` do.
    public func quote(
        _ operation: String,
        _ context: FeeContext,
        id: ID<FeeQuote>,
        at instant: Timestamp
    ) throws(FeeError) -> FeeQuote {
        let schedule = try schedule(operation: operation, asset: context.amount.asset, at: instant)
        return try FeeEngine.quote(context, schedule: schedule, id: id, at: instant)
    }
}
