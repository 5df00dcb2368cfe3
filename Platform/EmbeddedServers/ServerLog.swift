import Foundation
import Glibc

/// The file that a server writes its messages to, and how much of it is kept.
struct ServerLog: Sendable {
    let path: String
    /// At a start, a longer file becomes `….old`, so at most about twice this is kept between starts.
    static let bytesMax: Int64 = 10_000_000
    /// Lines that an error quotes.
    static let quotedLinesMax = 20
    private static let quotedBytesMax: UInt64 = 8_192

    private let offset: UInt64

    /// The log at a path, ready for a start; quotes what is written from now on.
    init(path: String) {
        self.path = path
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists && status.st_size > ServerLog.bytesMax { rename(path, path + ".old") }
        offset = exists && status.st_size <= ServerLog.bytesMax ? UInt64(status.st_size) : 0
    }

    /// The last lines since the start.
    var lastLines: String {
        guard let handle = FileHandle(forReadingAtPath: path), let end = try? handle.seekToEnd() else { return "" }
        let start = max(offset, end > ServerLog.quotedBytesMax ? end - ServerLog.quotedBytesMax : 0)
        guard (try? handle.seek(toOffset: start)) != nil, let data = try? handle.readToEnd() else { return "" }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        return lines.suffix(ServerLog.quotedLinesMax).joined(separator: "\n")
    }
}
