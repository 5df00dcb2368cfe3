import Cryptography
import Foundation
import Glibc
import Kernel

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

/// What a renewal of the signing keys came to.
public struct KeyRenewal: Sendable, Hashable {
    /// Keys that were added.
    public internal(set) var added = 0
    /// Keys that were removed, since nothing that they signed counts any more.
    public internal(set) var removed = 0
}

/// A directory of PEM files with P-256 keys: the last private one by name signs, all verify.
///
/// Rotation adds `key-NNNN.pem` with the next number and removes old ones once the tokens that they signed have
/// expired.
struct KeyDirectory: Sendable {
    /// The most files that are read.
    static let keysMax = 32
    /// No key is longer, in bytes.
    private static let bytesMax = 8_192

    struct File: Sendable {
        let path: String
        let pem: String
        /// When it was written.
        let writtenAt: Timestamp

        /// Its number, if it is one of those that rotation makes.
        var number: Int? {
            let name = path.split(separator: "/").last ?? ""
            guard name.hasPrefix("key-"), name.hasSuffix(".pem") else { return nil }
            return Int(name.dropFirst(4).dropLast(4))
        }
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
        try add(number: (try read().compactMap(\.number).max() ?? 0) + 1)
    }

    /// Adds a key when the newest was written `lifetimeSeconds` ago, and removes those whose successor was written
    /// `overlapSeconds` ago: nothing that they signed counts any more.
    ///
    /// Only numbered keys are looked at; without one nothing is done. Several processes may do so at once.
    func renew(lifetimeSeconds: Int64, overlapSeconds: Int64, at now: Timestamp) throws(KeyDirectoryError) -> KeyRenewal
    {
        let files = try read().filter { $0.number != nil }.sorted { ($0.number ?? 0) < ($1.number ?? 0) }
        guard let newest = files.last, let number = newest.number else { return KeyRenewal() }
        var renewal = KeyRenewal()
        for (file, successor) in zip(files, files.dropFirst())
        where successor.writtenAt.adding(seconds: overlapSeconds) <= now {
            guard unlink(file.path) == 0 || errno == ENOENT else { throw .system(path: file.path, code: errno) }
            renewal.removed += 1
        }
        if newest.writtenAt.adding(seconds: lifetimeSeconds) <= now {
            try add(number: number + 1)
            renewal.added = 1
        }
        return renewal
    }

    private func read(_ path: String) throws(KeyDirectoryError) -> File {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system(path: path, code: errno) }
        guard status.st_size <= KeyDirectory.bytesMax, let data = FileManager.default.contents(atPath: path),
            let pem = String(bytes: data, encoding: .utf8)
        else { throw .notAKey(path: path) }
        guard status.st_mode & 0o004 == 0 || !pem.contains("PRIVATE KEY") else { throw .readableByAll(path: path) }
        return File(path: path, pem: pem, writtenAt: Timestamp(seconds: Int64(status.st_mtim.tv_sec)))
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
