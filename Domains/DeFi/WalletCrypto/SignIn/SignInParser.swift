/// Reads a sign-in text line by line; each line can mean one thing only.
struct SignInParser {
    private var lines: ArraySlice<Substring>

    static func parse(_ text: String) -> SignInMessage? {
        let lines = text.split(
            separator: "\n",
            maxSplits: 13 + SignInMessage.resourcesMax,
            omittingEmptySubsequences: false
        )
        var parser = SignInParser(lines: lines[...])
        return parser.message()
    }

    private mutating func message() -> SignInMessage? {
        guard let head = header(), let address = lines.popFirst().map(String.init),
            head.chain.normalizedAddress(address) == address, lines.popFirst() == "", let statement = statement(),
            let uri = value("URI: "), InternetText.isURI(uri), value("Version: ") == "1",
            let reference = value("Chain ID: "), isReference(reference, head.chain), let nonce = value("Nonce: "),
            SignInMessage.nonceCounts.contains(nonce.utf8.count), nonce.utf8.allSatisfy(ASCII.isAlphanumeric),
            let issuedAt = value("Issued At: ").flatMap(SignInMessage.Instant.init(_:)),
            let expirationTime = instant("Expiration Time: "), let notBefore = instant("Not Before: ")
        else { return nil }
        let requestID = value("Request ID: ")
        guard requestID.map({ InternetText.isPart($0.utf8, more: ":@") }) ?? true, let resources = resources(),
            lines.isEmpty
        else { return nil }
        return SignInMessage(
            chain: head.chain,
            scheme: head.scheme,
            domain: head.domain,
            address: address,
            statement: statement.value,
            uri: uri,
            chainReference: reference,
            nonce: nonce,
            issuedAt: issuedAt,
            expirationTime: expirationTime.value,
            notBefore: notBefore.value,
            requestID: requestID,
            resources: resources.value
        )
    }

    /// Something that may be missing, apart from something that is wrong.
    private struct Optionally<Value> { let value: Value? }

    private mutating func header() -> (chain: Chain, scheme: String?, domain: String)? {
        guard let line = lines.popFirst() else { return nil }
        for chain in Chain.allCases {
            let ending = " wants you to sign in with your \(chain.accountName) account:"
            guard line.utf8.count > ending.utf8.count, line.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
            else { continue }
            let front = Array(line.utf8.dropLast(ending.utf8.count))
            let separator = Array("://".utf8)
            var domain = front[...]
            var scheme: String?
            if let place = front.indices.first(where: { front[$0...].starts(with: separator) }) {
                guard InternetText.isScheme(front[..<place]) else { return nil }
                scheme = String(decoding: front[..<place], as: UTF8.self)
                domain = front[(place + 3)...]
            }
            guard InternetText.isAuthority(domain) else { return nil }
            return (chain, scheme, String(decoding: domain, as: UTF8.self))
        }
        return nil
    }

    // After the address an empty line, then perhaps a statement, then an empty line.
    private mutating func statement() -> Optionally<String>? {
        guard let line = lines.popFirst() else { return nil }
        if line.isEmpty { return Optionally(value: nil) }
        let isText = line.utf8.allSatisfy {
            $0 == UInt8(ascii: " ") || InternetText.isUnreserved($0) || InternetText.isSubDelimiter($0)
                || InternetText.isGeneralDelimiter($0)
        }
        guard isText, lines.popFirst() == "" else { return nil }
        return Optionally(value: String(line))
    }

    private mutating func value(_ label: String) -> String? {
        guard let line = lines.first, line.utf8.starts(with: label.utf8) else { return nil }
        lines.removeFirst()
        return String(line.dropFirst(label.count))
    }

    private mutating func instant(_ label: String) -> Optionally<SignInMessage.Instant>? {
        guard let text = value(label) else { return Optionally(value: nil) }
        return SignInMessage.Instant(text).map { Optionally(value: $0) }
    }

    private mutating func resources() -> Optionally<[String]>? {
        guard lines.first == "Resources:" else { return Optionally(value: nil) }
        lines.removeFirst()
        var resources: [String] = []
        while resources.count < SignInMessage.resourcesMax, let resource = value("- ") {
            guard InternetText.isURI(resource) else { return nil }
            resources.append(resource)
        }
        return Optionally(value: resources)
    }

    // A number without leading zeros for Ethereum, CAIP-2's characters for the others.
    private func isReference(_ text: String, _ chain: Chain) -> Bool {
        guard ChainID(namespace: chain.namespace, reference: text) != nil else { return false }
        return chain != .ethereum || BigUInt(text) != nil
    }
}
