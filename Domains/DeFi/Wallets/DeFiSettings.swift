import Audit
import DomainKit
import HTTP
import Kernel
import PostgreSQL

/// How a customer wants DeFi to be: what may be suggested, and what is done by itself.
struct DeFiSettings: Sendable {
    enum Tolerance: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        case conservative, balanced, aggressive
    }

    let tolerance: Tolerance
    /// Whether new strategies harvest what they earn where that pays, unless they are told otherwise.
    let compounds: Bool
    /// 0 before the first change.
    let version: Int64

    /// What a new strategy is held to unless it is told otherwise.
    var rules: StrategyRules.Wanted { StrategyRules.Wanted(autoCompound: compounds) }

    var tag: EntityTag { EntityTag(version: version) }

    var json: JSON {
        [
            "risk_tolerance": .string(tolerance.rawValue), "auto_compound": .bool(compounds),
            "version": .integer(version),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required(
                "risk_tolerance",
                .oneOf(Tolerance.self),
                "Offers with risks beyond it are marked; `conservative` doesn't start them."
            ),
            .required(
                "auto_compound",
                .bool,
                "Whether new strategies harvest what they earn where that pays, unless they are told otherwise."
            ),
            .required("version", .integer(0...Int.max)),
        ],
        named: "DeFiSettings"
    )

    /// A user's settings; the defaults before the first change.
    static func of(_ user: ID<User>, in runtime: DomainRuntime) async throws -> DeFiSettings {
        try await of(user, in: runtime.schema, runtime.pool)
    }

    /// The same, where only the database is at hand.
    static func of(_ user: ID<User>, in schema: Schema, _ pool: Pool) async throws -> DeFiSettings {
        let rows = try await pool.query(
            "select risk_tolerance, auto_compound, version from \(schema).settings where user_id = \(user)"
        )
        guard let row = rows.first else { return DeFiSettings(tolerance: .balanced, compounds: false, version: 0) }
        return DeFiSettings(
            tolerance: try row["risk_tolerance"],
            compounds: try row["auto_compound"],
            version: try row["version"]
        )
    }

    /// Changes them, on top of the version that was read.
    ///
    /// - Throws: 412 `version_mismatch`.
    func change(
        _ tolerance: Tolerance?,
        compounds: Bool?,
        of user: ID<User>,
        in runtime: DomainRuntime,
        _ journal: WalletJournal,
        by initiator: Initiator
    ) async throws -> DeFiSettings {
        let changed = DeFiSettings(
            tolerance: tolerance ?? self.tolerance,
            compounds: compounds ?? self.compounds,
            version: version + 1
        )
        let schema = runtime.schema
        let entry = journal.entry("settings.changed", "user", user, before: json, after: changed.json, by: initiator)
        try await runtime.pool.transact { transaction in
            let rows = try await transaction.query(
                """
                insert into \(schema).settings as s (user_id, risk_tolerance, auto_compound, version, updated_at)
                select \(user), \(changed.tolerance), \(changed.compounds), 1, clock_timestamp()
                on conflict (user_id) do update
                set risk_tolerance = excluded.risk_tolerance, auto_compound = excluded.auto_compound,
                    version = s.version + 1, updated_at = excluded.updated_at
                where s.version = \(version)
                returning s.version, s.updated_at
                """
            )
            guard let row = rows.first, try row["version"] == changed.version else {
                throw Problem(
                    412,
                    "version_mismatch",
                    "The settings have changed since you read them. Read them again."
                )
            }
            let told: [any StoredRow] = [entry]
            return Closing((), last: told.statements(in: schema, at: try row["updated_at"]))
        }
        return changed
    }
}

extension DeFiSettings.Tolerance {
    /// Risks that go beyond it.
    var excluded: Set<ProtocolDescription.Risk> {
        switch self {
        case .conservative: [.impermanentLoss, .slashing, .donations]
        case .balanced: [.impermanentLoss]
        case .aggressive: []
        }
    }

    /// What of a protocol goes beyond it, by name.
    func beyond(_ protocol: ProtocolDescription) -> [String] {
        `protocol`.risks.intersection(excluded).map(\.rawValue).sorted()
    }

    /// Lets a strategy start; the middle one is only told of what goes beyond it.
    ///
    /// - Throws: 422 `beyond_risk_tolerance`.
    func check(_ offer: Deployment.Offer) throws(Problem) {
        let risks = beyond(offer.description)
        guard self == .conservative, !risks.isEmpty else { return }
        throw Problem(
            422,
            "beyond_risk_tolerance",
            "Your settings exclude its risks: \(risks.joined(separator: ", ")). Change them, or take another offer.",
            faults: [Problem.Fault("/offer", "beyond_risk_tolerance")]
        )
    }
}
