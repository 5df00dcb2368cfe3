public import Kernel
public import Ledger
public import Logging
public import Messaging
public import PostgreSQL

/// What every domain has for itself: its pool, ledger, inbox and outbox, all in its own schema.
public struct DomainRuntime: Sendable {
    /// The schema.
    public let schema: Schema
    /// Connections with the domain's role.
    public let pool: Pool
    /// The ledger, whose batches store the domain's rows too.
    public private(set) var ledger: Ledger
    /// Ledger accounts and balances.
    public let accounts: LedgerAccounts
    /// What the journal tells.
    public let history: LedgerHistory
    /// What others told the domain.
    public let inbox: Inbox
    /// Raised when there is something in the inbox.
    public let inboxSignal: WorkSignal
    /// Raised when there is something to publish.
    public let outboxSignal: WorkSignal
    /// Ends reservations whose time is over.
    public let sweeper: ReservationSweeper

    /// The runtime of a schema on a pool; `batchMax` and `queueMax` bound the ledger's batches and its queue.
    public init(
        schema: Schema,
        pool: Pool,
        ids: IDGenerator,
        logger: Logger,
        batchMax: Int = 2_000,
        queueMax: Int = 50_000
    ) {
        (self.schema, self.pool) = (schema, pool)
        let outboxSignal = WorkSignal(.outbox, of: schema)
        self.outboxSignal = outboxSignal
        let telling: ReservationSweeper.Telling = { ended, instant in
            ended.reservations.map { reservation in
                let account = ended.accounts[reservation.account].map { [$0] } ?? []
                let balances = BalanceSnapshot.json(account, at: instant, place: 0)
                return ReservationEvents.expired(reservation, balances: balances, schema: schema, ids: ids)
            }
        }
        ledger = Ledger(
            schema: schema,
            pool: pool,
            batchMax: batchMax,
            queueMax: queueMax,
            onCommit: { outboxSignal.raise() },
            telling: telling
        )
        accounts = LedgerAccounts(schema: schema, pool: pool, ids: ids)
        history = LedgerHistory(schema: schema, pool: pool)
        inbox = Inbox(pool: pool, schema: schema, ids: ids, logger: logger)
        inboxSignal = WorkSignal(.inbox, of: schema)
        sweeper = ReservationSweeper(schema: schema, pool: pool, telling: telling)
    }

    /// The same runtime, whose ledger's operations are committed by somebody else.
    public func writing(through writer: any LedgerWriter) -> DomainRuntime {
        var runtime = self
        runtime.ledger = Ledger(schema: schema, pool: pool, through: writer)
        return runtime
    }
}

/// The events that reservations cause by themselves.
public enum ReservationEvents {
    /// `{schema}.reservation.expired`: the reservation's only event.
    public static func expired(
        _ reservation: ReservationState,
        balances: JSON = [],
        schema: Schema,
        ids: IDGenerator
    ) -> OutboxEvent {
        OutboxEvent(
            id: ids.next(),
            aggregateType: "reservation",
            aggregate: reservation.id,
            version: 1,
            type: "\(schema).reservation.expired",
            payload: [
                "reservation": .string(reservation.id.wire), "operation": .string(reservation.operation.description),
                "kind": .string(reservation.kind), "amount": .string(String(reservation.amount)),
                "captured": .string(String(reservation.captured)), "balances": balances,
            ]
        )
    }
}
