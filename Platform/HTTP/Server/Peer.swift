import HTTPTypes

/// Who is at the other end of a connection.
struct Peer: Sendable {
    private static let forwardedFor = CommonFields.name("X-Forwarded-For")
    private let socketAddress: String
    private let trustedProxies: Int

    init(address: String, trustedProxies: Int) { (socketAddress, self.trustedProxies) = (address, trustedProxies) }

    /// The client's address.
    ///
    /// Each trusted proxy has appended the address that it saw, so ours is that many from the right; what stands
    /// further left anybody may have written.
    func address(_ fields: HTTPFields) -> String {
        guard trustedProxies > 0, let chain = fields[Peer.forwardedFor] else { return socketAddress }
        let hops = chain.split(separator: ",").map { $0.filter { $0 != " " } }
        guard hops.count >= trustedProxies else { return socketAddress }
        let hop = hops[hops.count - trustedProxies]
        let isAddress = !hop.isEmpty && hop.utf8.count <= 45 && hop.utf8.allSatisfy(Peer.isAddressByte)
        return isAddress ? hop : socketAddress
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
