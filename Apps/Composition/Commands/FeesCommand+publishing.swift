import Approvals
import ArgumentParser
import Audit
import DomainKit
import Fees
import Foundation
import Identity
import Kernel

extension FeesCommand {
    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose a version from a JSON file; another person approves it over the API.",
            discussion: """
                The file is what `diboas fees show` prints. Without an id it gets a new one, without a version the \
                next. Once it is approved, the open one before it ends where it begins; what is published is never \
                changed. Exits with 1 when it is refused; nothing was stored then.
                """
        )
        @Argument(help: "The file, or - for standard input.") var file: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(name: .customLong("operator"), help: "Your username as a member of staff, who proposes it.")
        var proposer: String?
        @Flag(help: "Check everything, the database's rules too, and store nothing.") var dryRun = false
        @Flag(help: "In an emergency: publish at once, alone; the audit log has it as break_glass.")
        var breakGlass = false

        func run() async throws {
            let program = try await Console.program()
            let schedules = FeeSchedules(program.platform.pool)
            let schedule = try await read(program, schedules)
            let name = "\(schedule.operation) \(schedule.asset.code) version \(schedule.version)"
            guard dryRun || breakGlass else {
                let payload: JSON = ["schedule": schedule.json]
                return try await Console.propose("fees.publish", payload, name, because: reason, by: proposer, program)
            }
            let entry = FeesCommand.entry(
                program,
                "break_glass.fee_schedule_published",
                schedule.id,
                schedule.json,
                reason,
                by: "operator:" + OperatorOptions.systemUser
            )
            try await schedules.publish(schedule, with: [entry], dryRun: dryRun)
            let done = dryRun ? "can be published" : "is published as \(schedule.id.wire)"
            print("\(name) \(done), in force from \(schedule.effectiveFrom).")
        }

        /// The largest file, in bytes.
        private static let bytesMax = 1 << 20

        private func read(_ program: Program, _ schedules: FeeSchedules) async throws -> FeeSchedule {
            let handle = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
            guard let data = try handle?.read(upToCount: Publish.bytesMax + 1) else {
                throw ValidationError("\(file) can't be read.")
            }
            guard data.count <= Publish.bytesMax else { throw ValidationError("\(file) is larger than a schedule.") }
            let json: JSON
            do throws(JSONError) { json = try JSON.parse(Array(data)) } catch {
                throw ValidationError("\(file) isn't JSON: \(error).")
            }
            return try await FeeSchedule(json: complete(json, program, schedules))
        }

        /// The JSON with an id and a version.
        private func complete(_ json: JSON, _ program: Program, _ schedules: FeeSchedules) async throws -> JSON {
            guard case .object(var members) = json else { return json }
            if json["id"] == nil {
                members.append(JSON.Member("id", .string(program.ids.next(FeeSchedule.self).wire)))
            }
            if json["version"] == nil {
                let latest = try await schedules.all().last {
                    $0.operation == json["operation"]?.stringValue && $0.asset.code == json["asset"]?.stringValue
                }
                members.append(JSON.Member("version", .integer((latest?.version ?? 0) + 1)))
            }
            return .object(members)
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose the end of an open version with nothing after it: its operation is then refused.",
            discussion: """
                Another person approves it over the API. Exits with 1 when it isn't open at that time.
                """
        )
        @Argument(help: "Its id, fsch_…") var id: String
        @Option(help: "When, 2027-01-01T00:00:00Z; not in the past. At once unless given.") var at: String?
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(name: .customLong("operator"), help: "Your username as a member of staff, who proposes it.")
        var proposer: String?
        @Flag(help: "In an emergency: end it alone; the audit log has it as break_glass.")
        var breakGlass = false

        func run() async throws {
            let program = try await Console.program()
            let id = try FeesCommand.id(id)
            let instant = try at.map { text in
                guard let instant = Timestamp(text) else { throw ValidationError("\(text) is no instant in UTC.") }
                return instant
            }
            guard breakGlass else {
                let end = instant.map { [JSON.Member("at", .string($0.description))] } ?? []
                let payload = JSON.object([JSON.Member("id", .string(id.wire))] + end)
                let what = "The end of \(id.wire)"
                return try await Console.propose("fees.close", payload, what, because: reason, by: proposer, program)
            }
            let entry = FeesCommand.entry(
                program,
                "break_glass.fee_schedule_closed",
                id,
                ["id": .string(id.wire)],
                reason,
                by: "operator:" + OperatorOptions.systemUser
            )
            let end = try await FeeSchedules(program.platform.pool).close(id, at: instant, with: [entry])
            print("\(id.wire) ends at \(end).")
        }
    }

    /// The line of the audit log about a schedule.
    private static func entry(
        _ program: Program,
        _ action: String,
        _ id: ID<FeeSchedule>,
        _ schedule: JSON,
        _ reason: String,
        by actor: String
    ) -> AuditEntry {
        AuditEntry(
            id: program.ids.next(),
            actor: actor,
            action: action,
            entity: "fee_schedule",
            entityID: id.value,
            after: ["schedule": schedule, "reason": .string(reason)]
        )
    }
}
