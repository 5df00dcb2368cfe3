/// Which addresses are of the public internet (IANA's special-purpose address registries, RFC 6890).
enum PublicAddress {
    private struct Block {
        let prefix: UInt32
        let length: Int

        init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ length: Int) {
            (prefix, self.length) = (a << 24 | b << 16 | c << 8, length)
        }

        func contains(_ address: UInt32) -> Bool { address >> UInt32(32 - length) == prefix >> UInt32(32 - length) }
    }

    private static let specialBlocks = [
        Block(0, 0, 0, 8), Block(10, 0, 0, 8), Block(100, 64, 0, 10), Block(127, 0, 0, 8), Block(169, 254, 0, 16),
        Block(172, 16, 0, 12), Block(192, 0, 0, 24), Block(192, 0, 2, 24), Block(192, 88, 99, 24),
        Block(192, 168, 0, 16), Block(198, 18, 0, 15), Block(198, 51, 100, 24), Block(203, 0, 113, 24),
        Block(224, 0, 0, 4), Block(240, 0, 0, 4),
    ]

    /// Whether an IPv4 address, its first octet on top, is public.
    static func isPublic(v4 address: UInt32) -> Bool { !specialBlocks.contains { $0.contains(address) } }

    /// Whether an IPv6 address is public: global unicast without the special blocks in it, or one that stands for a
    /// public IPv4 address.
    static func isPublic(v6 address: UInt128) -> Bool {
        let embedded = UInt32(truncatingIfNeeded: address)
        // ::ffff:0:0/96 and 64:ff9b::/96 (RFC 6052) stand for the IPv4 address in their last 32 bits.
        if address >> 32 == 0xffff || address >> 32 == 0x0064_ff9b_0000_0000_0000_0000 {
            return isPublic(v4: embedded)
        }
        guard address >> 125 == 0b001 else { return false }
        let top32 = UInt32(truncatingIfNeeded: address >> 96)
        // 2001::/23 protocols and tunnels, 2001:db8::/32 and 3fff::/20 documentation, 2002::/16 tunnels to IPv4.
        return
            !(top32 >> 9 == 0x2001_0000 >> 9 || top32 == 0x2001_0db8 || top32 >> 12 == 0x3fff_0
            || top32 >> 16 == 0x2002)
    }
}
