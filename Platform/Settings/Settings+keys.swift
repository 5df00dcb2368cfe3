extension Settings {
    /// A key of 256 bits that wraps keys of users, with a number that is never used for another.
    public struct MasterKey: Sendable {
        /// Its number, kept beside what it wrapped.
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
        /// Whether a new user signs in only once the address is confirmed by mail.
        public let confirmsAddresses: Bool
        /// After how many days a new key for access tokens is made; 0 leaves it to the operator.
        public let jwtRotationDays: Int
        /// bcrypt's cost of new password hashes; older ones are renewed at sign-in.
        public let passwordCost: Int
        /// File of SHA-1 hashes of passwords known from breaches, in ascending order; nil for none.
        public let breachedPasswordsFile: String?
        /// Secret that signs page cursors; the same in all processes that serve one address.
        public let cursorSecret: Secret?
        /// Directory of the master keys, which wrap the keys of users: `master-NNNN.key`, the highest number wraps.
        public let masterDirectory: String?
        /// The master keys themselves, the one that wraps first; empty where they are in a directory.
        public let masterKeys: [MasterKey]
        /// Directory of the Ed25519 keys that sign the heads of audit chains, `audit-NNNN.key`.
        public let auditDirectory: String?
        /// File that signed heads of the audit chains are appended to; it belongs outside of the databases' machines.
        public let auditHeadsFile: String?

        init(_ reader: inout SettingsReader) {
            masterDirectory = reader.optional(
                "DIBOAS_MASTER_KEYS_DIRECTORY",
                .absolutePath,
                "Directory of the master keys, master-NNNN.key; the highest number wraps users' keys."
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
            confirmsAddresses = reader.value(
                "DIBOAS_CONFIRM_ADDRESSES",
                .flag,
                default: mailDirectory == nil ? "off" : "on",
                "Whether new users sign in only once their address is confirmed, so that nobody learns who is a user."
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
            breachedPasswordsFile = reader.optional(
                "DIBOAS_BREACHED_PASSWORDS_FILE",
                .absolutePath,
                "File of SHA-1 hashes of breached passwords in ascending order, as Have I Been Pwned gives them."
            )
            cursorSecret = reader.optional(
                "DIBOAS_CURSOR_SECRET",
                .secret(bytes: 32...512),
                neededTo: [.serve],
                "Signs page cursors; the same in all processes that serve one address."
            )
            masterKeys = Keys.masterKeys(&reader, insteadOf: masterDirectory)
        }

        /// The ring, which is needed to serve unless there is a directory; having both is a contradiction.
        private static func masterKeys(_ reader: inout SettingsReader, insteadOf directory: String?) -> [MasterKey] {
            let keys = reader.optional(
                "DIBOAS_MASTER_KEYS",
                .masterKeys,
                neededTo: directory == nil ? [.serve] : [],
                "The master keys themselves, instead of DIBOAS_MASTER_KEYS_DIRECTORY; the first wraps users' keys."
            )
            if directory != nil && keys != nil {
                reader.contradict("DIBOAS_MASTER_KEYS", "DIBOAS_MASTER_KEYS_DIRECTORY is set too: one of them counts.")
            }
            return keys ?? []
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
