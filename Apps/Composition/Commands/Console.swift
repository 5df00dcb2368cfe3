import ArgumentParser
import Banking
import Foundation
import DeFi
import Investing
import Kernel
import Logging
import Observability
import Settings

/// What the commands share: settings, logging, and how they print.
enum Console {
    /// Settings from the environment; faults end the program with a list of them.
    static func settings(for purpose: Settings.Purpose, embedded: [String: String] = [:]) throws -> Settings {
        try Settings(environment: ProcessInfo.processInfo.environment, embedded: embedded, for: purpose)
    }

    /// A logger that writes JSON lines to standard error, at the level of the settings; commands log warnings only.
    static func logger(_ settings: Settings, quiet: Bool = false) -> Logger {
        var logger = Logger(label: "diboas") { JSONLogHandler(label: $0, metadataProvider: .trace) }
        logger.logLevel = quiet ? .warning : Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        return logger
    }

    /// Prints a line at once, also into a pipe.
    static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    /// Prints JSON on one line.
    static func print(_ json: JSON) { Swift.print(String(decoding: json.serialized(), as: UTF8.self)) }

    /// Prints rows as columns, each as wide as its widest cell.
    static func table(_ head: [String], _ rows: [[String]]) {
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [head] + rows {
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            Swift.print(cells.joined(separator: "  "))
        }
    }

    /// Prints objects: those members of theirs as a table, or all of them as JSON, a line each.
    static func show(_ objects: [JSON], _ members: [String], asJSON: Bool) {
        guard !asJSON else { return objects.forEach(print) }
        func text(_ value: JSON?) -> String {
            switch value {
            case nil, .null?: "-"
            case let value?: value.stringValue ?? String(decoding: value.serialized(), as: UTF8.self)
            }
        }
        table(members.map { $0.uppercased() }, objects.map { object in members.map { text(object[$0]) } })
    }

    /// A command's program, without serving or background work.
    static func program() async throws -> Program {
        let settings = try settings(for: .command)
        return try await Program(settings, logger: logger(settings, quiet: true))
    }
}

extension Program {
    /// What operators do in Banking.
    func banking() throws -> BankingOperations {
        guard let banking = domains.compactMap({ $0 as? BankingDomain }).first else {
            throw ValidationError("This program has no Banking.")
        }
        return banking.operations
    }

    /// What operators do in Investing.
    func investing() throws -> InvestingOperations {
        guard let investing = domains.compactMap({ $0 as? InvestingDomain }).first else {
            throw ValidationError("This program has no Investing.")
        }
        return investing.operations
    }

    /// What operators do with the chain.
    func chains() throws -> ChainOperations {
        guard let chains = domains.compactMap({ ($0 as? DeFiDomain)?.chains }).first else {
            throw ValidationError("No chain is followed. Set the nodes of one, as DIBOAS_ETHEREUM_NODES.")
        }
        return chains
    }
}
