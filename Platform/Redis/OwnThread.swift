import Glibc

/// A thread outside Swift's cooperative pool, for calls that block.
enum OwnThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread; the name is cut at 15 bytes by the system's rule and has to be shorter.
    static func start(name: StaticString, _ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            body.toOpaque()
        )
        precondition(status == 0, "the system gives no thread")
        name.withUTF8Buffer { bytes in
            _ = String(decoding: bytes, as: UTF8.self).withCString { pthread_setname_np(thread, $0) }
        }
        pthread_detach(thread)
    }
}
