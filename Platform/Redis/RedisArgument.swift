import CHiredis

/// What can be a word of a command: text, integers, bytes.
public protocol RedisArgument: Sendable {
    /// Appends the bytes that the server gets.
    func append(to bytes: inout [UInt8])
}

extension String: RedisArgument {
    /// Appends the text in UTF-8.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension Substring: RedisArgument {
    /// Appends the text in UTF-8.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension Int: RedisArgument {
    /// Appends the decimal digits.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension Int64: RedisArgument {
    /// Appends the decimal digits.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension Array: RedisArgument where Element == UInt8 {
    /// Appends the bytes as they are.
    public func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

/// Commands in the protocol's form.
enum CommandBytes {
    /// Appends one command; the caller guarantees at least one word.
    static func append(_ words: [any RedisArgument], to output: inout [UInt8]) {
        precondition(!words.isEmpty, "a command without a word")
        var flat: [UInt8] = []
        var lengths: [Int] = []
        lengths.reserveCapacity(words.count)
        for word in words {
            let start = flat.count
            word.append(to: &flat)
            lengths.append(flat.count - start)
        }
        flat.withUnsafeBytes { buffer in
            var position = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            var starts: [UnsafePointer<CChar>?] = []
            starts.reserveCapacity(lengths.count)
            for length in lengths {
                starts.append(position)
                position = position?.advanced(by: length)
            }
            var formatted: UnsafeMutablePointer<CChar>?
            let count = redisFormatCommandArgv(&formatted, Int32(lengths.count), &starts, lengths)
            guard count > 0, let formatted else { preconditionFailure("no memory for a command") }
            output.append(contentsOf: UnsafeRawBufferPointer(start: formatted, count: Int(count)))
            redisFreeCommand(formatted)
        }
    }
}
