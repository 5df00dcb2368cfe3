import Crypto
import Foundation
public import PostgreSQL

/// One step of a schema's life: a file with the statements that take it, and those that take it back.
public struct Migration: Hashable, Sendable {
    /// The schema that it belongs to: the name of its folder.
    public let schema: Schema
    /// Its place in the schema's order; 1 is the first.
    public let number: Int
    /// What it does: `0003_card_limits.sql` has the name `card_limits`.
    public let name: String
    /// SHA-256 of its text with the line ends of Unix, in hexadecimal digits.
    public let checksum: String
    /// Whether it runs in a transaction; false only for a single statement that can't.
    public let isTransactional: Bool
    let up: [MigrationStatement]
    let down: [MigrationStatement]

    /// Its path below the directory: `banking/0003_card_limits.sql`.
    public var path: String { "\(schema)/\(Migration.padded(number))_\(name).sql" }

    /// Whether there is a way back.
    public var isReversible: Bool { !down.isEmpty }

    private static let noTransaction = "-- migrate: no-transaction"
    private static let upMark = "-- migrate: up"
    private static let downMark = "-- migrate: down"
    private static let markPrefix = "-- migrate:"

    static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 4 - "\(number)".count)) + "\(number)"
    }

    /// Number and name of a file; nil for a name outside `[0-9]{4}_[a-z0-9_]+\.sql` and for number 0.
    static func identity(fileName: String) -> (number: Int, name: String)? {
        guard let match = fileName.wholeMatch(of: /([0-9]{4})_([a-z0-9_]+)\.sql/), let number = Int(match.1), number > 0
        else {
            return nil
        }
        return (number, String(match.2))
    }

    /// Reads the text of a file.
    ///
    /// - Throws: `MigrationError.badFormat` with the line at fault.
    init(schema: Schema, number: Int, name: String, text: String) throws(MigrationError) {
        (self.schema, self.number, self.name) = (schema, number, name)
        let path = "\(schema)/\(Migration.padded(number))_\(name).sql"
        let normalised = text.replacing("\r\n", with: "\n")
        checksum = SHA256.hash(data: Data(normalised.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        .joined()
        let lines = normalised.split(separator: "\n", omittingEmptySubsequences: false)
        isTransactional = lines.first.map { $0 != Migration.noTransaction } ?? true
        let (upLine, downLine) = try Migration.marks(lines, path: path, hasPragma: !isTransactional)
        up = try Migration.statements(lines[(upLine + 1)..<downLine], after: upLine, path: path)
        down = try Migration.statements(lines[(downLine + 1)...], after: downLine, path: path)
        guard !up.isEmpty else { throw .badFormat(path: path, line: upLine + 1, reason: "there is no statement") }
        guard isTransactional || (up.count == 1 && down.count <= 1) else {
            throw .badFormat(
                path: path,
                line: 1,
                reason: "without a transaction each part is one statement: half of two could take effect"
            )
        }
    }

    /// The indices of the lines that divide the file; before the first there are only comments.
    private static func marks(
        _ lines: [Substring],
        path: String,
        hasPragma: Bool
    ) throws(MigrationError) -> (up: Int, down: Int) {
        var (up, down): (Int?, Int?) = (nil, nil)
        for (index, line) in lines.enumerated() where index > 0 || !hasPragma {
            func fault(_ reason: String) -> MigrationError { .badFormat(path: path, line: index + 1, reason: reason) }
            switch line {
            case upMark[...]:
                guard up == nil else { throw fault("a second `\(upMark)`") }
                up = index
            case downMark[...]:
                guard up != nil, down == nil else { throw fault("`\(downMark)` comes once, after `\(upMark)`") }
                down = index
            case noTransaction[...]: throw fault("`\(noTransaction)` must be the first line")
            case _ where line.hasPrefix(markPrefix): throw fault("an unknown mark")
            default:
                let isBlank = line.allSatisfy { $0.isWhitespace } || line.hasPrefix("--")
                guard up != nil || isBlank else { throw fault("statements stand after `\(upMark)`") }
            }
        }
        guard let up else { throw .badFormat(path: path, line: 1, reason: "there is no line `\(upMark)`") }
        guard let down else {
            throw .badFormat(path: path, line: lines.count, reason: "there is no line `\(downMark)`")
        }
        return (up, down)
    }

    private static func statements(
        _ lines: ArraySlice<Substring>,
        after mark: Int,
        path: String
    ) throws(MigrationError) -> [MigrationStatement] {
        let statements: [MigrationStatement]
        do {
            statements = try StatementSplitter.split(lines.joined(separator: "\n"), firstLine: mark + 2)
        } catch {
            throw .badFormat(path: path, line: error.line, reason: "the \(error.what) that starts here has no end")
        }
        for statement in statements {
            if let reason = statement.refusal { throw .badFormat(path: path, line: statement.line, reason: reason) }
        }
        return statements
    }
}
