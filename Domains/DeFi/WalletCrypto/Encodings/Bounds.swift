/// The bounds of every parser here.
public enum Bounds {
    /// The most bytes that a parser takes: 64 KiB.
    public static let bytesMax = 65_536
    /// The most bytes of text: 64 KiB in hexadecimal with its prefix.
    public static let textBytesMax = 2 * bytesMax + 2
    /// The deepest nesting that a parser follows.
    public static let depthMax = 32
}
