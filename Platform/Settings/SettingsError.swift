/// Everything that is wrong with the configuration, found in one go.
///
/// No value is quoted: it could be a secret.
public struct SettingsError: Error, Hashable, Sendable {
    /// One setting at fault.
    public struct Fault: Hashable, Sendable {
        /// What is wrong with it.
        public enum Reason: Hashable, Sendable {
            /// No setting has this name.
            case unknown
            /// The text isn't what the setting expects.
            case invalid(expectation: String)
            /// What was asked for can't run without it.
            case missing(purpose: String)
            /// It contradicts another setting.
            case contradiction(String)
        }

        /// The setting's name.
        public let key: String
        /// What is wrong with it.
        public let reason: Reason
        /// Where the value came from: `environment`, or the file's path.
        public let source: String
    }

    /// What is wrong, in the order of the settings, unknown ones last.
    public let faults: [Fault]
}

extension SettingsError.Fault: CustomStringConvertible {
    /// A sentence that names the key.
    public var description: String {
        switch reason {
        case .unknown: "\(key) (\(source)) is no setting; `diboas config check` lists all"
        case .invalid(let expectation): "\(key) (\(source)) must be \(expectation)"
        case .missing(let purpose): "\(key) is not set, and \(purpose) needs it"
        case .contradiction(let sentence): "\(key) (\(source)) \(sentence)"
        }
    }
}

extension SettingsError: CustomStringConvertible {
    /// One line per fault.
    public var description: String {
        "the configuration is refused:\n" + faults.map { "  \($0)" }.joined(separator: "\n")
    }
}
