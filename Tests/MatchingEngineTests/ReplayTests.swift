import ArgumentParser
import Foundation
import Testing

@testable import MatchingReplays

/// The replay tool as it is called, its files made here.
@Suite struct `Replaying a file` {
    /// The tool's command, run on a file of its own; what it says, and the trades that it wrote.
    private static func replay(
        _ bytes: [UInt8],
        _ options: String...
    ) throws -> (said: [String], trades: [Substring]) {
        try withFolder { folder in
            let (file, csv) = (folder + "/operations.bin", folder + "/trades.csv")
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let said: [String]
            do {
                said = try lines([file, "--rounds", "1", "--trades", csv] + options)
            } catch {
                #expect(!FileManager.default.fileExists(atPath: csv), "what is refused isn't replayed")
                throw error
            }
            return (said, try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n"))
        }
    }

    private static func lines(_ arguments: [String]) throws -> [String] {
        let command = try MatchingReplay.parseAsRoot(arguments) as? Replay
        return try #require(command, "a file alone is replayed").lines()
    }

    private static func withFolder<Answer>(_ body: (String) throws -> Answer) throws -> Answer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.path)
    }

    @Test(arguments: [nil, "none", "expire_taker", "expire_maker", "expire_both", "decrement"] as [String?])
    func `trades as the specification does, bare and full, whatever mode is forced`(mode: String?) throws {
        let file = ReplayFile.random(4_000, seed: 31)
        let forced = mode.flatMap { ModeName(argument: $0)?.mode }
        let expected = file.expected(forced)
        let options = mode.map { ["--stp", $0] } ?? []
        let (said, trades) =
            try options.isEmpty
            ? Self.replay(file.bytes, "--baseline") : Self.replay(file.bytes, options[0], options[1])
        for (index, (line, wanted)) in zip(trades, expected.trades).enumerated() where line != wanted {
            Issue.record("trade \(index): \(line) instead of \(wanted)")
            return
        }
        #expect(trades.count == expected.trades.count && trades.count > 700)
        let end = " trades=\(expected.trades.count) live=\(expected.live)"
        #expect(said.prefix(2).map { $0.hasSuffix(end) } == [true, true], "\(said) instead of \(end)")
        let names = ["engine=bare ops=4000 best=", "engine=full ops=4000 best=", "engine=baseline ops=4000 best="]
        #expect(zip(said, names).allSatisfy { $0.hasPrefix($1) } && said.count == (mode == nil ? 3 : 2))
    }

    @Test func `trades as the specification does over a range of a billion prices`() throws {
        let file = ReplayFile.random(4_000, seed: 32, ladder: 1_000_000_000)
        let expected = file.expected(nil)
        let (said, trades) = try Self.replay(file.bytes)
        #expect(trades.elementsEqual(expected.trades) { $0 == $1 } && trades.count > 700)
        let end = " trades=\(expected.trades.count) live=\(expected.live)"
        #expect(said.map { $0.hasSuffix(end) } == [true, true], "\(said) instead of \(end)")
        let prices = file.records.filter { $0.type == 0 }.map(\.price)
        #expect((prices.max() ?? 0) - (prices.min() ?? 0) > 990_000_000)
    }

    @Test func `takes the files that it makes, of one seed the same`() throws {
        try Self.withFolder { folder in
            func make(_ name: String, seed: Int) throws -> Data {
                let options = ["--operations", "20000", "--symbols", "2", "--live", "60", "--seed", "\(seed)"]
                var command = try MatchingReplay.parseAsRoot(["generate", folder + "/" + name] + options)
                try command.run()
                return try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            }
            let made = try make("a", seed: 5)
            #expect(try make("b", seed: 5) == made)
            #expect(try make("c", seed: 6) != made)
            let workload = try Workload(path: folder + "/a")
            let kinds = Dictionary(grouping: workload.operations, by: \.kind).mapValues(\.count)
            #expect((5_700...6_300).contains(kinds[.cancel] ?? 0), "three in ten")
            #expect((900...1_100).contains(kinds[.market] ?? 0), "one in twenty")
            let passive = workload.operations.count { $0.kind == .limit && $0.timeInForce == 0 }
            #expect((11_700...12_300).contains(passive), "six in ten")
            #expect(workload.symbols == 2 && workload.operations.count == 20_000)
        }
    }

    /// What is wrong with a file, and words that say so.
    static let faults: [(fault: @Sendable (inout ReplayFile) -> Void, cut: Int, words: String)] = [
        ({ $0.magic[7] = UInt8(ascii: "2") }, 0, "doesn't begin with MATCHWL1"),
        ({ $0.version = 2 }, 0, "version 2 isn't 1"),
        ({ $0.symbols = 0 }, 0, "0 symbols"),
        ({ $0.symbols = 65_537 }, 0, "65537 symbols"),
        ({ $0.ladder = 0 }, 0, "range of prices is empty"),
        ({ $0.ladder = .max }, 0, "range of prices"),
        ({ _ in }, 1, "truncated: it ends after 159 bytes"),
        ({ _ in }, 97, "truncated: it ends after 63 bytes"),
        ({ _ in }, -1, "1 bytes after its last operation"),
        ({ $0.records[1].type = 4 }, 0, "operation 1: unknown type 4"),
        ({ $0.records[2].side = 2 }, 0, "operation 2: unknown side 2"),
        ({ $0.records[0].timeInForce = 3 }, 0, "operation 0: unknown time in force 3"),
        ({ $0.records[0].flags = 5 << 1 }, 0, "operation 0: unknown self-trade prevention mode 5"),
        ({ $0.records[0].symbol = 1 }, 0, "operation 0: symbol 1 is out of range"),
        ({ $0.records[0].id = 0 }, 0, "operation 0: order id 0 is out of range"),
        ({ $0.records[2].id = 3 }, 0, "operation 2: order id 3 is out of range"),
        ({ $0.records[0].price = 999 }, 0, "operation 0: price 999 is outside the ladder"),
        ({ $0.records[0].price = 1_064 }, 0, "operation 0: price 1064 is outside the ladder"),
        ({ $0.records[1].price = 1_064 }, 0, "operation 1: price 1064 is outside the ladder"),
        ({ $0.records[0].quantity = 0 }, 0, "operation 0: quantity 0 isn't positive"),
        ({ $0.records[1].quantity = -1 }, 0, "operation 1: quantity -1"),
    ]

    /// A bid, its amendment and an offer that meets it.
    private static let sound = ReplayFile(
        maxID: 2,
        records: [.init(id: 1), .init(type: 3, id: 1), .init(side: 1, id: 2)]
    )

    @Test func `writes a line for each trade`() throws {
        #expect(try Self.replay(Self.sound.bytes).trades == ["2,0,2,1,1000,1"])
    }

    @Test(arguments: faults.indices)
    func `is refused whole where something is wrong, with what it is`(fault: Int) throws {
        var file = Self.sound
        Self.faults[fault].fault(&file)
        var bytes = file.bytes
        let cut = Self.faults[fault].cut
        if cut < 0 { bytes.append(0) } else { bytes.removeLast(cut) }
        let error = try #require(throws: WorkloadError.self) { try Self.replay(bytes) }
        #expect(MatchingReplay.exitCode(for: error) == .failure)
        #expect(MatchingReplay.message(for: error).contains(Self.faults[fault].words), "\(error)")
    }

    @Test func `is refused where the header counts more operations than there may be`() throws {
        var bytes = ReplayFile(records: [.init()]).bytes
        bytes[19] = 0x10
        let error = try #require(throws: WorkloadError.self) { try Self.replay(bytes) }
        #expect("\(error)".contains("268435457 operations"))
    }

    @Test func `needs a file that is there, a place for the trades, and a mode that it knows`() throws {
        let missing = try #require(throws: WorkloadError.self) { try Self.lines(["/nowhere/at/all.bin"]) }
        #expect("\(missing)" == "/nowhere/at/all.bin can't be read")
        try Self.withFolder { folder in
            try Data(ReplayFile(records: [.init()]).bytes).write(to: URL(fileURLWithPath: folder + "/a"))
            let error = try #require(throws: WorkloadError.self) {
                try Self.lines([folder + "/a", "--trades", folder + "/none/trades.csv"])
            }
            #expect("\(error)" == "\(folder)/none/trades.csv can't be written")
        }
        for wrong in [["a", "--stp", "sometimes"], ["a", "--rounds", "0"], []] {
            let error = try #require(throws: (any Error).self) { try MatchingReplay.parseAsRoot(wrong) }
            #expect(MatchingReplay.exitCode(for: error) == .validationFailure)
        }
    }
}
