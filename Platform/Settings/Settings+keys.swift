extension Settings {
    /// Keys and secrets of our own.
    public struct Keys: Sendable {
        /// Directory of the ES256 keys that sign access tokens, PEM files; the last by name signs, all verify.
        public let jwtDirectory: String?
        /// After how many days a new key for access tokens is made; 0 leaves it to the operator.
        public let jwtRotationDays: Int
        /// bcrypt's cost of new password hashes; older ones are renewed at sign-in.
        public let passwordCost: Int
        /// Secret that signs page cursors; the same in all processes that serve one address.
        public let cursorSecret: Secret?

        /// Directory of the master keys of private data, `master-NNNN.key`; the last by number wraps, all unwrap.
        public let masterDirectory: String?
        /// Master keys instead of a directory: number and 64 hexadecimal digits; empty for none.
        public let masters: [Master]
        /// Directory of the Ed25519 keys that sign the heads of audit chains, `audit-NNNN.key`.
        public let auditDirectory: String?
        /// File that signed heads of the audit chains are appended to; it belongs outside of the databases' machines.
        public let auditHeadsFile: String?

        /// A master key of private data.
        public struct Master: Sendable {
            /// Its number, which is never used for another.
            public let number: UInt32
            /// 64 hexadecimal digits in lower case.
            public let key: Secret

            /// Reads `NUMBER:DIGITS`.
            init?(_ text: String) {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, let number = UInt32(parts[0]), number > 0, parts[1].utf8.count == 64,
                    parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
                else { return nil }
                (self.number, key) = (number, Secret(parts[1]))
            }
        }

        init(_ reader: inout SettingsReader) {
            masters =
                reader.optional(
                    "DIBOAS_MASTER_KEYS",
                    .masterKeys,
                    "Master keys of private data, NUMBER:DIGITS separated by commas; the highest number wraps."
                ) ?? []
            masterDirectory = reader.optional(
                "DIBOAS_MASTER_KEYS_DIRECTORY",
                .absolutePath,
                neededTo: masters.isEmpty ? [.serve] : [],
                "Directory of the master keys of private data, master-NNNN.key; the highest number wraps."
            )
            if !masters.isEmpty && masterDirectory != nil {
                reader.contradict("DIBOAS_MASTER_KEYS", "must not be set beside DIBOAS_MASTER_KEYS_DIRECTORY")
            }
            auditDirectory = reader.optional(
                "DIBOAS_AUDIT_KEYS_DIRECTORY",
                .absolutePath,
                "Directory of the keys that sign heads of the audit chains, audit-NNNN.key; the highest number signs."
            )
            auditHeadsFile = reader.optional(
                "DIBOAS_AUDIT_HEADS_FILE",
                .absolutePath,
                "File that signed heads of the audit chains are appended to; it belongs on another machine's disk."
            )
            jwtDirectory = reader.optional(
                "DIBOAS_JWT_KEYS_DIRECTORY",
                .absolutePath,
                neededTo: [.serve],
                "Directory of the ES256 keys for access tokens, PEM files; the last by name signs, all verify."
            )
            jwtRotationDays = reader.value(
                "DIBOAS_JWT_ROTATION_DAYS",
                .integer(0...365),
                default: "30",
                "After how many days a new key for access tokens is made; 0 leaves it to you."
            )
            passwordCost = reader.value(
                "DIBOAS_PASSWORD_COST",
                .integer(10...15),
                default: "11",
                "bcrypt's cost of new password hashes; each step doubles the work, 11 is about a tenth of a second."
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
        /// Handled events of other domains, in days; what providers sent is kept.
        public let inboxDays: Int

        init(_ reader: inout SettingsReader) {
            idempotencyHours = reader.value(
                "DIBOAS_RETENTION_IDEMPOTENCY_HOURS",
                .integer(24...8_760),
                default: "72",
                "How long idempotency keys are kept, in hours."
            )
            inboxDays = reader.value(
                "DIBOAS_RETENTION_INBOX_DAYS",
                .integer(15...3_650),
                default: "30",
                "How long handled events of other domains are kept, in days; what providers sent is kept for good."
            )
        }
    }
}
