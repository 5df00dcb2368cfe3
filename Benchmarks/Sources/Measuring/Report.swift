import Foundation
public import Kernel

/// The rows of a run: a table for people as they come, JSON for programs at the end.
public struct Report: Sendable {
    private static let widths = (name: 58, figure: 12, latency: 9)

    private var rows: [BenchmarkRow] = []
    private let startedAt: Timestamp
    private let about: [JSON.Member]

    /// A report; `about` says what the figures hold for: the server, its settings, the machine.
    public init(about: [JSON.Member], clock: any WallClock = SystemClock()) {
        (self.about, startedAt) = (about, clock.now())
        Report.say(
            Report.line("row", "figure", "unit", "p50 ms", "p99 ms", "clients", "baseline", "ratio", " baseline is")
        )
    }

    /// Adds a row and prints it.
    public mutating func add(_ row: BenchmarkRow) {
        rows.append(row)
        func text(_ value: Double?, _ digits: Int) -> String {
            value.map { String(format: "%.\(digits)f", $0) } ?? "-"
        }
        let digits = row.figure < 100 ? 2 : 0
        Report.say(
            Report.line(
                row.name,
                text(row.figure, digits),
                row.unit.rawValue,
                text(row.p50, 2),
                text(row.p99, 2),
                String(row.clients),
                text(row.baseline?.figure, digits),
                text(row.ratio, 2),
                " " + (row.baseline?.name ?? "-")
            )
        )
        if let note = row.note { Report.say("    " + note) }
    }

    /// The report for programs.
    public var json: JSON {
        .object(
            [
                JSON.Member("started_at", .string(startedAt.description)),
                JSON.Member("processors", .integer(ProcessInfo.processInfo.activeProcessorCount)),
            ] + about + [JSON.Member("rows", .array(rows.map(\.json)))]
        )
    }

    /// Writes the report for programs to a file.
    public func write(to path: String) throws {
        try Data(json.serialized() + [UInt8(ascii: "\n")]).write(to: URL(fileURLWithPath: path))
    }

    /// Prints a line at once, also into a file or pipe.
    public static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func line(
        _ name: String,
        _ figure: String,
        _ unit: String,
        _ p50: String,
        _ p99: String,
        _ clients: String,
        _ baseline: String,
        _ ratio: String,
        _ what: String
    ) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(1, width - text.count)) + text
        }
        let title = name.padding(toLength: max(widths.name, name.count), withPad: " ", startingAt: 0)
        return title + right(figure, widths.figure) + " " + unit.padding(toLength: 12, withPad: " ", startingAt: 0)
            + right(p50, widths.latency) + right(p99, widths.latency) + right(clients, widths.latency)
            + right(baseline, widths.figure) + right(ratio, widths.latency) + what
    }
}
