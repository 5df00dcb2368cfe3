import ArgumentParser
import DeFi

/// `diboas defi`: wallets and chains.
struct DeFiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "defi",
        abstract: "Check what wallets are understood to say.",
        subcommands: [VectorsCommand.self]
    )
}
