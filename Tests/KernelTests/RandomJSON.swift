import Kernel

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

enum RandomJSON {
    static func value(depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64.random(in: .min ... .max, using: &random))
        case 3:
            .number(
                "\(Int8.random(in: .min ... .max, using: &random)).\(UInt16.random(in: 0...999, using: &random))e-3"
            )
        case 4: .string(text(&random))
        case 5: .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth - 1, &random) })
        default: object(depth: depth, &random)
        }
    }

    static func text(_ random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let bound: UInt32 = [0x20, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF].randomElement(using: &random) ?? 0x7F
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0...bound, using: &random)) ?? "?")
        }
        return text
    }

    private static func object(depth: Int, _ random: inout SeededGenerator) -> JSON {
        let members = (0..<Int.random(in: 0...20, using: &random)).map { index in
            JSON.Member("\(index)" + text(&random), value(depth: depth - 3, &random))
        }
        return .object(members)
    }
}
