import ArgumentParser
import DeFi

/// `diboas defi`: wallets and chains.
struct DeFiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "defi",
        abstract: "Look at chains, transactions and strategies, and check what wallets are understood to say.",
        subcommands: [
            VectorsCommand.self, DeFiWalletsCommand.self, DeFiChainCommand.self, DeFiTransactionsCommand.self,
            DeFiStrategiesCommand.self, DeFiCustodyCommand.self,
        ]
    )
}
