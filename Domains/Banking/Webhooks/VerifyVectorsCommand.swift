public import ArgumentParser
import Foundation

/// Proves the signature checks of webhooks against a file of vectors.
public struct VerifyVectorsCommand: ParsableCommand {
    /// `diboas inbox verify-vectors FILE.json`.
    public static let configuration = CommandConfiguration(
        commandName: "verify-vectors",
        abstract: "Run a file of webhook signature vectors through the code that serves webhooks.",
        discussion: "Exits with 1 when a vector got another verdict, with 2 when the file can't be read as vectors."
    )
    @Argument(help: "The file.", completion: .file(extensions: ["json"])) var file: String

    /// A command without arguments yet.
    public init() {}

    /// Prints passed and failed per provider with each mismatch.
    public func run() throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ValidationError("\(file) can't be read.")
        }
        let outcome = VerifyVectors.run(Array(data))
        for line in outcome.lines { print(line) }
        if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
    }
}
