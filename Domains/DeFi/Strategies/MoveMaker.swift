import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// A position on its way to another offer, whose exit isn't open any more.
struct Move: Sendable, Entity {
    static let idPrefix = "mov"

    let id: ID<Move>
    let strategy: ID<Strategy>
    let target: String
    /// What came out, in minor units; nil where the exit came to nothing.
    let received: Int128?
    let attempts: Int
}

/// Puts what left one offer into the other: a ready start of exactly what came out, once the exit is final.
struct MoveMaker: StrategyMaker {
    /// Moves that are looked at in one block.
    static let blockMax = 100
    /// Blocks between two attempts at a start that couldn't be built.
    static let retryBlocks: Int64 = 10
    /// Attempts until a move is given up; what came out is in the wallet.
    static let attemptsMax = 50

    let schema: Schema
    let pool: Pool
    let openings: IntentOpenings

    /// Moves whose exits, sped-up ones included, are over.
    func due(at number: Int64) async throws -> [Move] {
        try await pool.query(
            """
            select m.id, m.strategy, m.target, m.attempts, e.received
            from \(schema).moves m
            cross join lateral (
                select bool_or(i.state not in ('final', 'failed', 'replaced', 'expired')) as is_open,
                    sum(i.received) filter (where i.state = 'final') as received
                from \(schema).intents i
                where i.strategy = m.strategy and i.kind = 'exit' and i.id >= m.exit) e
            where m.chain = \(chain.name) and m.state = 'leaving' and m.next_number <= \(number) and not e.is_open
            order by m.id limit \(MoveMaker.blockMax)
            """
        ).map { row in
            Move(
                id: try row["id"],
                strategy: try row["strategy"],
                target: try row["target"],
                received: try row["received"],
                attempts: try row["attempts"]
            )
        }
    }

    /// What stores a move's start, or its end.
    func item(_ move: Move, at block: EthereumBlock) async throws -> LedgerItem? {
        guard let strategy = try await strategies.find(move.strategy) else { return nil }
        guard let received = move.received, received > 0 else {
            return ended(move, strategy, because: "exit_not_made", at: block)
        }
        do {
            return try await start(move, strategy, received, at: block)
        } catch let problem as Problem {
            guard move.attempts + 1 < Self.attemptsMax else {
                return ended(move, strategy, because: problem.code, at: block)
            }
            let later = MoveChangeRow(move: move.id, state: "leaving", nextNumber: block.number + Self.retryBlocks)
            return none.storing([later] + decision(strategy, "skip_" + problem.code, move, nil, at: block), ids)
        }
    }

    private func start(
        _ move: Move,
        _ strategy: Strategy,
        _ received: Int128,
        at block: EthereumBlock
    ) async throws -> LedgerItem {
        guard let target = chain.deployment.offer(move.target) else {
            throw Problem(422, "offer_gone", "The protocol isn't offered any more.")
        }
        let payers = Payers(schema: schema, pool: pool)
        let wallet = try await payers.wallet(strategy.wallet, of: strategy.user, on: chain.name)
        let calls = try await StrategyCalls(chain: chain).start(
            target,
            wallet: wallet.address,
            amount: Money(minorUnits: received, strategy.asset),
            pairAmount: .zero,
            now: clock.now()
        )
        let (opened, new) = try await opening(calls, from: wallet, in: target, like: strategy, speed: .normal)
        let change = MoveChangeRow(move: move.id, state: "started", nextNumber: block.number)
        let said = decision(strategy, "start_built", move, opened.intents.last?.id, at: block) + [change]
        return Optional(opened).storing(said, after: new, ids)
    }

    private func ended(
        _ move: Move,
        _ strategy: Strategy,
        because reason: String,
        at block: EthereumBlock
    ) -> LedgerItem {
        let change = MoveChangeRow(move: move.id, state: "ended", reason: reason, nextNumber: block.number)
        return none.storing(decision(strategy, reason, move, nil, at: block) + [change], ids)
    }

    private func decision(
        _ strategy: Strategy,
        _ outcome: String,
        _ move: Move,
        _ intent: ID<Intent>?,
        at block: EthereumBlock
    ) -> [any StoredRow] {
        let amount = move.received.map { Money(minorUnits: $0, strategy.asset).wire }
        let facts: JSON = [
            "from": .string(strategy.offer), "to": .string(move.target),
            "received": amount.map { .string($0) } ?? .null,
        ]
        let row = DecisionRow(
            id: ids.next(),
            strategy: strategy.id,
            kind: "rebalance",
            outcome: outcome,
            facts: facts,
            intent: intent,
            number: block.number
        )
        // What waits is told once, when it begins to.
        guard intent != nil || move.attempts == 0 else { return [row] }
        return [row, StrategyAlert.event("rebalance", strategy, outcome: outcome, facts: facts, intent: intent, ids)]
    }
}
