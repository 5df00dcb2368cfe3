import HTTP
import Kernel
import PostgreSQL

/// Something that an operator asks of the writer, from a process of its own: it waits in a table until it is answered.
struct OperatorCommand: Sendable, Entity {
    static let idPrefix = "cmd"

    enum Kind: String, Sendable, CaseIterable {
        case createMarket = "market.create"
        case changeMarket = "market.change"
        case setState = "market.state"
        case setReference = "market.reference"
        case cancelOrder = "order.cancel"
        case changeAccount = "account.change"
        case setRule = "risk.set"
        case endRules = "risk.end"
        case readDepth = "book.depth"
        case readKlines = "klines.read"
    }

    let id: ID<OperatorCommand>
    let kind: Kind
    let parameters: JSON
    /// Who asks, in words of the audit log.
    let actor: String

    func text(_ name: String) -> String? { parameters[name]?.stringValue }

    /// A member that must be there.
    ///
    /// - Throws: 400.
    func require(_ name: String) throws(Problem) -> String {
        guard let text = text(name) else { throw Problem.malformed("required", in: "/\(name)") }
        return text
    }
}

/// The answer to a command, stored with what it did; nobody answers twice.
struct CommandAnswerRow: StoredRow {
    let command: ID<OperatorCommand>
    let status: Int
    let answer: JSON

    static func store(_ rows: [CommandAnswerRow], in schema: Schema, at instant: Timestamp) -> [SQL] {
        [
            """
            update \(schema).operator_commands c
            set answered_at = \(instant), status = n.status, answer = n.answer
            from unnest(\(rows.map(\.command)), \(rows.map(\.status)), \(rows.map(\.answer))) as n(id, status, answer)
            where c.id = n.id and c.answered_at is null
            returning 1
            """
        ]
    }
}

/// The commands that wait for the writer, and those that were answered.
struct OperatorCommands: Sendable {
    /// Commands that are taken up at once.
    static let setMax = 100

    let schema: Schema
    let pool: Pool

    /// Leaves a command for the writer.
    func leave(_ command: OperatorCommand) async throws {
        _ = try await pool.query(
            """
            insert into \(schema).operator_commands (id, kind, parameters, actor)
            values (\(command.id), \(command.kind.rawValue), \(command.parameters), \(command.actor))
            """
        )
    }

    /// The oldest commands without an answer; one of an unknown kind, of a newer program, is left alone.
    func waiting() async throws -> [OperatorCommand] {
        let known = OperatorCommand.Kind.allCases.map(\.rawValue)
        let rows = try await pool.query(
            """
            select id, kind, parameters, actor from \(schema).operator_commands
            where answered_at is null and kind = any(\(known))
            order by id limit \(OperatorCommands.setMax)
            """
        )
        return try rows.compactMap { row in
            guard let kind = OperatorCommand.Kind(rawValue: try row["kind"]) else { return nil }
            return OperatorCommand(
                id: try row["id"],
                kind: kind,
                parameters: try row["parameters"],
                actor: try row["actor"]
            )
        }
    }

    /// The answer to a command; nil while there is none.
    func answer(to id: ID<OperatorCommand>) async throws -> (status: Int, answer: JSON)? {
        let rows = try await pool.query(
            "select status, answer from \(schema).operator_commands where id = \(id) and answered_at is not null"
        )
        guard let row = rows.first else { return nil }
        return (try row["status"], try row["answer"])
    }

    /// Answers a command that could not be carried out, or that nobody waits for any more; false if it has an answer.
    func give(up id: ID<OperatorCommand>, _ problem: Problem) async throws -> Bool {
        let answer: JSON = ["code": .string(problem.code), "detail": .string(problem.detail)]
        let rows = try await pool.query(
            """
            update \(schema).operator_commands
            set answered_at = clock_timestamp(), status = \(problem.status), answer = \(answer)
            where id = \(id) and answered_at is null
            returning 1
            """
        )
        return !rows.isEmpty
    }
}
