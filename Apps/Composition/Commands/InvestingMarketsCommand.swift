import ArgumentParser
import Investing
import Kernel

/// `diboas investing markets`: what can be traded, and whether it may be at present.
struct InvestingMarketsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "markets",
        abstract: "List and open markets, halt and resume them.",
        subcommands: [List.self, Create.self, Change.self, Halt.self, Resume.self, State.self, Reference.self],
        defaultSubcommand: List.self
    )

    private static func show(_ market: JSON) {
        let (symbol, state) = (market["symbol"]?.stringValue ?? "?", market["state"]?.stringValue ?? "?")
        print("\(symbol) is in state \(state).")
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List markets.")
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().investing().markets(),
                ["symbol", "state", "last_price", "reference_price", "tick_size", "lot_size", "notional_min"],
                asJSON: json
            )
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a market.",
            discussion: """
                One lot at a price of one tick must be a whole number of the quote asset's smallest units, so that no \
                trade is ever rounded.
                """
        )
        @Argument(help: "Base and quote asset: BTC-USDC.") var symbol: String
        @Option(help: "The price's step, in the quote asset for one unit of the base asset.") var tick: String
        @Option(help: "The quantity's step, in the base asset.") var lot: String
        @OptionGroup var limits: MarketLimits
        @Option(help: "The price that the band is around until the first trade.") var reference: String?
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            var members = [("symbol", symbol), ("tick_size", tick), ("lot_size", lot)]
                .map { JSON.Member($0, .string($1)) }
            if let reference { members.append(JSON.Member("reference_price", .string(reference))) }
            let description = JSON.object(members + (try limits.members()))
            show(try await Console.program().investing().createMarket(description, by: by))
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change what orders a market takes, and when it halts by itself.",
            discussion: "What isn't named stays as it is; `none` makes it as in a new market. Live orders stay."
        )
        @Argument(help: "The market.") var symbol: String
        @OptionGroup var limits: MarketLimits
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let members = try limits.members()
            guard !members.isEmpty else { throw ValidationError("Say what is to change.") }
            let change = JSON.object([JSON.Member("symbol", .string(symbol))] + members)
            Console.print(try await Console.program().investing().changeMarket(change, by: by))
        }
    }

    struct Halt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop trading in a market; cancels still pass."
        )
        @Argument(help: "The market.") var symbol: String
        @Option(help: "When it ends by itself, such as 2026-01-31T12:00:00Z; when it is resumed unless given.")
        var until: String?
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let instant = try until.map { text in
                guard let instant = Timestamp(text) else { throw ValidationError("\(text) is no instant.") }
                return instant
            }
            let operations = try await Console.program().investing()
            show(try await operations.setState(symbol, "halt", reopensAt: instant, by: by))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a market trade again.")
        @Argument(help: "The market.") var symbol: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().investing()
            show(try await operations.setState(symbol, "trading", reopensAt: nil, by: by))
        }
    }

    struct State: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Put a market into a state.")
        @Argument(help: "The market.") var symbol: String
        @Argument(help: "trading, halt, cancel_only, post_only or limit_only.") var state: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().investing()
            show(try await operations.setState(symbol, state, reopensAt: nil, by: by))
        }
    }

    struct Reference: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a market's band around a price until the next trade; without one, around the last price."
        )
        @Argument(help: "The market.") var symbol: String
        @Argument(help: "The price, in the quote asset for one unit of the base asset.") var price: String?
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let market = try await Console.program().investing().setReference(symbol, price, by: by)
            print("\(symbol) has the reference price \(market["reference_price"]?.stringValue ?? "none").")
        }
    }
}
