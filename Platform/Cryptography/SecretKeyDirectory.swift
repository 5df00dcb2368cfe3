import Foundation
import Glibc

/// A directory of keys of 32 bytes, a file each: `PREFIX-NNNN.key` with 64 hexadecimal digits, read by its owner alone.
///
/// The key with the highest number is the one in use; the others open what they closed. Several processes may read and
/// add at once.
public struct SecretKeyDirectory: Sendable {
    /// Why the directory can't be used.
    public enum Failure: Error, Hashable, Sendable {
        /// The system refused; `code` is its errno.
        case system(path: String, code: Int32)
        /// A key that others on the machine may read.
        case readableByOthers(path: String)
        /// Not 64 hexadecimal digits in lower case.
        case notAKey(path: String)
        /// More keys than `keysMax`.
        case tooMany(path: String)
    }

    /// A key with its number, which is never used for another.
    public typealias Numbered = (number: UInt32, key: [UInt8])

    /// The most keys that are read.
    public static let keysMax = 32
    // 64 digits and a newline.
    private static let bytesMax = 65

    /// Where it is.
    public let path: String
    private let prefix: String

    /// The keys of a directory whose names begin with `prefix`; nothing is read or made yet.
    public init(path: String, prefix: String) { (self.path, self.prefix) = (path, prefix) }

    /// The keys by number; the directory and a first key are made when there is none.
    ///
    /// - Throws: a `Failure`.
    public func open() throws(Failure) -> [Numbered] {
        let keys = try read()
        guard keys.isEmpty else { return keys }
        try add(number: 1)
        return try read()
    }

    /// The keys by number; the directory is made when there is none.
    ///
    /// - Throws: a `Failure`.
    public func read() throws(Failure) -> [Numbered] {
        let names: [String]
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .system(path: path, code: errno)
        }
        let numbers = names.compactMap(number).sorted()
        guard numbers.count <= SecretKeyDirectory.keysMax else { throw .tooMany(path: path) }
        var keys: [Numbered] = []
        for number in numbers { keys.append((number, try key(number))) }
        return keys
    }

    /// Makes a key with the next number; of several processes that do so at once, one succeeds for all.
    ///
    /// - Throws: a `Failure`.
    public func addNext() throws(Failure) { try add(number: (try read().last?.number ?? 0) + 1) }

    /// Removes a key for good; one that isn't there is no fault.
    ///
    /// - Throws: a `Failure`.
    public func remove(_ number: UInt32) throws(Failure) {
        guard unlink(file(number)) == 0 || errno == ENOENT else { throw .system(path: file(number), code: errno) }
    }

    private func file(_ number: UInt32) -> String {
        let digits = String(number)
        return "\(path)/\(prefix)-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".key"
    }

    private func number(_ name: String) -> UInt32? {
        guard name.hasPrefix(prefix + "-"), name.hasSuffix(".key") else { return nil }
        return UInt32(name.dropFirst(prefix.count + 1).dropLast(4)).flatMap { $0 > 0 ? $0 : nil }
    }

    private func key(_ number: UInt32) throws(Failure) -> [UInt8] {
        let path = file(number)
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(path: path, code: errno) }
        guard status.st_mode & 0o077 == 0 else { throw .readableByOthers(path: path) }
        guard status.st_size <= SecretKeyDirectory.bytesMax, let data = FileManager.default.contents(atPath: path),
            let text = String(bytes: data, encoding: .utf8),
            let key = Hex.decode(String(text.hasSuffix("\n") ? text.dropLast() : text[...])), key.count == 32
        else { throw .notAKey(path: path) }
        return key
    }

    /// Writes a key under another name and links it to its own, which fails when that is there: no lock is needed, and
    /// nobody reads half a key.
    private func add(number: UInt32) throws(Failure) {
        let draft = path + "/.draft-" + Hex.encode(RandomBytes.make(8))
        defer { unlink(draft) }
        try write(Array((Hex.encode(RandomBytes.make(32)) + "\n").utf8), to: draft)
        guard link(draft, file(number)) == 0 || errno == EEXIST else { throw .system(path: file(number), code: errno) }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path: path, code: errno) }
        defer { close(descriptor) }
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0 else { throw .system(path: path, code: errno) }
    }
}
