extension Settings {
    /// Keys and secrets of our own.
    public struct Keys: Sendable {
        /// Directory of the ES256 keys that sign access tokens, PEM files; the last by name signs, all verify.
        public let jwtDirectory: String?
        /// Secret that signs page cursors; the same in all processes that serve one address.
        public let cursorSecret: Secret?

        init(_ reader: inout SettingsReader) {
            jwtDirectory = reader.optional(
                "DIBOAS_JWT_KEYS_DIRECTORY",
                .absolutePath,
                neededTo: [.serve],
                "Directory of the ES256 keys for access tokens, PEM files; the last by name signs, all verify."
            )
            cursorSecret = reader.optional(
                "DIBOAS_CURSOR_SECRET",
                .secret(bytes: 32...512),
                neededTo: [.serve],
                "Signs page cursors; the same in all processes that serve one address."
            )
        }
    }

    /// How long records are kept.
    public struct Retention: Sendable {
        /// Idempotency keys, in hours.
        public let idempotencyHours: Int
        /// Published outbox events, in days.
        public let outboxDays: Int
        /// Handled webhooks, in days.
        public let inboxDays: Int

        init(_ reader: inout SettingsReader) {
            idempotencyHours = reader.value(
                "DIBOAS_RETENTION_IDEMPOTENCY_HOURS",
                .integer(24...8_760),
                default: "72",
                "How long idempotency keys are kept, in hours."
            )
            outboxDays = reader.value(
                "DIBOAS_RETENTION_OUTBOX_DAYS",
                .integer(1...3_650),
                default: "62",
                "How long published events are kept, in days."
            )
            inboxDays = reader.value(
                "DIBOAS_RETENTION_INBOX_DAYS",
                .integer(7...3_650),
                default: "400",
                "How long handled webhooks are kept, in days."
            )
        }
    }
}
