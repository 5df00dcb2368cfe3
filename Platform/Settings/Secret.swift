/// A text that must not be seen: it prints as `«secret»`, whoever prints it.
public struct Secret: Sendable {
    private let text: String

    /// Hides a text.
    public init(_ text: String) { self.text = text }

    /// The text itself, for the one place that needs it; never log it.
    public func reveal() -> String { text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `«secret»`.
    public var description: String { "«secret»" }
    /// `«secret»`.
    public var debugDescription: String { description }
    /// Without children, so that `dump` sees nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
