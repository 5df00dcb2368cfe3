public import Metrics
import Synchronization

/// Every measurement of the process, as swift-metrics records it and Prometheus reads it.
///
/// A label of swift-metrics is the metric's name (`ledger_imbalance`), its dimensions are Prometheus' labels. Timers
/// are histograms in seconds, recorders histograms in their own unit, or gauges when they don't aggregate.
public final class PrometheusRegistry: MetricsFactory {
    /// The most series of a registry; what comes later is measured by nobody, and counted in
    /// `metrics_series_dropped_total`.
    public static let seriesMax = 10_000

    /// The registry of the process.
    public static let shared = PrometheusRegistry()

    private struct State {
        var families: [String: Family] = [:]
        var seriesCount = 0
        var droppedCount: Int64 = 0
    }

    private let state: Mutex<State>
    private let helps: [String: String]
    private let bucketsByName: [String: [Double]]

    /// A registry.
    ///
    /// - Parameters:
    ///   - helps: what metrics mean, by name.
    ///   - buckets: upper bounds of histograms by name, rising; the others get `Histogram`'s defaults.
    public init(helps: [String: String] = [:], buckets: [String: [Double]] = [:]) {
        (self.helps, self.bucketsByName) = (helps, buckets)
        state = Mutex(State())
    }

    /// The measurements in the text format 0.0.4, metrics by name, series by labels.
    public func text() -> String {
        let (families, dropped) = state.withLock { (Array($0.families), $0.droppedCount) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            TextExposition.append(name: name, family, help: helps[name], to: &text)
        }
        text += "# TYPE metrics_series_dropped_total counter\nmetrics_series_dropped_total \(dropped)\n"
        return text
    }

    /// The instrument of a series, made when it is new.
    ///
    /// One that doesn't fit the registry works but is in no text.
    private func instrument<Made: Instrument>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ kind: Kind,
        make: () -> Made
    ) -> Made {
        let name = Naming.metric(label, kind)
        let key = Naming.labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            if let known = family.series[key] as? Made { return known }
            let made = make()
            guard family.kind == kind, family.series[key] == nil, state.seriesCount < PrometheusRegistry.seriesMax
            else {
                state.droppedCount += 1
                return made
            }
            family.series[key] = made
            state.families[name] = family
            state.seriesCount += 1
            return made
        }
    }

    private func remove(_ instrument: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let entry = family.series.first(where: { $0.value === instrument }) else { continue }
                state.families[name]?.series[entry.key] = nil
                state.seriesCount -= 1
                return
            }
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], _ usual: [Double]) -> Histogram {
        instrument(label, dimensions, .histogram) { Histogram(bounds: bucketsByName[label] ?? usual) }
    }
}

extension PrometheusRegistry {
    /// A counter; `_total` is added to a name without it.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions, .counter) { IntegerCounter() }
    }

    /// A counter of fractions; `_total` is added to a name without it.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        instrument(label, dimensions, .counter) { FloatingCounter() }
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(label, dimensions, .gauge) { Level() }
    }

    /// A histogram, or a gauge when `aggregate` is false.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if !aggregate { return instrument(label, dimensions, .gauge) { Level() } }
        return histogram(label, dimensions, Histogram.amounts)
    }

    /// A histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, Histogram.seconds)
    }

    /// Forgets a counter's series.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    /// Forgets a counter's series.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    /// Forgets a gauge's series.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    /// Forgets a recorder's series.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    /// Forgets a timer's series.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
