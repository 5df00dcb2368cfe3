import Glibc
import HTTP

/// A range of network addresses in CIDR notation: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
struct AddressRange: Hashable, Sendable {
    /// Ranges that a key may have.
    static let countMax = 20
    /// Bytes of the longest text.
    static let textBytesMax = 49

    /// As it was written.
    let text: String
    // IPv4 addresses as ::ffff:0:0/96 (RFC 4291 §2.5.5.2), so that there is one kind of number.
    private let first: UInt128
    private let length: Int

    /// Reads a range; nil for what isn't one, bits behind the prefix included, since they are mostly a mistake.
    init?(_ text: String) {
        guard text.utf8.count <= AddressRange.textBytesMax else { return nil }
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2, let address = AddressRange.number(String(halves[0])) else { return nil }
        let own = address.isIPv4 ? 32 : 128
        var bits = own
        if halves.count == 2 {
            guard let given = Int(halves[1]), String(given) == halves[1], (0...own).contains(given) else { return nil }
            bits = given
        }
        (self.text, first, length) = (text, address.value, 128 - own + bits)
        guard AddressRange.network(first, length) == first else { return nil }
    }

    /// Whether an address lies in it; false for what isn't an address.
    func contains(_ address: String) -> Bool {
        guard let number = AddressRange.number(address) else { return false }
        return AddressRange.network(number.value, length) == first
    }

    private static func network(_ value: UInt128, _ length: Int) -> UInt128 {
        length == 0 ? 0 : value & ~(UInt128.max >> UInt128(length))
    }

    private static func number(_ text: String) -> (value: UInt128, isIPv4: Bool)? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            return (0xffff_0000_0000 | UInt128(UInt32(bigEndian: v4.s_addr)), true)
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let value = withUnsafeBytes(of: v6) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
        return (value, false)
    }
}

extension Format {
    /// A range of addresses in CIDR notation.
    static let addressRange = Format(
        "address_range",
        pattern: "^[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?$",
        length: 2...AddressRange.textBytesMax,
        description: "An address or a range of them in CIDR notation, without bits behind the prefix.",
        example: "192.0.2.0/24"
    ) { AddressRange($0) == nil ? "bad_format" : nil }
}
