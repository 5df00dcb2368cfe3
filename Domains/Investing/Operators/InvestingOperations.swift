import DomainKit
import Fees
public import Kernel
import PostgreSQL

/// What operators do in Investing.
///
/// What changes markets, orders or rules is carried out by the process that writes; if there is none, by this one.
public struct InvestingOperations: Sendable {
    /// How long a command may wait for its answer.
    public static let patienceSeconds = 15.0
    /// Rows of one answer at most.
    public static let listMax = 500
    private static let pauseMilliseconds = 100

    let runtime: DomainRuntime
    let fees: FeeCatalogCache
    let ids: IDGenerator
    let clock: any WallClock
    let desk: TradingDesk

    var commands: OperatorCommands { OperatorCommands(schema: runtime.schema, pool: runtime.pool) }

    // MARK: Markets

    /// All markets, as the API shows them.
    public func markets() async throws -> [JSON] {
        try await runtime.pool.query(StoredMarket.all(in: runtime.schema)).map { try StoredMarket($0).json }
    }

    /// Opens a market: `symbol`, `tick_size`, `lot_size`, and what else a market has, in units of its assets.
    ///
    /// - Throws: 409 `market_exists`, 422 that says what doesn't fit, `no_fee_schedule` where nobody could trade in it.
    public func createMarket(_ description: JSON, by operator: String) async throws -> JSON {
        if let quote = description["symbol"]?.stringValue?.split(separator: "-").last.flatMap({
            Asset(code: String($0))
        }) {
            let catalog = try await fees.current()
            for operation in RateBook.operations {
                guard (try? catalog.schedule(operation: operation, asset: quote, at: clock.now())) != nil else {
                    throw Problem(
                        422,
                        "no_fee_schedule",
                        "There is no fee schedule \(operation) in \(quote.code). Publish one first: nobody could trade."
                    )
                }
            }
        }
        return try await ask(.createMarket, description, by: `operator`)
    }

    /// Gives the market `symbol` other filters or another `circuit_breaker`: what isn't named stays, null is as in a
    /// new market.
    ///
    /// - Throws: 404 `market_not_found`, 422 that says what doesn't fit.
    public func changeMarket(_ description: JSON, by operator: String) async throws -> JSON {
        try await ask(.changeMarket, description, by: `operator`)
    }

    /// Puts a market into a state; `reopensAt` ends a halt by itself.
    public func setState(
        _ symbol: String,
        _ state: String,
        reopensAt: Timestamp?,
        by operator: String
    ) async throws -> JSON {
        let until = reopensAt.map { JSON.string($0.description) } ?? .null
        let parameters: JSON = ["symbol": .string(symbol), "state": .string(state), "reopens_at": until]
        return try await ask(.setState, parameters, by: `operator`)
    }

    /// Puts a market's band around a price, until the next trade; nil puts it around the last price.
    public func setReference(_ symbol: String, _ price: String?, by operator: String) async throws -> JSON {
        let price = price.map { JSON.string($0) } ?? .null
        return try await ask(.setReference, ["symbol": .string(symbol), "price": price], by: `operator`)
    }

    /// A book's best levels, from the books in the writer's memory.
    public func depth(_ symbol: String, limit: Int, by operator: String) async throws -> JSON {
        try await ask(.readDepth, ["symbol": .string(symbol), "limit": .integer(limit)], by: `operator`)
    }

    // MARK: Orders

    /// Orders, newest first: of one user or of all, open ones or all.
    public func orders(of user: ID<User>?, symbol: String?, isOpen: Bool, limit: Int) async throws -> [JSON] {
        let rows = try await runtime.pool.query(
            """
            select \(OrderRow.columns) from \(runtime.schema).orders o
            join \(runtime.schema).accounts a on a.id = o.account
            join \(runtime.schema).markets m on m.id = o.market
            where (\(user)::uuid is null or a.user_id = \(user)::uuid)
                and (\(symbol)::text is null or m.symbol = \(symbol)::text)
                and (not \(isOpen) or o.ended_at is null)
            order by o.id desc limit \(min(limit, InvestingOperations.listMax))
            """
        )
        let stored = try await runtime.pool.query(StoredMarket.all(in: runtime.schema)).map { try StoredMarket($0) }
        let markets = Dictionary(stored.map { ($0.market.id, $0.market) }) { first, _ in first }
        return try rows.compactMap { row in
            let order = try OrderRow.read(row)
            return markets[order.market].map { order.json(in: $0) }
        }
    }

    /// Ends an order.
    ///
    /// - Throws: 409 `order_not_open`.
    public func cancel(_ order: String, because reason: String, by operator: String) async throws -> JSON {
        try await ask(.cancelOrder, ["order": .string(order), "reason": .string(reason)], by: `operator`)
    }

    // MARK: The writer

    /// Leaves a command and waits for its answer; without another writer this process is it meanwhile.
    ///
    /// - Throws: the answer if it is a problem; 503 `no_writer` after `patienceSeconds`: then nothing was done.
    func ask(_ kind: OperatorCommand.Kind, _ parameters: JSON, by operator: String) async throws -> JSON {
        let command = OperatorCommand(
            id: ids.next(),
            kind: kind,
            parameters: parameters,
            actor: "operator:\(`operator`)"
        )
        try await commands.leave(command)
        let start = clock.now()
        while clock.now().secondsSince(start) < InvestingOperations.patienceSeconds {
            if let (status, answer) = try await commands.answer(to: command.id) {
                return try InvestingOperations.result(status, answer)
            }
            if !desk.isWriter { try await desk.workAlone() }
            try await Task.sleep(for: .milliseconds(InvestingOperations.pauseMilliseconds))
        }
        let problem = Problem(503, "no_writer", "No process took the command up, so nothing was done. Try again.")
        if try await commands.give(up: command.id, problem) { throw problem }
        guard let (status, answer) = try await commands.answer(to: command.id) else { throw problem }
        return try InvestingOperations.result(status, answer)
    }

    private static func result(_ status: Int, _ answer: JSON) throws(Problem) -> JSON {
        guard status < 400 else {
            let (code, detail) = (answer["code"]?.stringValue, answer["detail"]?.stringValue)
            throw Problem(status, code ?? "refused", detail ?? "The command was refused.")
        }
        return answer
    }
}
