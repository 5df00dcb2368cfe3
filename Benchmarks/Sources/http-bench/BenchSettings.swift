/// What the environment says.
struct BenchSettings {
    /// A setting that isn't there.
    struct Missing: Error, CustomStringConvertible {
        let name: String
        var description: String { "\(name) is not set. `diboas dev` writes a file with it." }
    }

    let databaseURL: String
    let webhookSecret: String

    init(_ environment: [String: String]) throws {
        func value(_ name: String) throws -> String {
            guard let value = environment[name], !value.isEmpty else { throw Missing(name: name) }
            return value
        }
        databaseURL = try value("DATABASE_URL")
        // The current one of the ring is the first.
        webhookSecret = try String(value("DIBOAS_SANDBOX_WEBHOOK_SECRETS").prefix { $0 != "," && $0 != " " })
    }
}
