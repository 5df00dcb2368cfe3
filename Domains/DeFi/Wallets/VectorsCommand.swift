public import ArgumentParser
import Foundation
import WalletCrypto

/// Proves addresses, signatures and transactions against a file of vectors.
public struct VectorsCommand: ParsableCommand {
    /// `diboas defi vectors FILE.json`.
    public static let configuration = CommandConfiguration(
        commandName: "vectors",
        abstract: "Run a file of wallet vectors through the code that serves wallets.",
        discussion: "Exits with 1 when a vector came out otherwise, with 2 when the file can't be read as vectors."
    )
    @Argument(help: "The file.", completion: .file(extensions: ["json"])) var file: String

    /// A command without arguments yet.
    public init() {}

    /// Prints passed and failed per kind with each mismatch.
    public func run() throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ValidationError("\(file) can't be read.")
        }
        let outcome = VectorOutcome(running: Array(data))
        for line in outcome.lines { print(line) }
        if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
    }
}
