/// The program's configuration, checked as a whole before anything starts.
///
/// It comes from the environment, then from the file that `DIBOAS_CONFIG_FILE` names, then from what the program was
/// started with (`diboas dev` passes the URLs of its own servers), then from the defaults.
public struct Settings: Sendable {
    /// What the program is about to do, which decides what must be set.
    public enum Purpose: String, Sendable, CaseIterable {
        /// Serve requests.
        case serve
        /// Work in the background only.
        case worker
        /// Use the database once: the operators' commands.
        case command
        /// Look at the configuration: nothing must be set.
        case check
    }

    /// One setting as `diboas config check` shows it.
    public struct Line: Hashable, Sendable {
        /// Its name.
        public let key: String
        /// Its value, `«not set»`, or for a secret `«set»`.
        public let value: String
        /// Where the value comes from: `environment`, the file's path, `embedded`, `default`, `not set`.
        public let source: String
        /// What it is for.
        public let meaning: String
        /// What it must be.
        public let expectation: String
    }

    /// What the program serves on.
    public let http: HTTP
    /// The databases.
    public let database: Database
    /// The batching of writes.
    public let writes: Writes
    /// Keys and secrets of our own.
    public let keys: Keys
    /// The payment providers.
    public let providers: Providers
    /// The chains that are followed.
    public let chains: Chains
    /// How long records are kept.
    public let retention: Retention
    /// Where traces go.
    public let traces: Traces
    /// The Redis server, `redis://host:port` or `unix:///path`; nil to do without, degraded.
    public let redisURL: Secret?
    /// What is logged.
    public let logLevel: LogLevel
    /// Whether this process works in the background besides serving.
    public let runsWorker: Bool
    /// Whether `diboas dev` has simulated traders in its markets.
    public let hasDemoTraders: Bool
    /// Whether requests to private and loopback addresses may leave, for tests and simulators.
    public let allowsPrivateAddresses: Bool
    /// The directory of the migrations; nil to look beside the program and in the working directory.
    public let migrationsDirectory: String?
    /// The directory of the program's own state; nil for the standard place.
    public let home: String?

    private let lines: [Line]

    /// All settings with value, source and meaning, in the order of their declaration, without secrets.
    public func describe() -> [Line] { lines }

    /// Reads and checks everything.
    ///
    /// - Parameters:
    ///   - environment: the process's variables; names that aren't ours are ignored.
    ///   - embedded: values for what neither the environment nor the file sets.
    ///   - purpose: what the settings are for.
    /// - Throws: `SettingsError` with all faults at once, or `SettingsFile.Failure`.
    public init(environment: [String: String], embedded: [String: String] = [:], for purpose: Purpose) throws {
        let file = try environment[Self.fileKey].flatMap { $0.isEmpty ? nil : $0 }.map(SettingsFile.init(path:))
        try self.init(environment: environment, file: file, embedded: embedded, for: purpose)
    }

    private static let fileKey = "DIBOAS_CONFIG_FILE"

    init(
        environment: [String: String],
        file: SettingsFile?,
        embedded: [String: String],
        for purpose: Purpose
    ) throws(SettingsError) {
        var layers = [("environment", environment)]
        if let file { layers.append((file.path, file.values)) }
        layers.append(("embedded", embedded))

        var reader = SettingsReader(layers: layers, purpose: purpose)
        home = reader.optional("DIBOAS_HOME", .absolutePath, "Directory of the program's own state.")
        migrationsDirectory = reader.optional(
            "DIBOAS_MIGRATIONS",
            .absolutePath,
            "Directory of the migrations, if it is not beside the program or in the working directory."
        )
        _ = reader.optional(Self.fileKey, .absolutePath, "File with more settings, a line KEY=value each.")
        logLevel = reader.value("DIBOAS_LOG_LEVEL", .choice, default: "info", "Least level that is logged.")
        http = HTTP(&reader)
        database = Database(&reader)
        redisURL = reader.optional(
            "REDIS_URL",
            .secretURL("redis", "unix"),
            "Redis for rate limits, sessions, caches and streams; without it they are degraded."
        )
        writes = Writes(&reader)
        keys = Keys(&reader)
        providers = Providers(&reader)
        chains = Chains(&reader)
        retention = Retention(&reader)
        traces = Traces(&reader)
        runsWorker = reader.value("DIBOAS_WORKER", .flag, default: "on", "Whether `serve` works in the background too.")
        hasDemoTraders = reader.value(
            "DIBOAS_DEMO_TRADERS",
            .flag,
            default: "on",
            "Whether `diboas dev` has simulated traders in its markets."
        )
        allowsPrivateAddresses = reader.value(
            "DIBOAS_ALLOW_PRIVATE_ADDRESSES",
            .flag,
            default: "off",
            "Whether requests may leave for private and loopback addresses."
        )
        try reader.finish(layers: layers, file: file?.path)
        lines = reader.lines
    }
}

/// Least level of what is logged; the words of swift-log.
public enum LogLevel: String, Sendable, CaseIterable {
    /// Everything.
    case trace
    /// What helps to find a fault.
    case debug
    /// What an operator wants to see.
    case info
    /// What is unusual.
    case notice
    /// What may become a fault.
    case warning
    /// Faults.
    case error
    /// Faults that stop the program.
    case critical
}
