/// What a route takes as its body.
public enum BodyKind: Sendable {
    /// None; what a client sends anyway is read within the bound and ignored.
    case none
    /// JSON that must satisfy a schema.
    case json(JSONSchema)
    /// Bytes that the handler gets as they came, as a signature over them needs; `mediaType` is for the documentation.
    case raw(mediaType: String)

    /// The default bound of a JSON body, in bytes.
    public static let limitBytesDefault = 64 * 1024
    /// The default bound of a raw body, in bytes: that of webhooks.
    public static let rawLimitBytesDefault = 1024 * 1024
}
