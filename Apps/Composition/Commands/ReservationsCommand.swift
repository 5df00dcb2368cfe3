import ArgumentParser
import Audit
import DomainKit
import Foundation
import Kernel
import Ledger
import PostgreSQL

/// `diboas reservations`: looks at held money, and frees what is due.
struct ReservationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reservations",
        abstract: "Look at reservations and clean up expired ones.",
        subcommands: [Cleanup.self, List.self, Show.self, Release.self]
    )

    struct Cleanup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End reservations whose time is over.",
            discussion: "Several at once are safe. Exits with 0 when it worked, whether or not something was due."
        )
        @Flag(help: "End one set and stop, instead of all that is due.") var once = false
        @Option(help: "Reservations of one set.") var limit = ReservationSweeper.setMax
        @Flag(help: "Only tell what is due.") var dryRun = false
        @Option(help: "Only of this domain.") var domain: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (1...ReservationSweeper.setMax).contains(limit) else {
                throw ValidationError("--limit must be 1 to \(ReservationSweeper.setMax).")
            }
        }

        func run() async throws {
            let program = try await Console.program()
            let runtimes = try program.runtimes(named: domain)
            var reports: [(Schema, Int, [String: Int128])] = []
            for runtime in runtimes {
                var (expired, released): (Int, [String: Int128]) = (0, [:])
                repeat {
                    let report =
                        dryRun ? try await runtime.sweeper.due() : try await runtime.sweeper.sweepOnce(limit: limit)
                    expired += report.expired
                    released.merge(report.released, uniquingKeysWith: +)
                    if report.expired == 0 { break }
                } while !once && !dryRun
                reports.append((runtime.schema, expired, released))
            }
            show(reports)
        }

        private func show(_ reports: [(schema: Schema, expired: Int, released: [String: Int128])]) {
            func money(_ released: [String: Int128]) -> [(String, String)] {
                released.sorted { $0.key < $1.key }.compactMap { code, units in
                    Asset(code: code).map { (code, Money(minorUnits: units, $0).wire) }
                }
            }
            if json {
                let domains = reports.map { report -> JSON in
                    [
                        "domain": .string(report.schema.name), "expired": .integer(report.expired),
                        "released": .object(money(report.released).map { .init($0, .string($1)) }),
                    ]
                }
                Console.print(["dry_run": .bool(dryRun), "domains": .array(domains)])
                return
            }
            for report in reports {
                let amounts = money(report.released).map { "\($1) \($0)" }.joined(separator: ", ")
                let verb = dryRun ? "due" : "ended"
                print("\(report.schema): \(report.expired) \(verb)" + (amounts.isEmpty ? "" : ", \(amounts)"))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List active reservations, those that end first first."
        )
        @Option(help: "The domain.") var domain = "banking"
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let program = try await Console.program()
            for runtime in try program.runtimes(named: domain) {
                let found = try await Reservations(schema: runtime.schema, pool: runtime.pool).active(limit: limit)
                if json {
                    for reservation in found { Console.print(reservation.json) }
                } else {
                    Console.table(
                        ["ID", "KIND", "HELD", "ASSET", "EXPIRES"],
                        found.map { [$0.state.id.wire, $0.state.kind, $0.held.wire, $0.held.asset.code, $0.expiry] }
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a reservation.")
        @Argument(help: "Its id, rsv_…") var id: String
        @Option(help: "The domain.") var domain = "banking"
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let id = try ReservationsCommand.id(id)
            let runtime = try await Console.program().runtimes(named: domain)[0]
            let found = try await Reservations(schema: runtime.schema, pool: runtime.pool).find(id)
            guard !json, case .object(let members) = found.json else { return Console.print(found.json) }
            Console.table(["WHAT", "IS"], members.map { [$0.name, $0.value.stringValue ?? "–"] })
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a reservation; what it holds is available again. The reason is kept.",
            discussion: "Exits with 1 when there is no such reservation, or it has ended already."
        )
        @Argument(help: "Its id, rsv_…") var id: String
        @Option(help: "Why.") var reason: String
        @OptionGroup var acting: OperatorOptions
        @Option(help: "The domain.") var domain = "banking"

        func run() async throws {
            let id = try ReservationsCommand.id(id)
            let program = try await Console.program()
            let runtime = try program.runtimes(named: domain)[0]
            let found = try await Reservations(schema: runtime.schema, pool: runtime.pool).find(id)
            guard found.state.phase == .active else {
                throw Problem(409, "reservation_not_active", "\(id.wire) is \(found.state.phase.rawValue) already.")
            }
            let done = Intervention(
                "reservation.released",
                "reservation",
                id,
                because: reason,
                commands: [.release(id, of: found.state.account, reason: reason)]
            )
            try await done.apply(
                to: runtime,
                by: Initiator(system: acting.actor, correlation: program.ids.next(Intervention.self).value),
                ids: program.ids,
                in: found.held.asset,
                operation: found.state.operation
            )
            print("\(found.held) is available again.")
        }
    }

    static func id(_ text: String) throws -> ID<Reservation> {
        guard let id = ID<Reservation>(wire: text) else { throw ValidationError("\(text) is no reservation's id.") }
        return id
    }
}

extension Program {
    /// The runtime of the domain of that name, or those of all domains.
    func runtimes(named name: String?) throws -> [DomainRuntime] {
        guard let name else { return everyRuntime.filter { $0.schema != .platform } }
        guard let runtime = everyRuntime.first(where: { $0.schema.name == name }) else {
            let known = everyRuntime.map(\.schema.name).joined(separator: ", ")
            throw ValidationError("There is no domain \(name). The domains are: \(known).")
        }
        return [runtime]
    }
}
