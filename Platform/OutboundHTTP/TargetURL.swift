import CCurl

/// A URL as libcurl reads it, so that what is checked is what is connected to.
struct TargetURL: Hashable, Sendable {
    let text: String
    let scheme: String
    let host: String
    let port: String

    /// Scheme, host and port, the unit of circuit breakers and of trust.
    var origin: String { "\(scheme)://\(host):\(port)" }

    /// Reads an absolute URL.
    init(_ text: String, allowsPlainHTTP: Bool) throws(OutboundError) {
        try self.init([text], allowsPlainHTTP)
    }

    /// The URL that a redirect from here names, absolute or relative.
    func redirected(to location: String, allowsPlainHTTP: Bool) throws(OutboundError) -> TargetURL {
        let next = try TargetURL([text, location], allowsPlainHTTP)
        guard scheme == "http" || next.scheme == "https" else { throw OutboundError(.forbiddenRedirect, .notSent) }
        return next
    }

    private init(_ steps: [String], _ allowsPlainHTTP: Bool) throws(OutboundError) {
        guard let handle = curl_url() else { throw TargetURL.fault(.malformedURL) }
        defer { curl_url_cleanup(handle) }
        let flags = UInt32(CURLU_DISALLOW_USER) | UInt32(CURLU_NON_SUPPORT_SCHEME)
        for step in steps {
            guard step.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
                curl_url_set(handle, CURLUPART_URL, step, flags) == CURLUE_OK
            else { throw TargetURL.fault(.malformedURL) }
        }
        _ = curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0)
        guard let text = TargetURL.part(CURLUPART_URL, handle), let scheme = TargetURL.part(CURLUPART_SCHEME, handle)
        else { throw TargetURL.fault(.malformedURL) }
        guard scheme == "https" || (scheme == "http" && allowsPlainHTTP) else {
            throw TargetURL.fault(.schemeNotAllowed)
        }
        guard let host = TargetURL.part(CURLUPART_HOST, handle), !host.isEmpty,
            let port = TargetURL.part(CURLUPART_PORT, handle)
        else { throw TargetURL.fault(.malformedURL) }
        (self.text, self.scheme, self.host, self.port) = (text, scheme, host.lowercased(), port)
    }

    private static func part(_ part: CURLUPart, _ handle: OpaquePointer) -> String? {
        var found: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &found, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let found else { return nil }
        defer { curl_free(found) }
        return String(cString: found)
    }

    private static func fault(_ fault: OutboundError.RequestFault) -> OutboundError {
        OutboundError(.invalidRequest(fault), .notSent)
    }
}
