import ArgumentParser
import Foundation

/// Who acts by a command: kept in the audit log as `operator:NAME`.
struct OperatorOptions: ParsableArguments {
    @Option(name: .customLong("operator"), help: "Who you are, for the audit log; the system's user unless given.")
    var name = OperatorOptions.systemUser

    /// The actor in the words of the audit log.
    var actor: String { "operator:" + name }

    /// Who is logged in: who became root by `sudo`, else the process's user.
    static let systemUser = ProcessInfo.processInfo.environment["SUDO_USER"] ?? NSUserName()

    func validate() throws {
        let isName = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isName else { throw ValidationError("--operator must be a name of 1 to 64 visible characters.") }
    }
}
