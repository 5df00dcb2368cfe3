import Glibc

/// The network that a request comes from, as it is counted: of IPv6 the first 64 bits, since whoever has one address of
/// them has them all; of IPv4 the address.
enum NetworkName {
    /// The name for an address; what isn't an address stands for itself.
    static func of(_ address: String) -> String {
        guard address.utf8.contains(UInt8(ascii: ":")) else { return address }
        var number = in6_addr()
        guard inet_pton(AF_INET6, address, &number) == 1 else { return address }
        let bytes = withUnsafeBytes(of: number) { Array($0) }
        // IPv4 in IPv6 (RFC 4291 §2.5.5.2).
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return bytes[12...].map { String($0) }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: 8, by: 2).map { place in
            String(UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }

    /// Whether a request comes from the machine itself, as by a proxy that isn't named as one or by a measurement.
    static func isLocal(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" || address.isEmpty }
}
