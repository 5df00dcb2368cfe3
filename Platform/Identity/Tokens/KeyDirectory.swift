import Cryptography
import Foundation
import Glibc

/// Why the directory of signing keys can't be used.
public enum KeyDirectoryError: Error, Sendable, Hashable {
    /// The system refused; `code` is its errno.
    case system(path: String, code: Int32)
    /// A private key that everybody on the machine may read.
    case readableByAll(path: String)
    /// Not a PEM file with one P-256 key.
    case notAKey(path: String)
    /// More files than `KeyDirectory.keysMax`.
    case tooMany(path: String)
    /// None of the keys is private, so that nothing can be signed.
    case noPrivateKey
}

/// A directory of PEM files with P-256 keys: the last private one by name signs, all verify.
///
/// Rotation adds `key-NNNN.pem` with the next number. An old one is removed, or replaced by its public key, once the
/// tokens that it signed have expired.
struct KeyDirectory: Sendable {
    /// The most files that are read.
    static let keysMax = 32
    /// No key is longer, in bytes.
    private static let bytesMax = 8_192

    struct File: Sendable {
        let path: String
        let pem: String
    }

    let path: String

    /// The files by name; the directory and a first key are made when there is none.
    ///
    /// Several processes may start at once: one of them makes the key, all read it.
    func open() throws(KeyDirectoryError) -> [File] {
        let files = try read()
        guard files.isEmpty else { return files }
        try add(number: 1)
        return try read()
    }

    /// The files by name.
    func read() throws(KeyDirectoryError) -> [File] {
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
        let keys = names.filter { $0.hasSuffix(".pem") && !$0.hasPrefix(".") }.sorted()
        guard keys.count <= KeyDirectory.keysMax else { throw .tooMany(path: path) }
        var files: [File] = []
        for name in keys { files.append(try read(path + "/" + name)) }
        return files
    }

    /// Makes a key with the next number; of several processes that do so at once, one succeeds for all.
    func addNext() throws(KeyDirectoryError) {
        let numbers = try read().compactMap { Int($0.path.suffix(8).prefix(4)) }
        try add(number: (numbers.max() ?? 0) + 1)
    }

    private func read(_ path: String) throws(KeyDirectoryError) -> File {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(path: path, code: errno) }
        guard status.st_size <= KeyDirectory.bytesMax, let data = FileManager.default.contents(atPath: path),
            let pem = String(bytes: data, encoding: .utf8)
        else { throw .notAKey(path: path) }
        guard status.st_mode & 0o004 == 0 || !pem.contains("PRIVATE KEY") else { throw .readableByAll(path: path) }
        return File(path: path, pem: pem)
    }

    /// Writes a key under another name and links it to its own, which fails when that is there: no lock is needed, and
    /// nobody reads half a key.
    private func add(number: Int) throws(KeyDirectoryError) {
        let digits = String(number)
        let name = "key-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".pem"
        let draft = path + "/.draft-" + Hex.encode(RandomBytes.make(8))
        defer { unlink(draft) }
        try write(Array(SigningKey.generate().utf8), to: draft)
        guard link(draft, path + "/" + name) == 0 || errno == EEXIST else { throw .system(path: path, code: errno) }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(KeyDirectoryError) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path: path, code: errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .system(path: path, code: errno) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw .system(path: path, code: errno) }
    }
}
