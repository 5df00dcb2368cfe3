import ArgumentParser
import DomainKit
import Kernel
import Messaging
import PostgreSQL

/// `diboas outbox`: what we tell others.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "Look at events to publish, and replay them.",
        subcommands: [List.self, Backlog.self, Replay.self, Drop.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List events of a status, oldest first.")
        @OptionGroup var domain: InboxCommand.Domain
        @Argument(help: "pending, published or failed.") var status = "failed"
        @Option(help: "How many at most.") var limit = 50

        func run() async throws {
            guard let status = OutboxRecord.Status(rawValue: status) else {
                throw ValidationError("There is no status \(status).")
            }
            let runtime = try domain.runtime(try await Console.program())
            let records = try await Outbox(pool: runtime.pool, schema: runtime.schema).list(status, limit: limit)
            Console.table(
                ["ID", "TYPE", "AGGREGATE", "VERSION", "ATTEMPTS", "ERROR"],
                records.map {
                    [
                        $0.id.wire, $0.type, ID<OutboxEvent>($0.aggregateID).description, String($0.version),
                        String($0.attempts), $0.lastError ?? "-",
                    ]
                }
            )
        }
    }

    struct Backlog: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Count what isn't published, by domain.")

        func run() async throws {
            let program = try await Console.program()
            var rows: [[String]] = []
            for runtime in program.everyRuntime {
                let backlog = try await Outbox(pool: runtime.pool, schema: runtime.schema).backlog()
                rows.append([
                    runtime.schema.name, String(backlog.unpublished), String(backlog.dead),
                    "\(Int(backlog.oldestUnpublishedSeconds)) s",
                ])
            }
            Console.table(["DOMAIN", "UNPUBLISHED", "DEAD", "OLDEST"], rows)
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Publish an event again.")
        @OptionGroup var domain: InboxCommand.Domain
        @Argument(help: "Its id, evt_…") var id: String

        func run() async throws {
            let runtime = try domain.runtime(try await Console.program())
            let outbox = Outbox(pool: runtime.pool, schema: runtime.schema)
            guard try await outbox.replay(try OutboxCommand.id(id)) else {
                throw ValidationError("There is no event \(id).")
            }
            print("It will be published again.")
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Decide that an event is not to be published.")
        @OptionGroup var domain: InboxCommand.Domain
        @Argument(help: "Its id, evt_…") var id: String
        @Option(help: "Why.") var reason: String

        func run() async throws {
            let runtime = try domain.runtime(try await Console.program())
            let outbox = Outbox(pool: runtime.pool, schema: runtime.schema)
            guard try await outbox.drop(try OutboxCommand.id(id), reason: reason) else {
                throw ValidationError("There is no event \(id) that waits.")
            }
            print("It won't be published.")
        }
    }

    static func id(_ text: String) throws -> ID<OutboxEvent> {
        guard let id = ID<OutboxEvent>(wire: text) else { throw ValidationError("\(text) is no event's id.") }
        return id
    }
}
