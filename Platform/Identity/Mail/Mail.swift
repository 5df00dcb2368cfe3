/// A message to one person; it holds secrets of that person, so it prints as nothing.
public struct Mail: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The address.
    public let to: String
    /// The subject.
    public let subject: String
    /// The text.
    public let text: String

    /// Never the message.
    public var description: String { "(mail)" }
    /// Never the message.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What brings messages on their way.
public protocol MailTransport: Sendable {
    /// Takes a message over.
    ///
    /// - Throws: what keeps it from being taken over; the message is lost then.
    func deliver(_ mail: Mail) async throws
}
