import Kernel
import Randomness
import Testing

@testable import PostgreSQL

/// What a server says is read as it says or not at all: any bytes under any type give a value or a failure.
struct RandomCellTests {
    private struct Thing: Entity { static let idPrefix = "thing" }

    /// All types that cells may have, and one that nothing reads.
    private static let types: [UInt32] = [
        16, 17, 20, 21, 23, 25, 26, 19, 18, 114, 199, 271, 600, 701, 705, 1000, 1001, 1002, 1003, 1005, 1007, 1009,
        1014, 1015, 1016, 1022, 1028, 1042, 1043, 1082, 1182, 1184, 1185, 1231, 1700, 2278, 2950, 2951, 3802, 3807,
        5069,
    ]

    /// Values as the server writes them, which are then changed.
    private static let samples: [[UInt8]] = [
        [], [1], [0, 0, 0, 7], Array(repeating: 0xFF, count: 8), [127] + Array(repeating: 0xFF, count: 7),
        Array(repeating: 9, count: 16), Array(#"{"a":[1,"ä"]}"#.utf8), [1] + Array(#"{"a":[1,null]}"#.utf8),
        // 12345678 and its opposite as numeric.
        [0, 2, 0, 1, 0, 0, 0, 0, 0x04, 0xD2, 0x16, 0x2E], [0, 2, 0, 1, 0x40, 0, 0, 0, 0x04, 0xD2, 0x16, 0x2E],
        // [7, null] as an array of bigint.
        [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7]
            + [0xFF, 0xFF, 0xFF, 0xFF],
    ]

    /// Reads a cell as everything that can be read; which of it gave a value.
    private static func read(_ bytes: [UInt8], _ type: UInt32) -> [Bool] {
        bytes.withUnsafeBytes { raw in
            func gives<Value: SQLDecodable>(_: Value.Type) -> Bool {
                do throws(DecodingFailure) {
                    _ = try Value(cell: SQLCell(bytes: raw, type: type))
                    return true
                } catch {
                    return false
                }
            }
            return [
                gives(Bool.self), gives(Int.self), gives(Int64.self), gives(Double.self), gives(String.self),
                gives(Bytes.self), gives(UInt128.self), gives(ID<Thing>.self), gives(Timestamp.self),
                gives(CalendarDay.self), gives(JSON.self), gives(Int128.self), gives([Int].self), gives([Int?].self),
                gives([String].self), gives([Int128].self), gives([ID<Thing>].self), gives([Bytes?].self),
            ]
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a value that was changed on its way is read or refused`(seed: UInt64) {
        var random = SeededRandom(seed)
        var (values, failures) = (0, 0)
        for _ in 0..<20_000 {
            let sample = random.pick(Self.samples)
            let bytes = random.once(in: 4) ? random.bytes(random.below(48)) : random.changed(sample)
            for gave in Self.read(bytes, random.pick(Self.types)) { if gave { values += 1 } else { failures += 1 } }
        }
        #expect(values > 1_000 && failures > 100_000, "\(values) values, \(failures) failures")
    }

    @Test func `a value cut short is no value`() {
        let whole: [(UInt32, [UInt8])] = [
            (16, [1]), (20, [0, 0, 0, 0, 0, 0, 0, 7]), (21, [0, 7]), (23, [0, 0, 0, 7]), (701, Array("12345678".utf8)),
            (1082, [0, 0, 0, 7]), (1184, Array("12345678".utf8)), (1700, Self.samples[8]), (2950, Self.samples[5]),
            (1016, Self.samples[10]),
        ]
        for (type, bytes) in whole {
            #expect(Self.read(bytes, type).contains(true), "type \(type)")
            for count in 0..<bytes.count {
                #expect(!Self.read(Array(bytes.prefix(count)), type).contains(true), "type \(type), \(count) bytes")
            }
        }
    }
}
