import Kernel

/// The rules that look at what customers have done, whatever was said to each movement before it: pure.
struct MonitoringRules: Sendable {
    /// Something that a person should look at.
    struct Finding: Sendable, Hashable {
        /// What it is: `pass_through`.
        let flag: String
        /// 0 to 100.
        let score: Int
        /// What it is about, in a line.
        let explanation: String
    }

    let parameters: PolicyParameters

    /// What stands out in the day before an instant; what a released case was about lately doesn't.
    func findings(in history: MovementHistory, at now: Timestamp) -> [Finding] {
        let lately = history.lately(now)
        return [velocity(lately), structuring(lately), passThrough(lately), roundTrip(lately)]
            .compactMap(\.self)
            .filter { !history.cleared.contains($0.flag) }
    }

    private func velocity(_ lately: ArraySlice<MovementHistory.Past>) -> Finding? {
        let outgoing = lately.filter(\.isOutgoing)
        let sum = sum(outgoing)
        guard outgoing.count >= parameters.velocityCount || sum >= Int128(parameters.velocityUnits) * 100 else {
            return nil
        }
        return Finding(flag: "velocity", score: 60, explanation: "\(outgoing.count) movements of \(sum / 100) left")
    }

    private func structuring(_ lately: ArraySlice<MovementHistory.Past>) -> Finding? {
        let top = Int128(parameters.flagUnits) * 100
        let bottom = top * Int128(parameters.structuringPercent) / 100
        let near = lately.filter { $0.kind != .transfer && worth($0) >= bottom && worth($0) < top }
        // What was received wasn't split by the customer.
        let own = near.filter { !$0.isReceived }
        let most = Dictionary(grouping: own, by: \.kind).values.map(\.count).max() ?? 0
        guard most >= parameters.structuringCount else { return nil }
        return Finding(flag: "structuring", score: 70, explanation: "\(most) amounts just below \(top / 100)")
    }

    /// Money that comes in, from a bank or from other customers, and leaves again within the day.
    private func passThrough(_ lately: ArraySlice<MovementHistory.Past>) -> Finding? {
        let arrived = sum(lately.filter { $0.kind == .deposit || $0.isReceived })
        let left = sum(lately.filter(\.isOutgoing))
        guard arrived >= Int128(parameters.passThroughUnits) * 100,
            left * 100 >= arrived * Int128(parameters.passThroughPercent)
        else { return nil }
        let explanation = "\(arrived / 100) came in and \(left / 100) left within a day"
        return Finding(flag: "pass_through", score: 75, explanation: explanation)
    }

    private func roundTrip(_ lately: ArraySlice<MovementHistory.Past>) -> Finding? {
        let transfers = lately.filter { $0.kind == .transfer }
        let trips = min(transfers.count { $0.isArrival }, transfers.count { !$0.isArrival })
        guard trips >= parameters.roundTripCount else { return nil }
        return Finding(flag: "round_trip", score: 55, explanation: "\(trips) round trips between domains")
    }

    private func sum(_ movements: [MovementHistory.Past]) -> Int128 { movements.reduce(0) { $0 + worth($1) } }

    private func worth(_ past: MovementHistory.Past) -> Int128 {
        parameters.worth.hundredths(past.minorUnits, past.asset)
    }
}
