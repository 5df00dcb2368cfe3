import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL
import ServiceLifecycle

/// Makes the calls to providers that transactions need, each until it is answered, and stores what came of them.
///
/// A call is claimed by a lease with a fencing token, so that two processes never store two results; should both have
/// sent it, the provider's idempotency key makes them one.
struct ProviderCalls: Service {
    /// Calls under way at once.
    static let concurrencyMax = 32
    static let leaseSeconds = 60
    static let attemptsMax = 20
    static let pollMilliseconds = 500
    /// Seconds until one is looked at again that something of ours stops: no attempt of its counts for that.
    static let waitSeconds = 60.0
    /// How often a request looks whether the call that it waits for, and another has, is answered; and how long
    /// between.
    static let waitsMax = 40
    static let waitMilliseconds = 50

    let schema: Schema
    let pool: Pool
    let transactions: Transactions
    let accounts: BankAccounts
    let providers: [String: any PaymentProvider]
    let settlement: Settlement
    let logger: Logger

    func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            if await (try? round()) ?? 0 == 0 {
                try? await Task.sleep(for: .milliseconds(ProviderCalls.pollMilliseconds))
            }
        }
    }

    /// Makes the calls that are due, some at once; how many there were.
    @discardableResult
    func round() async throws -> Int {
        let claimed = try await claim(limit: ProviderCalls.concurrencyMax, only: nil)
        await withDiscardingTaskGroup { group in
            for call in claimed { group.addTask { await attempt(call) } }
        }
        return claimed.count
    }

    /// An answer with the provider's action, if that comes at once; a client that gets none reads the transaction again
    /// later.
    ///
    /// Whoever comes first with the request's key, the first request or a repetition, settles what all are answered.
    func completing(_ answer: APIResponse, awaitedBy key: IdempotencyKey) async throws -> APIResponse {
        guard answer.status == 202 else { return answer }
        if let transaction = try await callNow(awaitedBy: key) {
            let settled = APIResponse.accepted(transaction.json, location: transaction.path)
            try await keep(StoredAnswer(settled), for: key)
        }
        guard let kept = try await kept(for: key)?.response else { return answer }
        return answer.headers["Idempotent-Replayed"] == nil ? kept : kept.with("Idempotent-Replayed", "true")
    }

    /// Makes the call now that a request waits for, or waits a little for who has it; the transaction as it is then.
    ///
    /// Nil when the request's answer has been settled meanwhile.
    func callNow(awaitedBy key: IdempotencyKey) async throws -> BankTransaction? {
        for _ in 0..<ProviderCalls.waitsMax {
            let rows = try await pool.query(
                "select transaction, status from \(schema).provider_calls where request_key = \(key.scope)"
            )
            guard let row = rows.first else { return nil }
            let (transaction, status): (ID<BankTransaction>, String) = (try row["transaction"], try row["status"])
            let claimed = status == "pending" ? try await claim(limit: 1, only: transaction) : []
            for call in claimed { await attempt(call) }
            if status != "pending" || !claimed.isEmpty { return try await transactions.find(transaction) }
            try await Task.sleep(for: .milliseconds(ProviderCalls.waitMilliseconds))
        }
        return try await awaited(by: key)
    }

    private func awaited(by key: IdempotencyKey) async throws -> BankTransaction? {
        let rows = try await pool.query(
            "select transaction from \(schema).provider_calls where request_key = \(key.scope)"
        )
        guard let row = rows.first else { return nil }
        return try await transactions.find(try row["transaction"])
    }

    /// Keeps an answer in the place of the one that was kept before the provider was asked, unless somebody did so
    /// already.
    func keep(_ answer: StoredAnswer, for key: IdempotencyKey) async throws {
        // Whoever waited for the row's lock finds the key gone from it, and touches nothing.
        _ = try await pool.query(
            """
            with settled as (
                update \(schema).provider_calls set request_key = null where request_key = \(key.scope) returning 1)
            update \(schema).idempotency_keys
            set status = \(answer.status), headers = \(answer.headersJSON), answer = \(Bytes(answer.body))
            where key = \(key.scope) and exists (select from settled)
            """
        )
    }

    /// The answer that is kept under a key.
    func kept(for key: IdempotencyKey) async throws -> StoredAnswer? {
        try await pool.query(
            "select status, headers, answer from \(schema).idempotency_keys where key = \(key.scope)"
        ).first.map(StoredAnswer.init)
    }

    private func claim(limit: Int, only transaction: ID<BankTransaction>?) async throws -> [ProviderCall] {
        let rows = try await pool.query(
            """
            update \(schema).provider_calls c
            set lease_until = clock_timestamp() + make_interval(secs => \(Double(ProviderCalls.leaseSeconds))),
                lease_token = lease_token + 1, attempts = attempts + 1
            where id in (
                select id from \(schema).provider_calls
                where status = 'pending' and next_at <= clock_timestamp()
                    and (lease_until is null or lease_until < clock_timestamp())
                    and (\(transaction)::uuid is null or transaction = \(transaction))
                order by next_at limit \(limit) for no key update skip locked)
            returning id, transaction, provider, step, attempts, lease_token
            """
        )
        return try rows.map(ProviderCall.init)
    }

    private func attempt(_ call: ProviderCall) async {
        do {
            guard let asked = try await transactions.find(call.transaction), let provider = providers[call.provider]
            else { return try await postpone(call, "no transaction or no provider \(call.provider)") }
            switch try await settlement.holdOn(asked, for: call) {
            case .held: break
            case .waits(let why): return try await wait(call, for: why)
            case .over: return
            }
            let linked = try await linkedAccount(of: asked)
            // What is given back goes where it came from, whatever that is now.
            switch call.step == .refund ? nil : linked?.status {
            case .open, nil: break
            case .frozen: return try await wait(call, for: "linked_account_frozen")
            case .closed: return try await settlement.refused(asked, call, reason: "linked_account_closed")
            }
            let answer = await ask(provider, call, asked, linked?.instrument?["token"]?.stringValue)
            // While the provider was asked, its webhook may have told the same.
            let transaction = try await transactions.find(call.transaction) ?? asked
            switch answer {
            case .accepted(let reference, let action):
                try await settlement.accepted(transaction, call, reference: reference, action: action)
            case .refused(let reason):
                try await settlement.refused(transaction, call, reason: reason)
            case .unknown(let why), .unavailable(let why):
                try await postpone(call, why)
            }
        } catch {
            logger.error(
                "a provider call could not be made or its result not be stored; it is made again",
                metadata: ["call": "\(call.id)", "transaction": "\(call.transaction.wire)", "error": "\(error)"]
            )
            // So that one that can never be stored ends, too. Where this fails, the claim's lease ends.
            try? await postpone(call, "it could not be made or its result not be stored: \(error)")
        }
    }

    private func ask(
        _ provider: any PaymentProvider,
        _ call: ProviderCall,
        _ transaction: BankTransaction,
        _ token: String?
    ) async -> ProviderAnswer {
        let intent = ProviderIntent(
            transaction: transaction.id,
            amount: transaction.amount,
            idempotencyKey: call.idempotencyKey,
            token: token,
            wallet: transaction.wallet
        )
        return switch call.step {
        case .createDeposit: await provider.createDeposit(intent)
        case .createPayout: await provider.createPayout(intent)
        case .createPurchase: await provider.createPurchase(intent)
        case .createSale: await provider.createSale(intent)
        case .refund: await provider.refund(intent, of: transaction.providerReference ?? "")
        }
    }

    private func linkedAccount(of transaction: BankTransaction) async throws -> BankAccount? {
        guard let linked = transaction.linkedAccount else { return nil }
        return try await accounts.get(linked, of: transaction.user)
    }

    private func wait(_ call: ProviderCall, for why: String) async throws {
        logger.notice(
            "a provider call waits",
            metadata: ["call": "\(call.id)", "transaction": "\(call.transaction.wire)", "why": "\(why)"]
        )
        _ = try await pool.query(
            """
            update \(schema).provider_calls
            set attempts = attempts - 1, lease_until = null, last_error = \(why),
                next_at = clock_timestamp() + make_interval(secs => \(ProviderCalls.waitSeconds))
            where id = \(call.id) and lease_token = \(call.token) and status = 'pending'
            """
        )
    }

    private func postpone(_ call: ProviderCall, _ why: String) async throws {
        let isOver = call.attempts >= ProviderCalls.attemptsMax
        let level: Logger.Level = isOver ? .error : .warning
        logger.log(
            level: level,
            isOver ? "a provider call was given up; an operator must look" : "a provider call is tried again",
            metadata: ["call": "\(call.id)", "transaction": "\(call.transaction.wire)", "why": "\(why)"]
        )
        var random = SystemRandomNumberGenerator()
        let delay = RetrySchedule.standard.delaySeconds(afterAttempt: call.attempts, using: &random)
        _ = try await pool.query(
            """
            update \(schema).provider_calls
            set status = case when \(isOver) then 'dead' else status end, lease_until = null, last_error = \(why),
                next_at = clock_timestamp() + make_interval(secs => \(delay))
            where id = \(call.id) and lease_token = \(call.token) and status = 'pending'
            """
        )
    }
}
