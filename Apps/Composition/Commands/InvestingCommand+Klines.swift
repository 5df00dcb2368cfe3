import ArgumentParser
import Investing
import Kernel

/// `diboas investing klines`: klines as they follow from the trades.
struct InvestingKlinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "klines",
        abstract: "Klines as they follow from the trades.",
        subcommands: [Rebuild.self]
    )

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make klines anew from the trades.",
            discussion: "Trading may go on: it waits for a month's klines at a time."
        )
        @Argument(help: "The market, BTC-USDC; all of them unless given.") var symbol: String?
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            let program = try await Console.program()
            guard let investing = program.domains.compactMap({ $0 as? InvestingDomain }).first else {
                throw ValidationError("This program has no Investing.")
            }
            for made in try await investing.rebuildKlines(of: symbol, by: acting.name) {
                print("\(made.symbol): \(made.klines) klines")
            }
        }
    }
}
