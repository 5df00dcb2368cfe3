extension Settings {
    /// What the program serves on.
    public struct HTTP: Sendable {
        /// Address to listen on.
        public let host: String
        /// Port to listen on, 0 for a free one.
        public let port: Int
        /// The URL under which clients reach us, without a slash at its end.
        public let publicURL: String
        /// The URL under which other processes of ours reach this one, without a slash at its end.
        public let peerURL: String

        /// The PEM file of the certificate that the server proves itself with, and those that lead to a trusted one;
        /// nil for plain HTTP.
        public let certificateFile: String?
        /// The PEM file of the certificate's private key.
        public let certificateKeyFile: String?

        /// How many proxies of ours stand in front, each of which appends to `X-Forwarded-For`; 0 ignores the header.
        public let trustedProxies: Int

        init(_ reader: inout SettingsReader) {
            trustedProxies = reader.value(
                "DIBOAS_TRUSTED_PROXIES",
                .integer(0...8),
                default: "0",
                "How many proxies of ours append to X-Forwarded-For; with 0 the header is ignored."
            )
            certificateFile = reader.optional(
                "DIBOAS_TLS_CERTIFICATE_FILE",
                .absolutePath,
                "PEM file of the server's certificate and those that lead to a trusted one; without it HTTP is plain."
            )
            certificateKeyFile = reader.optional(
                "DIBOAS_TLS_KEY_FILE",
                .absolutePath,
                "PEM file of the certificate's private key."
            )
            if certificateFile != nil, certificateKeyFile == nil {
                reader.contradict("DIBOAS_TLS_CERTIFICATE_FILE", "needs DIBOAS_TLS_KEY_FILE")
            }
            if certificateFile == nil, certificateKeyFile != nil {
                reader.contradict("DIBOAS_TLS_KEY_FILE", "needs DIBOAS_TLS_CERTIFICATE_FILE")
            }
            let scheme = certificateFile == nil ? "http" : "https"
            host = reader.value("DIBOAS_HTTP_HOST", .word, default: "127.0.0.1", "Address to listen on.")
            port = reader.value(
                "DIBOAS_HTTP_PORT",
                .integer(0...65_535),
                default: "8080",
                "Port to listen on; 0 for a free one."
            )
            let publicURL = reader.optional(
                "DIBOAS_PUBLIC_URL",
                .webURL,
                "URL under which clients reach us; follows from address and port if not set."
            )
            let address = host.contains(":") ? "[\(host)]" : host
            self.publicURL = publicURL ?? "\(scheme)://\(address):\(port)"
            let peerURL = reader.optional(
                "DIBOAS_PEER_URL",
                .webURL,
                "URL under which other processes of ours reach this one; follows from address and port if not set."
            )
            self.peerURL = peerURL ?? "\(scheme)://\(address):\(port)"
        }
    }
}
