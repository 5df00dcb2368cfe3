/// What a peer answered, whatever the status.
public struct OutboundResponse: Sendable {
    /// The HTTP status, 200 to 599.
    public let status: Int
    /// The headers in the order in which they came.
    public let headers: [OutboundHeader]
    /// The body.
    public let body: [UInt8]
    /// Seconds after which the peer wants to be asked again; nil when it doesn't say.
    public let retryAfterSeconds: Int?
    /// How many requests were sent for it.
    public internal(set) var attempts = 1

    /// The first header of that name, in any case; nil when there is none.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}

extension OutboundResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status and the body's size: headers and bodies carry secrets.
    public var description: String { "status \(status), \(body.count) bytes" }

    /// The description.
    public var debugDescription: String { description }

    /// Nothing beyond the description.
    public var customMirror: Mirror { Mirror(self, children: ["response": description]) }
}
