import Kernel
import Randomness
import Testing

@testable import DeFi

/// What nodes answer, changed by transport, malice and bad memory: it is refused, or read as exactly what it says.
@Suite struct NodeAnswerTests {
    private static let seeds: [UInt64] = [1, 2]
    private static let changes = 1_500

    @Test(arguments: NodeAnswers.allCases, seeds)
    func `an answer that was changed is none, or is what it says`(_ kind: NodeAnswers, seed: UInt64) throws {
        var random = SeededRandom(seed)
        let sample = try kind.sample()
        let known = try kind.read(sample)
        #expect(NodeAnswers.says(kind.said(sample), known), "\(known)")
        var (taken, refused) = (0, 0)
        for _ in 0..<Self.changes {
            guard let changed = random.changed(sample) else { continue }
            guard let read = try? kind.read(changed) else {
                refused += 1
                continue
            }
            let isSo = NodeAnswers.says(kind.said(changed), read)
            #expect(isSo, "seed \(seed): \(changed.text) was read as \(read.text)")
            taken += 1
            if !isSo { return }
        }
        #expect(taken > 20 && refused > 100, "\(taken) and \(refused)")
    }

    @Test(arguments: NodeAnswers.allCases) func `what is missing in an answer is missed`(_ kind: NodeAnswers) throws {
        let sample = try kind.sample()
        guard case .object(let members) = sample else { return }
        // Bitcoin's first block has no one before it, Sui's first checkpoint neither; a page's end is looked at apart.
        let spare = ["previousblockhash", "previousCheckpointDigest", "oldestBlock"]
        for member in members where !spare.contains(member.name) {
            let rest = JSON.object(members.filter { $0.name != member.name })
            #expect(throws: NodeError.self, "\(member.name)") { try kind.read(rest) }
        }
    }

    @Test(arguments: NodeAnswers.allCases) func `numbers at the ends of their range overflow nothing`(
        _ kind: NodeAnswers
    ) throws {
        let sample = try kind.sample()
        let ends: [JSON] = [
            .integer(Int64.max), .integer(Int64.min), .string("0x7fffffffffffffff"), .string("0xffffffffffffffff"),
            .string("0x" + String(repeating: "f", count: 64)), .string(String(Int128.max)), .string(String(Int128.min)),
            .string(String(UInt64.max)), .number("20999999.9769"),
        ]
        for end in ends {
            // Each alone, and all numbers at once, so that sums are at their ends, too.
            for place in 0..<sample.leaves { _ = try? kind.read(sample.replacing(place, by: end)) }
            _ = try? kind.read(sample.replacing(nil, by: end))
        }
    }

    @Test func `amounts of bitcoin are read to the last satoshi, or not at all`() throws {
        for (text, satoshi) in [
            ("0", 0), ("1", 100_000_000), ("0.00000001", 1), ("20999999.9769", 2_099_999_997_690_000),
        ] {
            #expect(try BitcoinText.satoshi(.number(text), "amount") == Int64(satoshi))
        }
        for text in ["-0.5", "-1", "1e3", "0.000000001", "21000000.00000001", "21000001", "1.", ".5", "+1", "-0"] {
            #expect(throws: NodeError.self, "\(text)") { try BitcoinText.satoshi(.number(text), "amount") }
        }
        #expect(throws: NodeError.self) { try BitcoinText.satoshi("1", "amount") }
    }
}

extension JSON {
    fileprivate var text: String { String(decoding: serialized(), as: UTF8.self) }
}

extension SeededRandom {
    /// A document with something changed in it: bytes of it, or one of its values; nil where it is none any more.
    fileprivate mutating func changed(_ json: JSON) -> JSON? {
        if percent(30) { return try? JSON.parse(changed(json.serialized())) }
        var place = below(json.leaves)
        return replaced(json, at: &place)
    }

    private mutating func replaced(_ json: JSON, at place: inout Int) -> JSON {
        switch json {
        case .object(let members) where !members.isEmpty:
            return .object(members.map { JSON.Member($0.name, replaced($0.value, at: &place)) })
        case .array(let values) where !values.isEmpty:
            var changed: [JSON] = []
            for value in values { changed.append(replaced(value, at: &place)) }
            if place == 0 {
                // Said twice, or not at all.
                place -= 1
                if percent(50) { changed.append(changed[below(changed.count)]) } else { changed.removeLast() }
            }
            place -= 1
            return .array(changed)
        default:
            defer { place -= 1 }
            return place == 0 ? other(than: json) : json
        }
    }

    private mutating func other(than json: JSON) -> JSON {
        let text: String? =
            switch json {
            case .string(let text): text
            case .number(let text): text
            case .null, .bool, .array, .object: nil
            }
        if let text, percent(60) {
            let changed = String(decoding: changed(Array(text.utf8)), as: UTF8.self)
            if case .string = json { return .string(changed) }
            if let number = try? JSON.parse(Array(changed.utf8)) { return number }
        }
        return pick([
            .null, .bool(true), .string(""), .string("0x"), .string("0x0"), .integer(0), .integer(-1), .number("-0.5"),
            .number("1e9"), .number("18446744073709551616"), .integer(Int64.max), .array([]), .object([]),
            .string("0x" + String(repeating: "f", count: 64)), .string("0x10000000000000000"), .string("+5"),
            .string("007"), .string("-1"), .string("340282366920938463463374607431768211456"),
        ])
    }
}

extension JSON {
    /// The same with one value replaced, by its place; with all numbers, and texts that are some, for nil.
    fileprivate func replacing(_ place: Int?, by other: JSON) -> JSON {
        var rest = place
        return replacing(&rest, all: place == nil, by: other)
    }

    private func replacing(_ place: inout Int?, all: Bool, by other: JSON) -> JSON {
        switch self {
        case .object(let members) where !members.isEmpty:
            return .object(
                members.map { JSON.Member($0.name, $0.value.replacing(&place, all: all, by: other)) }
            )
        case .array(let values) where !values.isEmpty:
            let changed = values.map { $0.replacing(&place, all: all, by: other) }
            place = place.map { $0 - 1 }
            return .array(changed)
        default:
            defer { place = place.map { $0 - 1 } }
            return place == 0 || (all && isNumeric) ? other : self
        }
    }

    private var isNumeric: Bool {
        switch self {
        case .number: true
        case .string(let text):
            text.utf8.count < 20 && Int128(text) != nil || text.hasPrefix("0x") && text.utf8.count < 20
        case .null, .bool, .array, .object: false
        }
    }

    /// Values that aren't lists or objects, and lists.
    fileprivate var leaves: Int {
        switch self {
        case .object(let members) where !members.isEmpty: members.reduce(0) { $0 + $1.value.leaves }
        case .array(let values) where !values.isEmpty: values.reduce(1) { $0 + $1.leaves }
        default: 1
        }
    }
}
