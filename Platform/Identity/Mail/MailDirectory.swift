public import Cryptography
import Foundation
import Glibc
public import Kernel

/// Messages as files in a directory, one each (RFC 5322): for a mail server that picks them up, and for development,
/// where they are read there.
public struct MailDirectory: MailTransport {
    /// Why a message can't be written.
    public enum Failure: Error, Sendable, Hashable {
        /// The system refused; the code is its errno.
        case system(code: Int32)
        /// Nobody picks the messages up.
        case full
    }

    /// Messages that may lie there; nobody picks them up when there are more.
    public static let messagesMax = 10_000

    private let path: String
    private let threads: WorkerThreads
    private let clock: any WallClock

    /// A directory, which is made when it isn't there; files are written on `threads`.
    public init(path: String, threads: WorkerThreads, clock: any WallClock = SystemClock()) {
        (self.path, self.threads, self.clock) = (path, threads, clock)
    }

    /// Writes the message under another name first, so that nobody picks up half of it; its owner alone may read it.
    ///
    /// - Throws: a `Failure`, or `WorkerThreads.QueueFull`.
    public func deliver(_ mail: Mail) async throws {
        let path = path
        let name = "\(clock.now().microseconds)-\(Hex.encode(RandomBytes.make(8)))"
        let text = "To: \(mail.to)\r\nSubject: \(mail.subject)\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        let bytes = Data((text + mail.text + "\r\n").utf8)
        try await threads.run { Result { try MailDirectory.write(bytes, name, in: path) } }.get()
    }

    private static func write(_ bytes: Data, _ name: String, in path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        guard try FileManager.default.contentsOfDirectory(atPath: path).count < messagesMax else { throw Failure.full }
        let draft = path + "/.\(name)"
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: draft, contents: bytes, attributes: attributes) else {
            throw Failure.system(code: errno)
        }
        guard rename(draft, path + "/\(name).eml") == 0 else { throw Failure.system(code: errno) }
    }
}
