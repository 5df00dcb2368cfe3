public import DataProtection
public import Kernel
public import Ledger
import PostgreSQL

extension DomainRuntime {
    /// Closes ledger accounts of a user who is to be erased, for good: nothing is posted to them from then on, by
    /// whichever process, whatever it remembers of the user.
    ///
    /// What has money on it, or held, stays open, and stands against the erasure; what is closed already stays so.
    /// - Throws: a `PostgresError`, or a `Problem` for an account that can't be.
    public func close(
        _ accounts: [ID<LedgerAccount>],
        of user: ID<User>,
        by requester: Requester,
        ids: IDGenerator
    ) async throws {
        guard !accounts.isEmpty else { return }
        let correlation = requester.correlation ?? ids.next(Intervention.self).value
        let initiator = Initiator(system: requester.actor, correlation: correlation)
        let items = accounts.map { account in
            Intervention("account.closed", "ledger_account", account, because: "erasure", commands: [.close(account)])
                .item(in: schema, by: initiator, ids: ids)
        }
        for outcome in try await ledger.submit(batch: items) {
            switch outcome {
            case .refused(.accountClosed, _), .refused(.accountNotEmpty, _): continue
            case .refused(let refusal, _): throw refusal.problem(in: .usd)
            case .done, .replayed, .keyReused: continue
            }
        }
    }

    /// What stands against erasing a user whose money left this domain and isn't in the other one yet: no account shows
    /// it, and it may come back.
    public func transfersUnderWay(of user: ID<User>) async throws -> [ErasureObstacle] {
        let isUnderWay: Bool = try await pool.query(
            """
            select exists (
                select from \(schema).transfers
                where user_id = \(user) and direction = 'out' and status in ('in_review', 'in_transit'))
            """
        )[0][0]
        guard isUnderWay else { return [] }
        return [
            ErasureObstacle(
                place: schema.name,
                code: "transaction_open",
                text: "A transfer to another domain is under way."
            )
        ]
    }
}
