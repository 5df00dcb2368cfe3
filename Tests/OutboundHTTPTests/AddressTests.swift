import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct AddressTests {
    private static func v4(_ text: String) -> UInt32 {
        text.split(separator: ".").reduce(0) { $0 << 8 | (UInt32($1) ?? 0) }
    }

    @Test(arguments: [
        "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255",
    ])
    func `a private or special IPv4 address is not public`(text: String) {
        #expect(!PublicAddress.isPublic(v4: Self.v4(text)))
        #expect(!PublicAddress.isPublic(v6: 0xffff_0000_0000 | UInt128(Self.v4(text))))
        #expect(!PublicAddress.isPublic(v6: 0x0064_ff9b << 96 | UInt128(Self.v4(text))))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
        "198.20.0.0", "223.255.255.255",
    ])
    func `another IPv4 address is public`(text: String) {
        #expect(PublicAddress.isPublic(v4: Self.v4(text)))
        #expect(PublicAddress.isPublic(v6: 0xffff_0000_0000 | UInt128(Self.v4(text))))
    }

    @Test(
        arguments: [
            (0, false), (1, false), (UInt128(0xfe80) << 112 | 1, false), (UInt128(0xfc00) << 112 | 1, false),
            (UInt128(0xfd12) << 112 | 1, false), (UInt128(0xff02) << 112 | 1, false),
            (UInt128(0x2001_0db8) << 96 | 1, false), (UInt128(0x2001_0000) << 96 | 1, false),
            (UInt128(0x2002_7f00) << 96 | 1, false), (UInt128(0x3fff_0000) << 96 | 1, false),
            (UInt128(0x7f00_0001), false), (UInt128(0x2606_4700) << 96 | 0x1111, true),
            (UInt128(0x2a00_1450) << 96 | 1, true), (UInt128(0x2001_0200) << 96 | 1, true),
        ] as [(UInt128, Bool)]
    )
    func `an IPv6 address is public by its block`(address: UInt128, isPublic: Bool) {
        #expect(PublicAddress.isPublic(v6: address) == isPublic)
    }

    @Test(arguments: ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
    func `a local address is not connected to, however it is written`(host: String) async throws {
        let peer = try Peer { _, connection in
            connection.answer(200)
            return true
        }
        var configuration = HTTPClientConfiguration.forTests
        configuration.allowPrivateAddresses = false
        let error = await HTTPClient(configuration).failure(OutboundRequest(.get, "http://\(host):\(peer.port)"))
        #expect(error == OutboundError(.forbiddenAddress, .notSent))
        #expect(peer.requests.isEmpty)
    }
}
