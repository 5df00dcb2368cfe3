/// One request as the thread of a client gets it.
struct TransferOrder: Sendable {
    let id: UInt64
    let method: OutboundRequest.Method
    let url: String
    let headers: [OutboundHeader]
    let body: [UInt8]
    let responseBytesMax: Int
    let isIdempotent: Bool
    let connectTimeoutMilliseconds: Int
    let timeoutMilliseconds: Int
}

/// What of the configuration concerns each transfer.
struct TransferRules: Sendable {
    let allowPrivateAddresses: Bool
    let allowPlainHTTP: Bool
    let trustedCertificatesPath: String?
    let connectionsPerHostMax: Int
    let requestsMax: Int

    init(_ configuration: HTTPClientConfiguration) {
        allowPrivateAddresses = configuration.allowPrivateAddresses
        allowPlainHTTP = configuration.allowPlainHTTP
        trustedCertificatesPath = configuration.trustedCertificatesPath
        connectionsPerHostMax = configuration.connectionsPerHostMax
        requestsMax = configuration.requestsMax
    }
}
