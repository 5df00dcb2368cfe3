import Compliance
import Kernel
import PostgreSQL
import Screening
import Testing

@Suite struct SanctionsListsTests {
    private static let hundred = (0..<100).map { (key: String($0), name: "Person Number\(String($0, radix: 36)) Xyz") }

    @Test func `a version replaces the one before, and what is the same keeps its id`() async throws {
        try await ComplianceWorld.with { world in
            let first = try await world.load(Self.hundred, checksum: 1)
            #expect(first.version == 1 && first.added == 100 && first.touched.count == 100)
            var next = Self.hundred
            next[0].name = "Somebody Else"
            next[1].key = "renumbered"
            next.removeLast()
            next.append((key: "new", name: "A Newcomer"))
            let second = try await world.load(next, checksum: 2)
            #expect(second.version == 2 && second.added == 1 && second.changed == 2 && second.vanished == 1)
            #expect(second.touched.count == 3)
            #expect(
                try await world.count("select count(*) from platform.sanctions_entries where gone_version is null")
                    == 100
            )
            #expect(
                try await world.count(
                    "select count(*) from platform.sanctions_entries where key = 'renumbered' and former_keys = '{1}'"
                ) == 1
            )
            #expect(try await world.count("select count(*) from platform.sanctions_names") == 100)
            #expect(try await world.lists.versions().map { $0["version"] } == [.integer(2), .integer(1)])
        }
    }

    @Test func `the same files are loaded once`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.hundred, checksum: 1)
            let again = try await world.load(Self.hundred, checksum: 1)
            #expect(again.isSame && again.version == 1 && again.touched.isEmpty)
        }
    }

    @Test func `a list from which more than a twentieth vanished is refused, and the old one stays`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.hundred, checksum: 1)
            await #expect(throws: SanctionsListError.tooManyVanished(6, of: 100)) {
                try await world.load(Array(Self.hundred.dropLast(6)), checksum: 2)
            }
            #expect(try await world.count("select count(*) from platform.sanctions_names") == 100)
            let five = try await world.load(Array(Self.hundred.dropLast(5)), checksum: 3)
            #expect(five.vanished == 5 && five.version == 2)
            await #expect(throws: SanctionsListError.empty(rejected: 0)) { try await world.load([], checksum: 4) }
        }
    }
}
