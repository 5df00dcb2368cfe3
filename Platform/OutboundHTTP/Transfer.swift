import CCurl
import Glibc

/// One request in libcurl's hands, and what has come of its response; used by one thread.
final class Transfer {
    /// The most bytes of a response's headers.
    private static let headerBytesMax = 64 << 10

    let order: TransferOrder
    let easy: UnsafeMutableRawPointer
    private let answer: TransferInbox.Answer
    private let rules: TransferRules
    private let startedAt = Monotonic.now()
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var headers: [OutboundHeader] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var requestsBegun = 0
    private var isAddressForbidden = false
    private var isTooLarge = false

    init(_ order: TransferOrder, answer: TransferInbox.Answer, rules: TransferRules) {
        guard let easy = curl_easy_init() else { preconditionFailure("no memory for a transfer") }
        (self.order, self.easy, self.answer, self.rules) = (order, easy, answer, rules)
        setRequest()
        setBounds()
        setCallbacks()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
    }

    /// Answers with what libcurl says of the end.
    func finish(_ code: CURLcode) { answer.resume(returning: outcome(code)) }

    /// Answers because of something on our side; the caller has taken it out of libcurl's hands.
    func abort(_ reason: OutboundError.Reason) { answer.resume(returning: failure(reason)) }

    private func setRequest() {
        diboas_setopt_string(easy, CURLOPT_URL, order.url)
        switch order.method {
        case .get: diboas_setopt_long(easy, CURLOPT_HTTPGET, 1)
        case .head: diboas_setopt_long(easy, CURLOPT_NOBODY, 1)
        case .post, .put, .patch, .delete:
            diboas_setopt_string(easy, CURLOPT_CUSTOMREQUEST, order.method.rawValue)
            if !order.body.isEmpty || order.method != .delete {
                diboas_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(order.body.count))
                order.body.withUnsafeBytes { bytes in
                    // An empty array may have no address, and without one libcurl would ask a callback for the body.
                    withUnsafeBytes(of: UInt8(0)) { none in
                        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? none.baseAddress)
                        _ = diboas_setopt_pointer(easy, CURLOPT_COPYPOSTFIELDS, start)
                    }
                }
            }
        }
        var lines = order.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // Not what libcurl would add by itself.
        lines.append("Expect:")
        if !order.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
        for line in lines { headerList = curl_slist_append(headerList, line) }
        diboas_setopt_pointer(easy, CURLOPT_HTTPHEADER, headerList)
        diboas_setopt_string(easy, CURLOPT_USERAGENT, "diboas")
    }

    private func setBounds() {
        let schemes = rules.allowPlainHTTP ? "http,https" : "https"
        diboas_setopt_string(easy, CURLOPT_PROTOCOLS_STR, schemes)
        diboas_setopt_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        // A proxy of the environment would connect for us, where addresses can't be checked.
        diboas_setopt_string(easy, CURLOPT_PROXY, "")
        diboas_setopt_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        diboas_setopt_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        diboas_setopt_long(easy, CURLOPT_SSL_VERIFYPEER, 1)
        diboas_setopt_long(easy, CURLOPT_SSL_VERIFYHOST, 2)
        if let path = rules.trustedCertificatesPath { diboas_setopt_string(easy, CURLOPT_CAINFO, path) }
        diboas_setopt_long(easy, CURLOPT_NOSIGNAL, 1)
        // Else giving up during a slow name resolution would block this thread until it ends.
        diboas_setopt_long(easy, CURLOPT_QUICK_EXIT, 1)
        diboas_setopt_long(easy, CURLOPT_TIMEOUT_MS, order.timeoutMilliseconds)
        diboas_setopt_long(easy, CURLOPT_CONNECTTIMEOUT_MS, order.connectTimeoutMilliseconds)
        diboas_setopt_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(order.responseBytesMax))
    }

    private func setCallbacks() {
        let this = Unmanaged.passUnretained(self).toOpaque()
        diboas_setopt_write(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
            guard let transfer = Transfer.from(this) else { return 0 }
            return transfer.receive(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
                ? size * count : 0
        }
        diboas_setopt_pointer(easy, CURLOPT_HEADERDATA, this)
        diboas_setopt_write(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
            guard let transfer = Transfer.from(this) else { return 0 }
            return transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
        }
        diboas_setopt_pointer(easy, CURLOPT_WRITEDATA, this)
        diboas_setopt_opensocket(easy) { this, _, address in
            guard let transfer = Transfer.from(this), let address else { return -1 }
            return transfer.openSocket(&address.pointee)
        }
        diboas_setopt_pointer(easy, CURLOPT_OPENSOCKETDATA, this)
        diboas_setopt_prereq(easy) { this, _, _, _, _ in
            guard let transfer = Transfer.from(this), transfer.begin() else { return CURL_PREREQFUNC_ABORT }
            return CURL_PREREQFUNC_OK
        }
        diboas_setopt_pointer(easy, CURLOPT_PREREQDATA, this)
    }

    private static func from(_ this: UnsafeMutableRawPointer?) -> Transfer? {
        this.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Transfer {
    /// Called when the connection stands and the request is about to be written.
    ///
    /// libcurl writes it again by itself when a kept connection turns out to be dead, though the peer may have read it
    /// the first time; only requests that are safe to repeat may do that.
    private func begin() -> Bool {
        requestsBegun += 1
        return requestsBegun == 1 || order.isIdempotent
    }

    /// Opens a socket for an address if it is one to talk to: the very address that will be connected to, so that a
    /// name whose answers change can't get around the check.
    private func openSocket(_ address: inout curl_sockaddr) -> curl_socket_t {
        guard rules.allowPrivateAddresses || Transfer.isPublic(&address) else {
            isAddressForbidden = true
            return -1
        }
        return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
    }

    private static func isPublic(_ address: inout curl_sockaddr) -> Bool {
        let family = address.family
        return withUnsafeBytes(of: &address.addr) { start in
            guard let base = start.baseAddress else { return false }
            switch family {
            case AF_INET:
                let v4 = base.loadUnaligned(as: sockaddr_in.self)
                return PublicAddress.isPublic(v4: UInt32(bigEndian: v4.sin_addr.s_addr))
            case AF_INET6:
                // libcurl keeps room for the longest address behind `addr`.
                let v6 = base.loadUnaligned(as: sockaddr_in6.self)
                let bits = withUnsafeBytes(of: v6.sin6_addr) { $0.loadUnaligned(as: UInt128.self) }
                return PublicAddress.isPublic(v6: UInt128(bigEndian: bits))
            default: return false
            }
        }
    }

    private func receive(header bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= Transfer.headerBytesMax else {
            isTooLarge = true
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        guard let colon = line.firstIndex(of: ":"), !line.hasPrefix("HTTP/") else {
            // A status line begins a response; one of an interim response comes before it.
            if line.hasPrefix("HTTP/") { headers = [] }
            return true
        }
        let value = line[line.index(after: colon)...]
        headers.append(OutboundHeader(String(line[..<colon]), Transfer.trimmed(value)))
        return true
    }

    private func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= order.responseBytesMax else {
            isTooLarge = true
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while rest.last?.isWhitespace == true { rest.removeLast() }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return String(rest)
    }

    private func outcome(_ code: CURLcode) -> AttemptOutcome {
        guard code == CURLE_OK else { return failure(reason(code)) }
        var status = 0
        var retryAfter: curl_off_t = 0
        diboas_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
        diboas_getinfo_offset(easy, CURLINFO_RETRY_AFTER, &retryAfter)
        guard (200...599).contains(status) else { return failure(.invalidResponse) }
        return .response(
            OutboundResponse(
                status: status,
                headers: headers,
                body: body,
                retryAfterSeconds: retryAfter > 0 ? Int(retryAfter) : nil
            )
        )
    }

    private func failure(_ reason: OutboundError.Reason) -> AttemptOutcome {
        .failed(
            AttemptOutcome.Failure(
                reason: reason,
                mayHaveBeenSent: requestsBegun > 0,
                hasResponseBytes: headerBytes > 0
            )
        )
    }

    private func reason(_ code: CURLcode) -> OutboundError.Reason {
        if isTooLarge { return .responseTooLarge }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: return .nameNotResolved
        case CURLE_COULDNT_CONNECT: return isAddressForbidden ? .forbiddenAddress : .connectFailed
        case CURLE_OPERATION_TIMEDOUT:
            let elapsed = (Monotonic.now() - startedAt) / 1_000_000
            return requestsBegun == 0 && elapsed < order.timeoutMilliseconds ? .connectTimedOut : .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return .tlsFailed
        case CURLE_FILESIZE_EXCEEDED: return .responseTooLarge
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING: return .invalidResponse
        default: return .connectionLost
        }
    }
}
