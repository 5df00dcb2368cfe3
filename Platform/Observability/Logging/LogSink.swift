import Glibc
import Synchronization

/// Where lines of a log go.
public protocol LogSink: Sendable {
    /// Writes one line, its newline included. Lines of several threads don't mix.
    func write(_ line: [UInt8])
}

/// Standard error, one write per line.
public struct StandardErrorSink: LogSink {
    private static let turn = Mutex(())

    /// Standard error.
    public init() {}

    /// Writes a line; what the system refuses is dropped, since there is nowhere else to say so.
    public func write(_ line: [UInt8]) {
        StandardErrorSink.turn.withLock { _ in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let written = Glibc.write(
                        STDERR_FILENO,
                        UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                        rest.count
                    )
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { return }
                    rest = rest.dropFirst(written)
                }
            }
        }
    }
}

/// Lines in memory, for tests.
public final class MemorySink: LogSink {
    private let written = Mutex<[String]>([])

    /// A sink without lines.
    public init() {}

    /// Keeps a line.
    public func write(_ line: [UInt8]) { written.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }

    /// The lines so far, each with its newline.
    public var lines: [String] { written.withLock { $0 } }
}
