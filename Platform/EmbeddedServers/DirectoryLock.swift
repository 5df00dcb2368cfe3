import Glibc
import Synchronization

/// A directory that one process at a time works in.
///
/// The kernel lets go of it when the process ends, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Takes it at once or throws `.inUse`.
    init(_ directory: StateDirectory) throws(EmbeddedServerError) {
        let path = directory.file("lock")
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(directory: directory.path)
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Lets go of it; a second time does nothing.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }
}
