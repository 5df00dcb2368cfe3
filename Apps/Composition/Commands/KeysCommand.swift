import ArgumentParser
import Cryptography
import DataProtection
import DomainKit
import Kernel

/// `diboas keys`: the keys of private data.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Look at the keys of private data, and replace them while everything goes on.",
        subcommands: [Status.self, Add.self, Rotate.self, Remove.self]
    )

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what each key stands for.")
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let status = try await KeyRotation(Console.program().personalData).status()
            if json {
                Console.print([
                    "current": .string(status.current),
                    "masters": .array(
                        status.masters.map { ["name": .string($0.name), "keys": .integer($0.keys)] }
                    ),
                    "lookups": .array(status.lookups.map { ["id": .integer($0.id), "values": .integer($0.values)] }),
                    "oldest_key_at": status.oldestKeyAt.map { .string($0.description) } ?? .null,
                ])
                return
            }
            print("The master key \(status.current) wraps.")
            Console.table(["MASTER KEY", "KEYS"], status.masters.map { [$0.name, String($0.keys)] })
            Console.table(["KEY OF HASHES", "VALUES"], status.lookups.map { [String($0.id), String($0.values)] })
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the next master key in the directory of the master keys; it wraps from then on.",
            discussion: """
                Where processes on several machines each have a directory, bring the new file to all of them before \
                `diboas keys rotate`.
                """
        )

        func run() async throws {
            let program = try await Console.program()
            guard let directory = KeyPlaces(settings: program.settings).masterDirectory else {
                throw ValidationError("The master keys are in DIBOAS_MASTER_KEYS: add the next one there.")
            }
            try directory.addNext()
            print("The master key \(try await KeyRotation(program.personalData).status().current) wraps from now on.")
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wrap every user's key by the current master key.",
            discussion: """
                Goes on beside everything else, in bounded sets; one that was cut off goes on where it was. Exits \
                with 1 when something is left.
                """
        )
        @Flag(help: "Give every user a new key, too, and encrypt all values anew.") var data = false
        @Option(help: "With --data: only users whose key was made before this instant; now unless given.")
        var madeBefore: String?
        @Flag(help: "Replace the key of the hashes by which values are found.") var lookup = false

        func run() async throws {
            let program = try await Console.program()
            let rotation = KeyRotation(program.personalData)
            let progress: (Int) async throws -> Void = { print("  \($0)") }
            var left = 0
            func tell(_ what: String, _ report: KeyRotation.Report) {
                print("\(what): \(report.done) done, \(report.left) left")
                left += report.left
            }
            tell("wrapped", try await rotation.rewrap(afterSet: progress))
            if data {
                guard let instant = madeBefore.map({ Timestamp($0) }) ?? program.clock.now() else {
                    throw ValidationError("--made-before must be an instant, 2027-01-31T00:00:00Z.")
                }
                tell("renewed", try await rotation.renew(madeBefore: instant, afterSet: progress))
            }
            if lookup { tell("hashed anew", try await rotation.replaceLookupKey(afterSet: progress)) }
            if left > 0 { throw ExitCode(1) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a master key for good.",
            discussion: """
                Refused while it wraps something. Backups whose keys it wrapped can't be read any more, which makes \
                erasures final there, too.
                """
        )
        @Argument(help: "Its number.") var number: UInt32

        func run() async throws {
            let program = try await Console.program()
            guard let directory = KeyPlaces(settings: program.settings).masterDirectory else {
                throw ValidationError("The master keys are in DIBOAS_MASTER_KEYS: remove it there.")
            }
            guard let key = try directory.read().first(where: { $0.number == number }) else {
                throw ValidationError("There is no master key \(number).")
            }
            let name = LocalMasterKeys.name(of: key)
            try await KeyRotation(program.personalData).retire(name, at: program.clock.now())
            try directory.remove(number)
            print("The master key \(name) is gone.")
        }
    }
}
