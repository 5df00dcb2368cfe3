public import Kernel

/// The text that a wallet signs to prove an account: EIP-4361 for Ethereum, CAIP-122 for the other chains.
public struct SignInMessage: Hashable, Sendable {
    /// Why a text proves nothing here and now.
    public enum Fault: String, Error, Hashable, Sendable {
        /// Not the grammar: other line ends, order, blanks, characters, version, or an address in another spelling.
        case malformed
        /// For another domain.
        case domain
        /// For another URI.
        case uri
        /// For another chain.
        case chain
        /// For another address.
        case address
        /// Another nonce.
        case nonce
        /// Now is its expiration or later.
        case expired
        /// Now is before its "not before".
        case notYetValid = "not_yet_valid"
    }

    /// An instant with the text that stood for it, since the text is what is signed.
    public struct Instant: Hashable, Sendable {
        /// As it is written.
        public let text: String
        /// The instant, to the microsecond.
        public let timestamp: Timestamp

        /// Reads RFC 3339 with any offset; nil for anything else.
        public init?(_ text: String) {
            guard let timestamp = InternetText.instant(text) else { return nil }
            (self.text, self.timestamp) = (text, timestamp)
        }

        /// An instant as we write it.
        public init(_ timestamp: Timestamp) { (text, self.timestamp) = (timestamp.description, timestamp) }
    }

    /// The bounds of nonces; EIP-4361 asks for 8 letters or digits at least.
    public static let nonceCounts = 8...128
    /// The most resources.
    public static let resourcesMax = 64

    /// The account's chain.
    public let chain: Chain
    /// The scheme before the domain: `https`; nil when there is none.
    public let scheme: String?
    /// Who asks: host and port.
    public let domain: String
    /// The account, in its one spelling (Ethereum: EIP-55).
    public let address: String
    /// What the user is told, without line ends.
    public let statement: String?
    /// What the user signs in to.
    public let uri: String
    /// The chain within its namespace: `1`, `mainnet`.
    public let chainReference: String
    /// Letters and digits that nobody can guess and that count once.
    public let nonce: String
    /// When it was made.
    public let issuedAt: Instant
    /// From when on it counts no more.
    public let expirationTime: Instant?
    /// Before when it doesn't count yet.
    public let notBefore: Instant?
    /// The request that it belongs to.
    public let requestID: String?
    /// More that is agreed to: URIs.
    public let resources: [String]?

    /// Reads a text to its last byte.
    ///
    /// - Throws: `malformed`.
    public init(parsing text: String) throws(Fault) {
        guard text.utf8.count <= Bounds.bytesMax, let message = SignInParser.parse(text) else { throw .malformed }
        self = message
    }

    /// A message for a wallet to sign.
    ///
    /// - Throws: `malformed` when a part isn't written as the grammar has it.
    public init(
        chain: Chain,
        domain: String,
        address: String,
        statement: String? = nil,
        uri: String,
        chainReference: String,
        nonce: String,
        issuedAt: Timestamp,
        expirationTime: Timestamp?,
        notBefore: Timestamp? = nil,
        requestID: String? = nil,
        resources: [String]? = nil
    ) throws(Fault) {
        let draft = SignInMessage(
            chain: chain,
            scheme: nil,
            domain: domain,
            address: address,
            statement: statement,
            uri: uri,
            chainReference: chainReference,
            nonce: nonce,
            issuedAt: Instant(issuedAt),
            expirationTime: expirationTime.map(Instant.init(_:)),
            notBefore: notBefore.map(Instant.init(_:)),
            requestID: requestID,
            resources: resources
        )
        // What doesn't read back as itself would be understood differently by the wallet.
        guard try SignInMessage(parsing: draft.text) == draft else { throw .malformed }
        self = draft
    }

    init(
        chain: Chain,
        scheme: String?,
        domain: String,
        address: String,
        statement: String?,
        uri: String,
        chainReference: String,
        nonce: String,
        issuedAt: Instant,
        expirationTime: Instant?,
        notBefore: Instant?,
        requestID: String?,
        resources: [String]?
    ) {
        (self.chain, self.scheme, self.domain, self.address) = (chain, scheme, domain, address)
        (self.statement, self.uri, self.chainReference, self.nonce) = (statement, uri, chainReference, nonce)
        (self.issuedAt, self.expirationTime, self.notBefore) = (issuedAt, expirationTime, notBefore)
        (self.requestID, self.resources) = (requestID, resources)
    }

    /// The text, which reads back as this message.
    public var text: String {
        var lines = [
            (scheme.map { $0 + "://" } ?? "")
                + "\(domain) wants you to sign in with your \(chain.accountName) account:",
            address, "",
        ]
        if let statement { lines.append(statement) }
        lines += [
            "", "URI: \(uri)", "Version: 1", "Chain ID: \(chainReference)", "Nonce: \(nonce)",
            "Issued At: \(issuedAt.text)",
        ]
        if let expirationTime { lines.append("Expiration Time: \(expirationTime.text)") }
        if let notBefore { lines.append("Not Before: \(notBefore.text)") }
        if let requestID { lines.append("Request ID: \(requestID)") }
        if let resources { lines += ["Resources:"] + resources.map { "- \($0)" } }
        return lines.joined(separator: "\n")
    }

    /// Checks what the message is bound to, in the order in which a fault is told; nil isn't compared.
    ///
    /// The nonce is compared whole and by its own field. After this the caller consumes the nonce, then checks the
    /// window, then the signature.
    ///
    /// - Throws: the first difference.
    public func checkBinding(
        domain: String?,
        uri: String?,
        chainReference: String?,
        address: String?,
        nonce: String?
    ) throws(Fault) {
        if let domain, !same(domain, self.domain) { throw .domain }
        if let uri, !same(uri, self.uri) { throw .uri }
        if let chainReference, !same(chainReference, self.chainReference) { throw .chain }
        if let address, chain.normalizedAddress(address).map({ same($0, self.address) }) != true { throw .address }
        if let nonce, !same(nonce, self.nonce) { throw .nonce }
    }

    /// Checks that it counts at an instant: not before "not before", and before the expiration.
    ///
    /// - Throws: `expired`, `notYetValid`.
    public func checkWindow(now: Timestamp) throws(Fault) {
        if let expirationTime, now >= expirationTime.timestamp { throw .expired }
        if let notBefore, now < notBefore.timestamp { throw .notYetValid }
    }

    // By bytes: Swift's == also equates different spellings of a character.
    private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
