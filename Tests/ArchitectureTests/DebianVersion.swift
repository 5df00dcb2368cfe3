/// A version as Debian's packages have it, in the order of Debian Policy §5.6.12: epoch, upstream, revision.
struct DebianVersion: Comparable {
    private let epoch: Int
    private let upstream: [UInt8]
    private let revision: [UInt8]

    init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        epoch = parts.count == 2 ? Int(parts[0]) ?? 0 : 0
        let rest = Array((parts.last ?? "").utf8)
        let hyphen = rest.lastIndex(of: UInt8(ascii: "-"))
        upstream = Array(hyphen.map { rest[..<$0] } ?? rest[...])
        revision = hyphen.map { Array(rest[($0 + 1)...]) } ?? []
    }

    static func == (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) == 0 }
    static func < (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) < 0 }

    private static func order(_ left: DebianVersion, _ right: DebianVersion) -> Int {
        if left.epoch != right.epoch { return left.epoch < right.epoch ? -1 : 1 }
        let first = order(left.upstream, right.upstream)
        return first == 0 ? order(left.revision, right.revision) : first
    }

    /// Letters before other characters, `~` before everything and the end; numbers by their value.
    private static func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var (left, right) = (left[...], right[...])
        while !left.isEmpty || !right.isEmpty {
            while left.first.map({ !isDigit($0) }) ?? false || right.first.map({ !isDigit($0) }) ?? false {
                let (a, b) = (weight(left.first), weight(right.first))
                if a != b { return a < b ? -1 : 1 }
                (left, right) = (left.dropFirst(), right.dropFirst())
            }
            let (a, b) = (number(&left), number(&right))
            if a != b { return a < b ? -1 : 1 }
        }
        return 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        let letter = byte | 0x20
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) ? Int(byte) : Int(byte) + 256
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int {
        let digits = bytes.prefix(while: isDigit)
        bytes = bytes.dropFirst(digits.count)
        return Int(String(decoding: digits, as: UTF8.self)) ?? 0
    }
}
