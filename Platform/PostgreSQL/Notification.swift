/// A message of `notify`.
public struct Notification: Sendable, Hashable {
    /// The channel.
    public let channel: String
    /// The text sent with it; at most 8,000 bytes.
    public let payload: String
}
