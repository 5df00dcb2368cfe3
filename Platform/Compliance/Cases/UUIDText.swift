/// A UUID as PostgreSQL writes it.
enum UUIDText {
    /// Lower case, with hyphens (RFC 9562 §4).
    static func of(_ value: UInt128) -> String {
        let digits = Array(String(value, radix: 16))
        let padded = Array(repeating: Character("0"), count: 32 - digits.count) + digits
        let ends = [8, 12, 16, 20, 32]
        return zip([0] + ends, ends).map { String(padded[$0..<$1]) }.joined(separator: "-")
    }
}
