import ArgumentParser
import Investing
import Kernel

/// `diboas investing`: what operators do with markets and orders.
struct InvestingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "investing",
        abstract: "Open, halt and resume markets, look at orders and books, cancel orders.",
        discussion: """
            What changes something is carried out by the server that writes orders; without one this command does it. \
            Exits with 69 if neither answers within 15 seconds; nothing was done then.
            """,
        subcommands: [
            InvestingMarketsCommand.self, InvestingOrdersCommand.self, Book.self, InvestingAccountsCommand.self,
            InvestingRiskCommand.self, InvestingKlinesCommand.self,
        ]
    )

    struct Book: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the best levels of a book.")
        @Argument(help: "The market: BTC-USDC.") var symbol: String
        @Option(help: "Levels of each side.") var limit = 20
        @Option(help: "Who looks.") var by = OperatorOptions.systemUser
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000.") }
        }

        func run() async throws {
            let book = try await Console.program().investing().depth(symbol, limit: limit, by: by)
            guard !json else { return Console.print(book) }
            func levels(_ side: String) -> [[String]] {
                (book[side]?.elements ?? []).map { ($0.elements ?? []).compactMap(\.stringValue) }
            }
            let (state, last) = (book["state"]?.stringValue ?? "?", book["last_price"]?.stringValue ?? "–")
            print("\(symbol) is in state \(state); last price \(last).")
            let (bids, asks) = (levels("bids"), levels("asks"))
            let rows = (0..<max(bids.count, asks.count)).map { row in
                let bid = row < bids.count ? bids[row] : ["", ""]
                let ask = row < asks.count ? asks[row] : ["", ""]
                return [bid[1], bid[0], ask[0], ask[1]]
            }
            Console.table(["QUANTITY", "BID", "ASK", "QUANTITY"], rows)
        }
    }
}

/// `diboas investing orders`: everybody's orders.
struct InvestingOrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "List orders, and cancel one.",
        subcommands: [List.self, Cancel.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List open orders, the newest first.")
        @Option(help: "Only of that user, usr_…") var user: String?
        @Option(help: "Only in that market.") var market: String?
        @Flag(help: "Ended ones, too.") var all = false
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let user = try user.map { text in
                guard let id = ID<User>(wire: text) else { throw ValidationError("\(text) is no user's id.") }
                return id
            }
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more.") }
            let operations = try await Console.program().investing()
            Console.show(
                try await operations.orders(of: user, symbol: market, isOpen: !all, limit: limit),
                ["id", "symbol", "side", "type", "limit_price", "quantity", "filled_quantity", "status", "created_at"],
                asJSON: json
            )
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel an order.")
        @Argument(help: "Its id, ord_…") var id: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let order = try await Console.program().investing().cancel(id, because: reason, by: by)
            print("\(id) is \(order["status"]?.stringValue ?? "canceled").")
        }
    }
}
