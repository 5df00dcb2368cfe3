import ArgumentParser
import DataProtection
import DomainKit
import Kernel

extension UsersCommand {
    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a user's personal data for good, and print the receipt.",
            discussion: """
                The user must have asked for it, unless --reason says why not. Exits with 1 when something stands \
                against it. Erasing again prints the same receipt.
                """
        )
        @Argument(help: "The user's id, usr_…") var user: String
        @Option(help: "Why, if the user didn't ask for it in the app.") var reason: String?
        @OptionGroup var acting: OperatorOptions
        @Flag(help: "Only tell what stands against it, and what would stay.") var dryRun = false

        func run() async throws {
            guard let id = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
            let program = try await Console.program()
            let erasure = program.erasure
            if dryRun {
                let obstacles = try await erasure.obstacles(to: id)
                for obstacle in obstacles { print("\(obstacle.place): \(obstacle.code). \(obstacle.text)") }
                Console.table(["STAYS", "BECAUSE"], erasure.kept.map { [$0.what, $0.because] })
                if !obstacles.isEmpty { throw ExitCode(1) }
                return
            }
            let requester = Requester(actor: acting.actor)
            let isOpen = try await erasure.requests.newest(of: id)?.status == .open
            let isErased = try await erasure.receipt(of: id) != nil
            if !isOpen, !isErased, let reason {
                _ = try await erasure.requests.make(
                    for: id,
                    by: Requester(actor: "\(acting.actor): \(reason.prefix(200))")
                )
            }
            Console.print(try await erasure.erase(id, approvedBy: requester).json)
        }
    }
}
