import Kernel

/// What a customer did lately, as rules see it: pure, whether it comes from the store or from a backtest.
public struct MovementHistory: Sendable, Hashable {
    /// A movement of the past.
    public struct Past: Sendable, Hashable {
        let kind: MoneyMovement.Kind
        let asset: String
        let minorUnits: Int128
        let at: Timestamp
        /// Whether it came to the customer: a transfer from another domain, a payment from another customer.
        let isArrival: Bool

        /// The same, as who was paid sees it.
        var received: Past { Past(kind: kind, asset: asset, minorUnits: minorUnits, at: at, isArrival: true) }
        /// Whether money left the customer.
        var isOutgoing: Bool { kind.isOutgoing && !isArrival }
        /// Whether another customer paid it.
        var isReceived: Bool { kind == .payment && isArrival }

        init(kind: MoneyMovement.Kind, asset: String, minorUnits: Int128, at: Timestamp, isArrival: Bool = false) {
            (self.kind, self.asset, self.minorUnits, self.at) = (kind, asset, minorUnits, at)
            self.isArrival = isArrival
        }
    }

    /// Amounts of one asset, added up.
    struct Sum: Sendable, Hashable {
        var minorUnits: Int128
        var count: Int
    }

    /// Movements of a customer that are looked at: the youngest.
    static let movementsMax = 500
    /// How far back velocity, structuring and round trips look.
    static let daySeconds: Int64 = 86_400

    /// The youngest movements, in order of time.
    private(set) var past: [Past] = []
    /// What left within a day, by asset, however much it was; nil where `past` has all of it.
    var left: [String: Sum]?
    /// What was let leave and isn't in the history yet.
    var claimed = Outflow()
    /// Whether the customer has no name, so that nobody could be screened.
    var isNameless = false
    /// When the first device was used that wasn't used before; nil where all are known for long.
    var newestDeviceAt: Timestamp?
    /// The customer's countries.
    var countries: Set<String> = []
    /// How far the customer is identified by documents; nil for not.
    var documented: KYCLevel?
    /// Whether those documents have run out.
    var isExpired = false
    /// What a released case was about lately.
    var cleared: Set<String> = []

    init(_ past: [Past] = []) { self.past = past }

    /// Adds a movement that happened after all others.
    mutating func append(_ movement: Past) {
        past.append(movement)
        if past.count > MovementHistory.movementsMax { past.removeFirst() }
    }

    /// The movements of the day before an instant.
    func lately(_ now: Timestamp) -> ArraySlice<Past> {
        let since = now.microseconds - MovementHistory.daySeconds * 1_000_000
        let start = past.firstIndex { $0.at.microseconds > since } ?? past.endIndex
        return past[start...]
    }
}
