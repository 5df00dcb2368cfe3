import Foundation
import Testing

@testable import EmbeddedServers

@Suite struct `The state directory` {
    @Test(
        arguments: [
            (nil, false, "/w/.local"), (nil, true, "/var/lib/diboas"), ("", true, "/var/lib/diboas"),
            ("/h", false, "/h"), ("/h", true, "/h"), ("h", false, "/w/h"),
        ] as [(String?, Bool, String)]
    )
    func `is where it was asked for, else where the user's servers reach it`(home: String?, isRoot: Bool, path: String)
    {
        #expect(StateDirectory.standard(home: home, workingDirectory: "/w", isRoot: isRoot).path == path)
    }

    @Test func `a file is written whole, with its mode, over an older one`() throws {
        let directory = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { directory.remove() }
        try directory.write("one", to: "f", mode: 0o600)
        try directory.write("two", to: "f", mode: 0o600)
        #expect(directory.read("f") == "two")
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.file("f"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["f"])
    }

    @Test func `its lock is held by one, until it is released`() throws {
        let directory = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { directory.remove() }
        let lock = try DirectoryLock(directory)
        #expect(throws: EmbeddedServerError.inUse(directory: directory.path)) { try DirectoryLock(directory) }
        lock.release()
        lock.release()
        _ = try DirectoryLock(directory)
    }

    @Test func `a log quotes what was written since the start, and is cut when it is long`() throws {
        let directory = try StateDirectory.temporary(prefix: "diboas-embedded-")
        defer { directory.remove() }
        let path = directory.file("log")
        try Data("before\n".utf8).write(to: URL(fileURLWithPath: path))
        let log = ServerLog(path: path)
        let lines = (1...30).map { "line \($0)" }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(lines.joined(separator: "\n").utf8))
        #expect(log.lastLines == lines.suffix(ServerLog.quotedLinesMax).joined(separator: "\n"))
        try handle.truncate(atOffset: UInt64(ServerLog.bytesMax) + 1)
        _ = ServerLog(path: path)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(FileManager.default.fileExists(atPath: path + ".old"))
    }

    @Test func `a URL holds any path`() {
        #expect("/a b/%ü".percentEncoded == "%2Fa%20b%2F%25%C3%BC")
    }
}
