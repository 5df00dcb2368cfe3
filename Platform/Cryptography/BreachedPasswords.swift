import Crypto
import Glibc

/// A file of SHA-1 hashes of passwords that are known from breaches, in ascending order: a line each, 40 hexadecimal
/// digits, then whatever follows a colon, as Have I Been Pwned publishes them.
///
/// It is searched where it lies, in about 40 reads for a thousand million lines; nothing of it is kept in memory.
public final class BreachedPasswords: Sendable {
    /// Why the file can't be used.
    public enum Failure: Error, Hashable, Sendable {
        /// The system refused; `code` is its errno.
        case system(path: String, code: Int32)
        /// At that byte there is no line of this form.
        case malformed(path: String, offset: Int64)
    }

    private static let digits = 40
    /// No longer line is read, in bytes.
    private static let lineBytesMax = 80

    private let path: String
    private let descriptor: Int32
    private let bytes: Int64

    /// Opens the file, which has to stay as it is while the program runs.
    ///
    /// - Throws: a `Failure`.
    public init(path: String) throws(Failure) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path: path, code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .system(path: path, code: code)
        }
        bytes = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Whether a password is in the file; blocks while it is read.
    ///
    /// - Throws: a `Failure`.
    func contains(_ password: String) throws(Failure) -> Bool {
        let hash = Insecure.SHA1.hash(data: Array(password.utf8))
        let sought = Array(Hex.encode(Array(hash)).utf8)
        var (low, high): (Int64, Int64) = (0, bytes)
        while low < high {
            let line = try line(at: low + (high - low) / 2)
            if line.hash == sought { return true }
            if line.hash.lexicographicallyPrecedes(sought) { low = line.end } else { high = line.start }
        }
        return false
    }

    /// What there is against a password; nil is nothing.
    func objection(to password: String) -> Result<String?, PasswordError> {
        do throws(Failure) {
            return .success(try contains(password) ? "it is known from a breach" : nil)
        } catch {
            return .failure(.dictionaryUnavailable)
        }
    }

    /// The line that a byte of the file is in: where it starts, where the next one starts, and its hash in lower case.
    private func line(at offset: Int64) throws(Failure) -> (start: Int64, end: Int64, hash: [UInt8]) {
        let from = max(0, offset - Int64(BreachedPasswords.lineBytesMax))
        let chunk = try read(from, count: 2 * BreachedPasswords.lineBytesMax)
        let place = Int(offset - from)
        let isBreak = { (byte: UInt8) in byte == UInt8(ascii: "\n") }
        let start = chunk[..<place].lastIndex(where: isBreak).map { $0 + 1 } ?? 0
        let lineBreak = chunk[place...].firstIndex(where: isBreak)
        let end = lineBreak.map { $0 + 1 } ?? chunk.count
        let hash = chunk[start..<end].prefix(BreachedPasswords.digits).map { $0 | 0x20 }
        // Without a line feed it can only be the last one.
        let isWhole = lineBreak != nil || from + Int64(end) == bytes
        guard start > 0 || from == 0, isWhole, hash.count == BreachedPasswords.digits,
            hash.allSatisfy(BreachedPasswords.isHexDigit)
        else { throw .malformed(path: path, offset: from + Int64(start)) }
        return (from + Int64(start), from + Int64(end), hash)
    }

    private func read(_ offset: Int64, count: Int) throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &buffer, count, off_t(offset))
        guard got > 0 else { throw .system(path: path, code: got < 0 ? errno : EIO) }
        return Array(buffer.prefix(got))
    }

    // With bit 5 set digits stay what they are, and letters are in lower case.
    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
