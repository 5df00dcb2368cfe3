import ArgumentParser
import Investing
import Kernel

/// `diboas investing markets`: what can be traded, and whether it may be at present.
struct InvestingMarketsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "markets",
        abstract: "List and open markets, halt and resume them.",
        subcommands: [List.self, Create.self, Halt.self, Resume.self, State.self, Reference.self],
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
        @Option(help: "The highest price; a billion ticks unless given.") var priceMax: String?
        @Option(help: "The smallest quantity; a lot unless given.") var quantityMin: String?
        @Option(help: "The largest quantity; a billion lots unless given.") var quantityMax: String?
        @Option(help: "The smallest value of an order, in the quote asset.") var notionalMin: String?
        @Option(help: "How far from the reference price orders may take, in basis points.") var band: Int?
        @Option(help: "The reference price that the band is around.") var reference: String?
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let texts: [(String, String?)] = [
                ("symbol", symbol), ("tick_size", tick), ("lot_size", lot), ("price_max", priceMax),
                ("quantity_min", quantityMin), ("quantity_max", quantityMax), ("notional_min", notionalMin),
                ("reference_price", reference),
            ]
            var members = texts.compactMap { name, text in text.map { JSON.Member(name, .string($0)) } }
            if let band { members.append(JSON.Member("band_basis_points", .integer(band))) }
            show(try await Console.program().investing().createMarket(.object(members), by: by))
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
            abstract: "Set the reference price that a market's band is around; without a price the band is off."
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
