import Foundation
import PostgreSQL
import Testing

@testable import Migrations

struct MigrationCatalogTests {
    @Test func `schemas come in the order in which they are migrated`() throws {
        let text = file("select 1")
        let fixture = try Fixture([
            "defi/0001_a.sql": text, "banking/0001_a.sql": text, "platform/0001_a.sql": text, "blocks/0001_a.sql": text,
            "README.md": "for people",
        ])
        #expect(try fixture.catalog().schemas.map(\.name) == ["blocks", "platform", "banking", "defi"])
    }

    @Test func `files that editors leave behind don't matter`() throws {
        let fixture = try Fixture([
            "app/0001_a.sql": file("select 1"), "app/0001_a.sql~": "old", "app/.0002_b.sql": "swap",
            "app/notes.md": "notes",
        ])
        #expect(try fixture.catalog()[try schema("app")].map(\.path) == ["app/0001_a.sql"])
    }

    @Test func `line ends don't change the checksum and everything else does`() throws {
        let text = "-- migrate: up\nselect 1;\n-- migrate: down\n"
        func checksum(_ text: String) throws -> String {
            try Migration(schema: .banking, number: 1, name: "a", text: text).checksum
        }
        let plain = try checksum(text)
        // sha256sum of the text above.
        #expect(plain == "a0456b8302edf197df9f9655e090f427561fbc220782c474417c959451d9e94c")
        #expect(try checksum(text.replacing("\n", with: "\r\n")) == plain)
        #expect(try checksum(text + "\n") != plain)
        #expect(try checksum("-- a comment\n" + text) != plain)
    }

    @Test(arguments: ["1_a.sql", "0001.sql", "0001_A.sql", "0001_a-b.sql", "00001_a.sql", "0000_a.sql", "a.sql"])
    func `a file with another name is refused`(_ name: String) throws {
        let fixture = try Fixture(["app/\(name)": file("select 1")])
        #expect(throws: MigrationError.badName(path: "app/\(name)")) { try fixture.catalog() }
    }

    @Test func `a folder that can't be a schema is refused`() throws {
        let fixture = try Fixture(["My-Schema/0001_a.sql": file("select 1")])
        #expect(throws: MigrationError.badName(path: "My-Schema")) { try fixture.catalog() }
    }

    @Test func `a gap in the numbers is refused`() throws {
        let fixture = try Fixture(["app/0001_a.sql": file("select 1"), "app/0003_c.sql": file("select 1")])
        let app = try schema("app")
        #expect(throws: MigrationError.gap(schema: app, number: 2)) { try fixture.catalog() }
        try fixture.remove("app/0001_a.sql")
        #expect(throws: MigrationError.gap(schema: app, number: 1)) { try fixture.catalog() }
    }

    @Test func `two files with the same number are refused`() throws {
        let fixture = try Fixture(["app/0001_a.sql": file("select 1"), "app/0001_b.sql": file("select 1")])
        #expect(throws: MigrationError.sameNumber("app/0001_a.sql", "app/0001_b.sql")) { try fixture.catalog() }
    }

    @Test(
        arguments: [
            ("select 1;", 1, "statements stand after `-- migrate: up`"),
            ("-- a comment\n", 1, "there is no line `-- migrate: up`"),
            ("-- migrate: up\nselect 1;\n", 3, "there is no line `-- migrate: down`"),
            ("-- migrate: up\n-- migrate: down\n", 1, "there is no statement"),
            ("-- migrate: up\nselect 1;\n-- migrate: up\n", 3, "a second `-- migrate: up`"),
            ("-- migrate: down\n", 1, "`-- migrate: down` comes once, after `-- migrate: up`"),
            ("-- migrate: up\n-- migrate: upp\n", 2, "an unknown mark"),
            ("\n-- migrate: no-transaction\n", 2, "`-- migrate: no-transaction` must be the first line"),
            (
                "-- migrate: no-transaction\n-- migrate: up\nselect 1;\nselect 2;\n-- migrate: down\n", 1,
                "without a transaction each part is one statement: half of two could take effect"
            ),
            ("-- migrate: up\nselect 1;\nselect '\n-- migrate: down\n", 3, "the string that starts here has no end"),
            (
                "-- migrate: up\nselect 1;\ncommit;\n-- migrate: down\n", 3,
                "the migrator begins and ends transactions itself"
            ),
            (
                "-- migrate: up\nselect 1;\n-- migrate: down\n\nBEGIN\n", 5,
                "the migrator begins and ends transactions itself"
            ),
            (
                "-- migrate: up\nset search_path = x;\n-- migrate: down\n", 2,
                "a setting would stay for the files after it; write `set local`"
            ),
            (
                "-- migrate: up\ncopy t from stdin;\n-- migrate: down\n", 2,
                "there is no client that data could come from or go to"
            ),
        ] as [(String, Int, String)]
    )
    func `a file that is laid out otherwise is refused with its line`(
        _ text: String,
        _ line: Int,
        _ reason: String
    ) throws {
        let fixture = try Fixture(["app/0001_a.sql": text])
        #expect(throws: MigrationError.badFormat(path: "app/0001_a.sql", line: line, reason: reason)) {
            try fixture.catalog()
        }
    }

    @Test func `settings of the transaction are allowed`() throws {
        let fixture = try Fixture([
            "app/0001_a.sql": file("set local lock_timeout = '1s'; set constraints all deferred;")
        ])
        #expect(try fixture.catalog()[try schema("app")].count == 1)
    }

    @Test func `what can't be read as text is refused`() throws {
        let fixture = try Fixture(["app/0001_a.sql": ""])
        try Data([0x2D, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: fixture.directory + "/app/0001_a.sql"))
        #expect(throws: MigrationError.unreadable(path: "app/0001_a.sql", reason: "it is not UTF-8")) {
            try fixture.catalog()
        }
        try Data(count: MigrationCatalog.fileBytesMax + 1).write(
            to: URL(fileURLWithPath: fixture.directory + "/app/0001_a.sql")
        )
        #expect(
            throws: MigrationError.unreadable(
                path: "app/0001_a.sql",
                reason: "it has more than \(MigrationCatalog.fileBytesMax) bytes"
            )
        ) { try fixture.catalog() }
    }

    @Test func `a directory that isn't there is reported`() {
        #expect(throws: MigrationError.unreadable(path: "/nowhere", reason: "it can't be listed")) {
            try MigrationCatalog(directory: "/nowhere")
        }
    }
}

struct MigrationDirectoryTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture([
            "bin/migrations/app/x": "", "work/migrations/app/x": "", "else/app/x": "", "empty/x": "",
        ])
    }

    private func find(_ configured: String?, executable: String?, in folder: String) throws -> String {
        try MigrationCatalog.findDirectory(
            configured: configured,
            executable: executable.map { "\(fixture.directory)/\($0)/diboas" },
            workingDirectory: "\(fixture.directory)/\(folder)"
        )
    }

    @Test func `the configured one is taken first, then the one beside the executable, then the working directory's`()
        throws
    {
        #expect(try find("\(fixture.directory)/else", executable: "bin", in: "work") == fixture.directory + "/else")
        #expect(try find("../else", executable: "bin", in: "work").hasSuffix("/work/../else"))
        #expect(try find(nil, executable: "bin", in: "work") == fixture.directory + "/bin/migrations")
        #expect(try find("", executable: "empty", in: "work") == fixture.directory + "/work/migrations")
        #expect(try find(nil, executable: nil, in: "work") == fixture.directory + "/work/migrations")
    }

    @Test func `without one the places looked at are named`() throws {
        #expect(throws: MigrationError.noDirectory(["/not/there"])) {
            try find("/not/there", executable: "bin", in: "work")
        }
        let places = [fixture.directory + "/empty/migrations", fixture.directory + "/else/migrations"]
        #expect(throws: MigrationError.noDirectory(places)) { try find(nil, executable: "empty", in: "else") }
    }
}
