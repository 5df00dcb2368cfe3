import Metrics
import Synchronization

/// What Prometheus calls the type of a metric.
enum Kind: String, Sendable {
    case counter, gauge, histogram
}

/// All series of one name.
struct Family: Sendable {
    let kind: Kind
    var series: [String: any Instrument] = [:]
}

/// What measures one series.
protocol Instrument: AnyObject, Sendable {
    /// Appends the series' lines.
    func append(name: String, labels: String, to text: inout String)
}

/// A count of whole things.
final class IntegerCounter: CounterHandler, Instrument {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    func append(name: String, labels: String, to text: inout String) {
        TextExposition.append(name, labels, String(value.load(ordering: .relaxed)), to: &text)
    }
}

/// A count of fractions.
final class FloatingCounter: FloatingPointCounterHandler, Instrument {
    private let value = Mutex(0.0)

    func increment(by amount: Double) { if amount >= 0 { value.withLock { $0 += amount } } }

    func reset() { value.withLock { $0 = 0 } }

    func append(name: String, labels: String, to text: inout String) {
        TextExposition.append(name, labels, TextExposition.number(value.withLock { $0 }), to: &text)
    }
}

/// A value that goes up and down.
final class Level: MeterHandler, RecorderHandler, Instrument {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func append(name: String, labels: String, to text: inout String) {
        TextExposition.append(name, labels, TextExposition.number(value.withLock { $0 }), to: &text)
    }
}

/// A distribution over buckets.
final class Histogram: TimerHandler, RecorderHandler, Instrument {
    /// Upper bounds for durations, in seconds.
    static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Upper bounds for sizes and counts.
    static let amounts = [1.0, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 100_000, 1_000_000]

    private struct State {
        var counts: [UInt64]
        var sum = 0.0
        var count: UInt64 = 0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds of a histogram that don't rise")
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 }
        state.withLock { state in
            if let bucket { state.counts[bucket] += 1 }
            state.sum += value
            state.count += 1
        }
    }

    func append(name: String, labels: String, to text: inout String) {
        let (counts, sum, count) = state.withLock { ($0.counts, $0.sum, $0.count) }
        var running: UInt64 = 0
        for (bound, inBucket) in zip(bounds, counts) {
            running += inBucket
            bucket(name, labels, TextExposition.number(bound), running, &text)
        }
        bucket(name, labels, "+Inf", count, &text)
        TextExposition.append(name + "_sum", labels, TextExposition.number(sum), to: &text)
        TextExposition.append(name + "_count", labels, String(count), to: &text)
    }

    private func bucket(_ name: String, _ labels: String, _ bound: String, _ count: UInt64, _ text: inout String) {
        let all = labels.isEmpty ? "le=\"\(bound)\"" : labels + ",le=\"\(bound)\""
        TextExposition.append(name + "_bucket", all, String(count), to: &text)
    }
}
