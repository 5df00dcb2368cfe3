import Configuration
import Synchronization

/// Reads settings one by one and keeps account: which there are, what they are, what is wrong.
///
/// A setting is declared where it is read, once: its key, format, default and meaning. The list for people, the check
/// for unknown names and the faults follow from that.
struct SettingsReader {
    /// Names with these beginnings are ours: one that isn't declared is a misspelling.
    static let ownPrefixes = ["DIBOAS_", "DATABASE_URL_"]

    private let config: ConfigReader
    private let sources: SourceRecorder
    private let layerNames: [String]
    private let purpose: Settings.Purpose
    private(set) var lines: [Settings.Line] = []
    private(set) var faults: [SettingsError.Fault] = []

    /// - Parameters:
    ///   - layers: named values, the first that has a key wins. An empty text counts as not set.
    ///   - purpose: decides which settings must be there.
    init(layers: [(name: String, values: [String: String])], purpose: Settings.Purpose) {
        let sources = SourceRecorder()
        let providers = layers.map { layer in
            InMemoryProvider(
                name: layer.name,
                // Secret as a whole: the library may be told by its own variable to log what is read.
                values: Dictionary(
                    uniqueKeysWithValues: layer.values.filter { !$0.value.isEmpty }
                        .map { (AbsoluteConfigKey([$0.key]), ConfigValue(.string($0.value), isSecret: true)) }
                )
            )
        }
        config = ConfigReader(providers: providers, accessReporter: sources)
        (self.sources, self.purpose, layerNames) = (sources, purpose, layers.map(\.name))
    }

    /// A setting that always has a value.
    ///
    /// A faulty one gives the default, and refuses the configuration at the end.
    mutating func value<Value>(
        _ key: String,
        _ format: SettingFormat<Value>,
        default standard: String,
        _ meaning: String
    ) -> Value {
        guard let fallback = format.parse(standard) else { preconditionFailure("\(key) has a default that it refuses") }
        return read(key, format, standard: standard, meaning) ?? fallback
    }

    /// A setting that may be absent, unless one of these purposes is served.
    mutating func optional<Value>(
        _ key: String,
        _ format: SettingFormat<Value>,
        neededTo purposes: Set<Settings.Purpose> = [],
        _ meaning: String
    ) -> Value? {
        let value = read(key, format, standard: nil, meaning)
        if value == nil && !isFaulty(key) && purposes.contains(purpose) {
            fault(key, .missing(purpose: "`diboas \(purpose.rawValue)`"), source: "not set")
        }
        return value
    }

    /// Notes that a setting that was read contradicts another.
    mutating func contradict(_ key: String, _ sentence: String) {
        let source = lines.last { $0.key == key }?.source ?? "not set"
        fault(key, .contradiction(sentence), source: source)
    }

    /// Ends the account: names of ours that no setting has are faults, in a file every name that none has.
    mutating func finish(layers: [(name: String, values: [String: String])], file: String?) throws(SettingsError) {
        let known = Set(lines.map(\.key))
        for layer in layers {
            let strangers = layer.values.keys.filter { key in
                !known.contains(key)
                    && (layer.name == file || Self.ownPrefixes.contains { key.uppercased().hasPrefix($0) })
            }
            for key in strangers.sorted() { fault(key, .unknown, source: layer.name) }
        }
        guard faults.isEmpty else { throw SettingsError(faults: faults) }
    }

    private mutating func read<Value>(
        _ key: String,
        _ format: SettingFormat<Value>,
        standard: String?,
        _ meaning: String
    ) -> Value? {
        precondition(!lines.contains { $0.key == key }, "\(key) is declared twice")
        let text = config.string(forKey: ConfigKey([key]), isSecret: format.isSecret)
        let source = text == nil ? (standard == nil ? "not set" : "default") : layerNames[sources.lastIndex]
        let shown = format.isSecret ? (text == nil ? "«not set»" : "«set»") : text ?? standard ?? "«not set»"
        lines.append(
            Settings.Line(key: key, value: shown, source: source, meaning: meaning, expectation: format.expectation)
        )
        guard let text else { return nil }
        let value = format.parse(text)
        if value == nil { fault(key, .invalid(expectation: format.expectation), source: source) }
        return value
    }

    private func isFaulty(_ key: String) -> Bool { faults.contains { $0.key == key } }

    private mutating func fault(_ key: String, _ reason: SettingsError.Fault.Reason, source: String) {
        faults.append(SettingsError.Fault(key: key, reason: reason, source: source))
    }
}

/// Remembers which layer was asked last, the one that had the value: the reader asks them in order and stops there.
private final class SourceRecorder: AccessReporter {
    private let index = Atomic(0)

    var lastIndex: Int { index.load(ordering: .relaxed) }

    func report(_ event: AccessEvent) {
        index.store(max(0, event.providerResults.count - 1), ordering: .relaxed)
    }
}
