import ArgumentParser
import Banking
import DomainKit
import Foundation
import Kernel
import Messaging

/// `diboas inbox`: what others told us, and what became of it.
struct InboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox",
        abstract: "Look at events that came in, replay and reconcile them.",
        subcommands: [
            List.self, Show.self, Conflicts.self, Replay.self, Drop.self, Backlog.self, Reconcile.self,
            VerifyVectorsCommand.self,
        ]
    )

    struct Domain: ParsableArguments {
        @Option(help: "The domain.") var domain = "banking"

        func runtime(_ program: Program) throws -> DomainRuntime { try program.runtimes(named: domain)[0] }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List events of a status, oldest first.")
        @OptionGroup var domain: Domain
        @Argument(help: "pending, running, processed, ignored, failed, parked, dead or dropped.") var status = "dead"
        @Option(help: "Only of this source.") var source: String?
        @Option(help: "How many at most.") var limit = 50

        func run() async throws {
            guard let status = InboxEvent.Status(rawValue: status) else {
                throw ValidationError("There is no status \(status).")
            }
            let inbox = try domain.runtime(try await Console.program()).inbox
            let records = try await inbox.list(status, source: source, limit: limit)
            Console.table(
                ["ID", "SOURCE", "TYPE", "OBJECT", "RECEIVED", "ATTEMPTS", "REASON"],
                records.map {
                    [
                        $0.event.id.wire, $0.event.source, $0.event.type, $0.event.objectID ?? "-",
                        $0.event.receivedAt.description, String($0.event.attempt), $0.reason ?? "-",
                    ]
                }
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an event with its body as it came.")
        @OptionGroup var domain: Domain
        @Argument(help: "Its id, inb_…") var id: String

        func run() async throws {
            let inbox = try domain.runtime(try await Console.program()).inbox
            guard let record = try await inbox.show(try InboxCommand.id(id)) else {
                throw ValidationError("There is no event \(id).")
            }
            print("\(record.event.source) \(record.event.type) \(record.event.eventID)")
            print("status \(record.status.rawValue), attempts \(record.event.attempt), \(record.reason ?? "no reason")")
            print(String(decoding: record.event.body, as: UTF8.self))
        }
    }

    struct Conflicts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List events that came again with another body.")
        @OptionGroup var domain: Domain

        func run() async throws {
            let inbox = try domain.runtime(try await Console.program()).inbox
            Console.table(
                ["SOURCE", "EVENT", "SEEN", "LAST"],
                try await inbox.conflicts().map { [$0.source, $0.eventID, String($0.seen), $0.lastSeenAt.description] }
            )
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a dead, dropped or ignored event handled again."
        )
        @OptionGroup var domain: Domain
        @Argument(help: "Its id, inb_…") var id: String

        func run() async throws {
            let inbox = try domain.runtime(try await Console.program()).inbox
            guard try await inbox.replay(try InboxCommand.id(id)) else {
                throw ValidationError("There is no event \(id) that could be handled again.")
            }
            print("It will be handled again.")
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Decide that an event is not to be handled.")
        @OptionGroup var domain: Domain
        @Argument(help: "Its id, inb_…") var id: String
        @Option(help: "Why.") var reason: String

        func run() async throws {
            let inbox = try domain.runtime(try await Console.program()).inbox
            guard try await inbox.drop(try InboxCommand.id(id), reason: reason) else {
                throw ValidationError("There is no event \(id) that waits.")
            }
            print("It won't be handled.")
        }
    }

    struct Backlog: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Count what waits, by source.")
        @OptionGroup var domain: Domain

        func run() async throws {
            let inbox = try domain.runtime(try await Console.program()).inbox
            Console.table(
                ["SOURCE", "WAITING", "PARKED", "DEAD", "OLDEST"],
                try await inbox.backlog().map {
                    [
                        $0.source, String($0.waiting), String($0.parked), String($0.dead),
                        "\(Int($0.oldestWaitingSeconds)) s",
                    ]
                }
            )
        }
    }

    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a provider for its events and put those that never came into the inbox."
        )
        @Argument(help: "The provider: sandbox, stripe, moonpay or ramp.") var provider: String
        @Option(help: "Since when, 2026-11-20T00:00:00Z.") var since: String

        func run() async throws {
            guard let instant = Timestamp(since) else { throw ValidationError("\(since) is no instant in UTC.") }
            let program = try await Console.program()
            guard let banking = program.domains.compactMap({ $0 as? BankingDomain }).first else { return }
            let counts = try await banking.reconcile(provider, since: instant)
            print("\(counts.asked) events, \(counts.missed) of them new.")
        }
    }

    static func id(_ text: String) throws -> ID<InboxEvent> {
        guard let id = ID<InboxEvent>(wire: text) else { throw ValidationError("\(text) is no event's id.") }
        return id
    }
}
