import ArgumentParser
import Compliance
import DomainKit
import Cryptography
import Foundation
import Kernel
import Screening

/// `diboas compliance lists`: which lists are in force, and newer ones in their place.
struct ComplianceListsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lists",
        abstract: "Load a version of a sanctions list, or show the versions.",
        subcommands: [Load.self, Show.self],
        defaultSubcommand: Show.self
    )

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Put a list in force in place of its version before; what changed is compared with all customers.",
            discussion: """
                ofac_sdn is read from sdn.csv, alt.csv and add.csv, in this order, or from sdn.xml; un and eu from \
                their XML. Exits with 1 when the list is refused; the version before stays in force then.
                """
        )
        @Argument(help: "ofac_sdn, un or eu.") var source: String
        @Argument(help: "The files.") var files: [String]
        @OptionGroup var acting: OperatorOptions
        @Flag(help: "Only read the files, and tell what is in them.") var dryRun = false

        func run() async throws {
            guard let source = SanctionsSource(rawValue: source) else { throw ValidationError("No source \(source).") }
            let list = try read(source)
            for fault in list.faults.prefix(20) { print("row \(fault.row): \(fault.reason)") }
            if dryRun {
                print("\(list.parties.count) entries, \(list.rejected) rows refused.")
                return
            }
            let program = try await Console.program()
            let pool = program.platform.pool
            let report = try await SanctionsLists(pool: pool, ids: program.ids, clock: program.clock).load(
                list,
                of: source,
                checksum: try checksum(),
                by: acting.actor
            )
            if report.isSame { return print("Version \(report.version) is these files already.") }
            print(
                "Version \(report.version): \(report.entries) entries, \(report.names) names; \(report.added) added, "
                    + "\(report.changed) changed, \(report.vanished) gone; \(report.rejected) rows refused."
            )
            print("\(report.touched.count) entries wait to be compared with all customers, which the worker does.")
        }

        private func read(_ source: SanctionsSource) throws -> ReadList {
            let isXML = files.count == 1
            switch source {
            case .ofac where isXML: return try OFACDocument.read(try reader(files[0]))
            case .ofac:
                guard files.count == 3 else { throw ValidationError("ofac_sdn has three files, or one of XML.") }
                return try OFACFiles.read(sdn: reader(files[0]), alt: reader(files[1]), add: reader(files[2]))
            case .un, .eu:
                guard isXML else { throw ValidationError("\(source.rawValue) has one file.") }
                let bytes = try reader(files[0])
                return source == .un ? try UNDocument.read(bytes) : try EUDocument.read(bytes)
            }
        }

        private func reader(_ file: String) throws -> ByteReader {
            let handle = try Load.open(file)
            return ByteReader { Array(try handle.read(upToCount: Load.chunkBytes) ?? Data()) }
        }

        private static let chunkBytes = 1 << 16

        private static func open(_ file: String) throws -> FileHandle {
            guard let handle = FileHandle(forReadingAtPath: file) else {
                throw ValidationError("\(file) can't be read.")
            }
            return handle
        }

        /// The digest of the digests of all chunks: the files are never in memory as a whole.
        private func checksum() throws -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: 32)
            for file in files {
                let handle = try Load.open(file)
                while let chunk = try handle.read(upToCount: Load.chunkBytes), !chunk.isEmpty {
                    digest = SHA256Digest.of(digest + Array(chunk))
                }
            }
            return digest
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the versions of all lists, the newest first.")
        @Option(help: "How many at most.") var limit = 20
        @Flag(help: "Print JSON, a line each, with the rows that were refused.") var json = false

        func run() async throws {
            let program = try await Console.program()
            let lists = SanctionsLists(pool: program.platform.pool, ids: program.ids, clock: program.clock)
            Console.show(
                try await lists.versions(limit: limit),
                ["source", "version", "entries", "names", "added", "changed", "vanished", "rejected", "loaded_at"],
                asJSON: json
            )
        }
    }
}
