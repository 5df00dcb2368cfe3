/// Textual encoding of keys (RFC 7468).
enum PEM {
    /// The contents of the one block of a label; nil if the text is anything else, text around the block included.
    static func decode(_ text: String, label: String) -> [UInt8]? {
        var lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard lines.count >= 3, lines.removeFirst() == "-----BEGIN \(label)-----",
            lines.removeLast() == "-----END \(label)-----"
        else { return nil }
        return Base64.decode(lines.joined())
    }
}
