/// The parts of a request that providers sign, as they were received.
public struct SignedRequest: Sendable {
    /// The method in upper case.
    public let method: String
    /// The query as it stands in the request line, with its leading `?` and nothing decoded; empty when there is none.
    public let query: String
    /// Names in any case and values, one per field line.
    public let headers: [(name: String, value: String)]
    /// The raw bytes.
    public let body: [UInt8]

    /// A request as it was received.
    public init(method: String, query: String = "", headers: [(String, String)], body: [UInt8]) {
        (self.method, self.query, self.body) = (method, query, body)
        self.headers = headers.map { (name: $0.0, value: $0.1) }
    }
}
