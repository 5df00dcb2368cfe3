/// What the documentation says about an API as a whole.
public struct APIDescription: Sendable {
    /// Its name.
    public let title: String
    /// Its version: `1.0.0`.
    public let version: String
    /// What it is for, in Markdown.
    public let text: String
    /// Where clients reach it, if that isn't where they read the documentation: `https://api.example.com`.
    public let serverURL: String?

    /// A description.
    public init(title: String, version: String, text: String, serverURL: String? = nil) {
        (self.title, self.version, self.text, self.serverURL) = (title, version, text, serverURL)
    }
}
