import Kernel
import PostgreSQL
import Screening

extension ComplianceGate: AddressScreening {
    /// Blocks an address that is on a list; exact, after the chain's normal form.
    ///
    /// Money of customers whose case is open goes to no address. Where nothing can be read, `ComplianceMoment` says
    /// what is answered. The answer is kept as a compliance record when it blocks.
    ///
    /// - Throws: a `PostgresError` when the record can't be kept; nothing may be done with the address then.
    public func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        guard let answer = try? await decide(address) else { return address.use.moment.unread(.sanctions) }
        let blocking = answer.checks.filter { $0.outcome == .block }
        if !blocking.isEmpty {
            try await records.keep(
                blocking,
                of: address.user,
                subject: address.subject,
                by: "lists",
                details: ["address": .string(address.account), "use": .string(address.use.moment.rawValue)]
            )
        }
        return answer
    }

    /// Asks about a payout; how far its customer is identified is read here.
    ///
    /// - Throws: a `PostgresError` when the record can't be kept; the money must not go then.
    public func screen(_ payout: Payout) async throws -> ComplianceAnswer {
        let known = try? await pool.query("select kyc_status from platform.users where id = \(payout.user)").first
        guard let status: String = try known?["kyc_status"] else { return ComplianceMoment.payout.unread(.kyc) }
        // `pending` is not identified yet.
        return try await check(payout.movement(MoneyMovement.Identification(rawValue: status) ?? .none))
    }

    private func decide(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        var checks = try await listed(address).checks
        if address.use == .payout { checks += try await policy.current().heldBack(address.user) }
        return ComplianceAnswer(checks: checks)
    }

    /// Whether an address is on a list; the entries are named in the flags.
    func listed(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let parts = address.account.split(separator: ":").map(String.init)
        guard let text = parts.last, let chain = parts.first,
            let wallet = WalletAddress(asset: chain, address: text)
        else {
            return ComplianceGate.answer(.review, 50, ["address_unreadable"])
        }
        let entries = try await SanctionsScreening(pool: pool).entries(ofAddress: wallet)
        guard !entries.isEmpty else { return ComplianceGate.answer(.approve, 0, []) }
        let listed = entries.map { "\($0.source.rawValue):\($0.key)" }
        return ComplianceGate.answer(.block, 100, ["address_listed"] + listed)
    }

    static func answer(
        _ outcome: ComplianceAnswer.Outcome,
        _ score: Int,
        _ flags: [String]
    ) -> ComplianceAnswer {
        ComplianceAnswer(checks: [
            ComplianceAnswer.Check(
                kind: .sanctions,
                outcome: outcome,
                score: score,
                flags: flags,
                rule: "address_lists.v1"
            )
        ])
    }
}
