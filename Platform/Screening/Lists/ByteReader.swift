/// The bytes of a file, a chunk at a time.
public struct ByteReader {
    private let read: () throws -> [UInt8]
    private var chunk: [UInt8] = []
    private var next = 0
    private(set) var offset = 0

    /// Bytes that `read` hands out; an empty array is the end.
    public init(_ read: @escaping () throws -> [UInt8]) { self.read = read }

    /// Bytes that are there already, in chunks of a size.
    public init(_ bytes: [UInt8], chunk size: Int = 1 << 16) {
        var start = 0
        self.init {
            let end = min(bytes.count, start + size)
            defer { start = end }
            return Array(bytes[start..<end])
        }
    }

    /// The next byte without taking it; nil at the end.
    mutating func peek() throws -> UInt8? {
        if next == chunk.count {
            (chunk, next) = (try read(), 0)
            if chunk.isEmpty { return nil }
        }
        return chunk[next]
    }

    /// The next byte; nil at the end.
    mutating func take() throws -> UInt8? {
        guard let byte = try peek() else { return nil }
        next += 1
        offset += 1
        return byte
    }
}
