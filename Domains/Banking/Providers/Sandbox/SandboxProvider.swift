import Kernel
import Logging
import PostgreSQL

/// A provider that lives in our own database: it takes everything on, says what happens by signed webhooks, and can
/// be told by an account's token to behave badly.
///
/// It keeps what a real provider keeps at its side, so it survives restarts and serves several processes. Its time is
/// the program's clock.
struct SandboxProvider: PaymentProvider {
    /// Events that are handed out at once; who gets that many asks again from the last one on.
    static let eventsMax = 10_000

    let name = "sandbox"
    let schema: Schema
    let pool: Pool
    let ids: IDGenerator
    let clock: any WallClock

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer {
        let behaviour = SandboxBehaviour(token: intent.token)
        guard behaviour != .declined else { return .refused(reason: "card_declined") }
        return await take(intent, .deposit, behaviour)
    }

    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer {
        let behaviour = SandboxBehaviour(token: intent.token)
        guard behaviour != .declined else { return .refused(reason: "account_not_accepted") }
        return await take(intent, .payout, behaviour)
    }

    /// Pays the customer's own wallet, or is paid by it; on no chain, as it lives in our own database.
    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer {
        await take(intent, .purchase, SandboxBehaviour(token: intent.token))
    }

    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer {
        await take(intent, .sale, SandboxBehaviour(token: intent.token))
    }

    /// Gives a deposit that succeeded back, in whole or part; never more than it was.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        let behaviour = SandboxBehaviour(token: intent.token)
        guard let deposit = ID<SandboxObject>(wire: reference) else { return .refused(reason: "unknown_reference") }
        return await take(intent, .refund, behaviour, of: deposit)
    }

    /// What has happened since an instant, told or not, oldest first.
    func events(since: Timestamp) async throws -> [JSON] {
        let rows = try await pool.query(
            """
            select body from (
                select distinct on (event_id) event_id, happened_at, body
                from \(schema).sandbox_deliveries
                where happened_at >= \(since) and happened_at <= \(clock.now())
                order by event_id, id) e
            order by happened_at, event_id limit \(SandboxProvider.eventsMax)
            """
        )
        return try rows.map { row in
            let body: Bytes = try row["body"]
            return try JSON.parse(body.array)
        }
    }

    private func take(
        _ intent: ProviderIntent,
        _ kind: SandboxObject.Kind,
        _ behaviour: SandboxBehaviour,
        of deposit: ID<SandboxObject>? = nil
    ) async -> ProviderAnswer {
        let object = SandboxObject(
            id: ids.next(),
            kind: kind,
            transaction: intent.transaction,
            refundOf: deposit,
            amount: intent.amount,
            behaviour: behaviour,
            createdAt: clock.now()
        )
        do {
            let answer = try await pool.withTransaction { try await store(object, intent, $0) }
            // The answer of the first call gets lost; that of its repetition doesn't.
            if case .taken(let isNew, _) = answer, isNew, behaviour == .unknown { return .unknown("simulated timeout") }
            return answer.answer(kind)
        } catch PostgresError.outcomeUnknown(let why) {
            return .unknown(why)
        } catch {
            return .unavailable("\(error)")
        }
    }

    private enum Outcome {
        case taken(isNew: Bool, ID<SandboxObject>)
        case refused(String)

        func answer(_ kind: SandboxObject.Kind) -> ProviderAnswer {
            switch self {
            case .refused(let reason): return .refused(reason: reason)
            case .taken(_, let id):
                let action: JSON = ["type": "sandbox_client_secret", "client_secret": .string(id.wire + "_secret")]
                return .accepted(reference: id.wire, action: [.payout, .refund].contains(kind) ? nil : action)
            }
        }
    }

    private func store(
        _ object: SandboxObject,
        _ intent: ProviderIntent,
        _ transaction: Transaction
    ) async throws -> Outcome {
        if let known = try await known(object, intent, transaction) { return known }
        if let reason = try await objection(to: object, transaction) { return .refused(reason) }
        let stored = try await transaction.query(
            """
            insert into \(schema).sandbox_objects
                (id, idempotency_key, kind, transaction, refund_of, asset, amount, behaviour, created_at)
            values (\(object.id), \(intent.idempotencyKey), \(object.kind), \(object.transaction), \(object.refundOf),
                \(object.amount.asset.code), \(object.amount.minorUnits), \(object.behaviour), \(object.createdAt))
            on conflict (idempotency_key) do nothing
            returning id
            """
        )
        guard !stored.isEmpty else {
            // Another process was first, and has committed by now.
            return try await known(object, intent, transaction) ?? .refused("idempotency_key_reused")
        }
        _ = try await transaction.query(SandboxDeliveries.insert(object, in: schema, ids))
        return .taken(isNew: true, object.id)
    }

    /// What became of the first call with the key; nil if this is it.
    private func known(
        _ object: SandboxObject,
        _ intent: ProviderIntent,
        _ transaction: Transaction
    ) async throws -> Outcome? {
        let rows = try await transaction.query(
            """
            select id, kind = \(object.kind) and asset = \(object.amount.asset.code)
                and amount = \(object.amount.minorUnits) and transaction = \(object.transaction)
                and refund_of is not distinct from \(object.refundOf) as is_same
            from \(schema).sandbox_objects where idempotency_key = \(intent.idempotencyKey)
            """
        )
        guard let row = rows.first else { return nil }
        let isSame: Bool = try row["is_same"]
        return isSame ? .taken(isNew: false, try row["id"]) : .refused("idempotency_key_reused")
    }

    /// Why a refund can't be; the deposit's row is locked, so that two refunds see each other.
    private func objection(to object: SandboxObject, _ transaction: Transaction) async throws -> String? {
        guard let deposit = object.refundOf else { return nil }
        let rows = try await transaction.query(
            """
            select asset, amount from \(schema).sandbox_objects where id = \(deposit) and kind = 'deposit' for update
            """
        )
        guard let row = rows.first else { return "unknown_reference" }
        guard try row["asset"] == object.amount.asset.code else { return "other_currency" }
        let sums = try await transaction.query(
            """
            select
                coalesce((select sum(amount) from \(schema).sandbox_objects where refund_of = \(deposit)), 0) as given,
                exists (
                    select from \(schema).sandbox_deliveries
                    where object = \(deposit) and type = 'deposit.succeeded' and happened_at <= \(clock.now())
                ) as is_paid
            """
        )
        let (paid, given): (Int128, Int128) = (try row["amount"], try sums[0]["given"])
        guard try sums[0]["is_paid"] else { return "not_paid" }
        return given + object.amount.minorUnits > paid ? "exceeds_payment" : nil
    }
}
