import Foundation
import Glibc

/// Where the embedded servers and the program itself keep their state.
public struct StateDirectory: Hashable, Sendable {
    /// The absolute path.
    public let path: String

    /// The directory at an absolute path; nothing is created.
    public init(_ path: String) { self.path = path }

    /// `home` if it is given (`DIBOAS_HOME`); else `.local` in the working directory, for root `/var/lib/diboas`.
    ///
    /// The servers of root run as unprivileged users, which can't reach a checkout under `/root`.
    public static func standard(home: String?) -> StateDirectory {
        standard(home: home, workingDirectory: FileManager.default.currentDirectoryPath, isRoot: geteuid() == 0)
    }

    static func standard(home: String?, workingDirectory: String, isRoot: Bool) -> StateDirectory {
        if let home, !home.isEmpty {
            return StateDirectory(home.hasPrefix("/") ? home : workingDirectory + "/" + home)
        }
        return StateDirectory(isRoot ? "/var/lib/diboas" : workingDirectory + "/.local")
    }

    /// A directory inside this one.
    func appending(_ name: String) -> StateDirectory { StateDirectory(path + "/" + name) }

    /// The path of a file in it.
    func file(_ name: String) -> String { path + "/" + name }

    /// Creates it with all above it if it isn't there, and sets its mode and owner.
    func create(mode: mode_t, owner: ServerAccount? = nil) throws(EmbeddedServerError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .system(call: "mkdir", path: path, errno: errno)
        }
        guard chmod(path, mode) == 0 else { throw .system(call: "chmod", path: path, errno: errno) }
        guard let owner else { return }
        guard chown(path, owner.uid, owner.gid) == 0 else { throw .system(call: "chown", path: path, errno: errno) }
    }

    /// Writes a file anew, whole or not at all.
    func write(_ text: String, to name: String, mode: mode_t) throws(EmbeddedServerError) {
        let (path, draft) = (file(name), file(name + ".new"))
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .system(call: "open", path: draft, errno: errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
            try handle.close()
        } catch {
            throw .system(call: "write", path: draft, errno: errno)
        }
        guard rename(draft, path) == 0 else { throw .system(call: "rename", path: path, errno: errno) }
    }

    /// The text of a file in it; nil if there is none or it isn't UTF-8.
    func read(_ name: String) -> String? { try? String(contentsOfFile: file(name), encoding: .utf8) }

    /// Removes what is in it, but not itself; what can't be removed stays.
    func empty() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names { try? FileManager.default.removeItem(atPath: file(name)) }
    }

    /// Removes it with all that is in it; what can't be removed stays.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
