import Kernel
import Randomness

enum RandomJSON {
    static func value(depth: Int, _ random: inout SeededRandom) -> JSON {
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

    static func text(_ random: inout SeededRandom) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let bound: UInt32 = [0x20, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF].randomElement(using: &random) ?? 0x7F
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0...bound, using: &random)) ?? "?")
        }
        return text
    }

    private static func object(depth: Int, _ random: inout SeededRandom) -> JSON {
        let members = (0..<Int.random(in: 0...20, using: &random)).map { index in
            JSON.Member("\(index)" + text(&random), value(depth: depth - 3, &random))
        }
        return .object(members)
    }
}
