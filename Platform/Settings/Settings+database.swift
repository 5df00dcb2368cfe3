extension Settings {
    /// The databases: one server or several.
    public struct Database: Sendable {
        /// What a schema, or the set of schemas, belongs to.
        public enum Part: String, Sendable, CaseIterable {
            /// Users, fees, compliance, projections.
            case platform
            /// Accounts, payments.
            case banking
            /// Orders, portfolios.
            case investing
            /// Wallets, positions on chain.
            case defi
        }

        /// The URL for everything that has none of its own.
        public let url: Secret?
        private let urls: [Part: Secret]
        /// Connections of each pool at most.
        public let connectionsMax: Int
        /// How long a request waits for a free connection.
        public let poolWaitMilliseconds: Int
        /// How long it may take to connect.
        public let connectTimeoutSeconds: Int
        /// How long a statement may run.
        public let statementTimeoutMilliseconds: Int
        /// How long a statement may wait for a lock.
        public let lockTimeoutMilliseconds: Int

        /// The URL of a part: its own or the common one; nil when neither is set.
        public func url(of part: Part) -> Secret? { urls[part] ?? url }

        init(_ reader: inout SettingsReader) {
            let format = SettingFormat.secretURL("postgresql", "postgres")
            var urls: [Part: Secret] = [:]
            for part in Part.allCases {
                let key = "DATABASE_URL_\(part.rawValue.uppercased())"
                urls[part] = reader.optional(key, format, "Database of \(part.rawValue), if it has its own.")
            }
            let coversAll = urls.count == Part.allCases.count
            url = reader.optional(
                "DATABASE_URL",
                format,
                neededTo: coversAll ? [] : [.serve, .worker, .command],
                "Database of every part that has none of its own; libpq's form, several hosts allowed."
            )
            self.urls = urls
            connectionsMax = reader.value(
                "DIBOAS_DATABASE_CONNECTIONS_MAX",
                .integer(1...500),
                default: "16",
                "Connections of each pool at most."
            )
            poolWaitMilliseconds = reader.value(
                "DIBOAS_DATABASE_POOL_WAIT_MS",
                .integer(1...60_000),
                default: "5000",
                "How long to wait for a free connection, in milliseconds."
            )
            connectTimeoutSeconds = reader.value(
                "DIBOAS_DATABASE_CONNECT_TIMEOUT_S",
                .integer(1...300),
                default: "5",
                "How long connecting may take, in seconds."
            )
            statementTimeoutMilliseconds = reader.value(
                "DIBOAS_DATABASE_STATEMENT_TIMEOUT_MS",
                .integer(1...3_600_000),
                default: "30000",
                "How long a statement may run, in milliseconds."
            )
            lockTimeoutMilliseconds = reader.value(
                "DIBOAS_DATABASE_LOCK_TIMEOUT_MS",
                .integer(1...600_000),
                default: "5000",
                "How long a statement may wait for a lock, in milliseconds."
            )
            if lockTimeoutMilliseconds > statementTimeoutMilliseconds {
                reader.contradict(
                    "DIBOAS_DATABASE_LOCK_TIMEOUT_MS",
                    "must not exceed DIBOAS_DATABASE_STATEMENT_TIMEOUT_MS"
                )
            }
        }
    }

    /// The batching of writes.
    public struct Writes: Sendable {
        /// Items of one transaction at most.
        public let batchMax: Int
        /// Items that wait at most; more are refused with 429.
        public let queueMax: Int
        /// Between two checks that the ledgers add up to zero, in seconds.
        public let checkSeconds: Int

        init(_ reader: inout SettingsReader) {
            batchMax = reader.value(
                "DIBOAS_BATCH_MAX",
                .integer(1...2_000),
                default: "2000",
                "Ledger commands of one transaction at most."
            )
            queueMax = reader.value(
                "DIBOAS_QUEUE_MAX",
                .integer(1...1_000_000),
                default: "20000",
                "Ledger commands that wait at most; more are refused with 429."
            )
            checkSeconds = reader.value(
                "DIBOAS_LEDGER_CHECK_S",
                .integer(1...86_400),
                default: "60",
                "Between two checks that the ledgers add up to zero, in seconds."
            )
            if queueMax < batchMax { reader.contradict("DIBOAS_QUEUE_MAX", "must not be less than DIBOAS_BATCH_MAX") }
        }
    }
}
