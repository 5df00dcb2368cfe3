extension Settings {
    /// A key of 256 bits that seals secrets, with a number that is never used for another.
    public struct MasterKey: Sendable {
        /// Its number, kept beside what it sealed.
        public let id: UInt32
        /// Its 64 hex digits.
        public let hex: Secret
    }

    /// Keys and secrets of our own.
    public struct Keys: Sendable {
        /// Directory of the ES256 keys that sign access tokens, PEM files; the last by name signs, all verify.
        public let jwtDirectory: String?
        /// Directory into which mail is written; nil for no mail.
        public let mailDirectory: String?
        /// After how many days a new key for access tokens is made; 0 leaves it to the operator.
        public let jwtRotationDays: Int
        /// bcrypt's cost of new password hashes; older ones are renewed at sign-in.
        public let passwordCost: Int
        /// Secret that signs page cursors; the same in all processes that serve one address.
        public let cursorSecret: Secret?
        /// The keys that seal secrets of users at rest, the one that seals now first; empty where none are set.
        public let masterKeys: [MasterKey]

        /// Directory of master keys of users' private data, `master-NNNN.key`, the highest number wraps; nil for the
        /// ring.
        public let masterDirectory: String?
        /// Directory of the Ed25519 keys that sign the heads of audit chains, `audit-NNNN.key`.
        public let auditDirectory: String?
        /// File that signed heads of the audit chains are appended to; it belongs outside of the databases' machines.
        public let auditHeadsFile: String?

        init(_ reader: inout SettingsReader) {
            masterDirectory = reader.optional(
                "DIBOAS_MASTER_KEYS_DIRECTORY",
                .absolutePath,
                "Directory of master keys for users' private data, instead of DIBOAS_MASTER_KEYS: master-NNNN.key."
            )
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
            mailDirectory = reader.optional(
                "DIBOAS_MAIL_DIRECTORY",
                .absolutePath,
                "Directory into which mail is written, a file each, for a mail server to pick up; without it none is."
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
            masterKeys =
                reader.optional(
                    "DIBOAS_MASTER_KEYS",
                    .masterKeys,
                    neededTo: [.serve],
                    "Seal secrets of users at rest (AES-256-GCM); the first seals, all open what they sealed."
                ) ?? []
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
