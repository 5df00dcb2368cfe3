import Dispatch
import Foundation
import Glibc
import Synchronization

/// A program that we started.
///
/// A thread of its own starts it, waits for it and reaps it. That thread lives as long as the program: the kernel sends
/// a parent-death signal when the *thread* that started the child ends, not the process (prctl(2), PR_SET_PDEATHSIG).
final class Child: Sendable {
    /// How a program ended.
    enum Exit: Hashable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .status(let code): "exit code \(code)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    let pid: pid_t
    private let exit = Mutex<Exit?>(nil)
    private let gone = DispatchGroup()

    private init(pid: pid_t) {
        self.pid = pid
        gone.enter()
    }

    /// Starts a command; throws `.system` if the kernel refuses.
    static func start(_ command: Command) async throws(EmbeddedServerError) -> Child {
        let started = await withCheckedContinuation {
            (starting: CheckedContinuation<Result<Child, EmbeddedServerError>, _>) in
            let thread = Thread {
                do throws(EmbeddedServerError) {
                    let child = Child(pid: try command.spawn())
                    starting.resume(returning: .success(child))
                    child.reap()
                } catch {
                    starting.resume(returning: .failure(error))
                }
            }
            thread.name = "child"
            thread.start()
        }
        return try started.get()
    }

    /// Runs a command to its end.
    static func run(_ command: Command) async throws(EmbeddedServerError) -> Exit {
        await (try start(command)).ended()
    }

    /// How it ended, nil while it runs.
    var hasEnded: Exit? { exit.withLock { $0 } }

    /// Sends a signal, unless it has ended: its pid may belong to somebody else by then.
    func signal(_ number: Int32) {
        exit.withLock { exit in
            guard exit == nil else { return }
            _ = kill(pid, number)
        }
    }

    /// Sends a signal after a while, unless it has ended by then.
    func signal(_ number: Int32, afterSeconds: Int) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(afterSeconds)) { [weak self] in
            self?.signal(number)
        }
    }

    /// Waits for the end; a cancelled task waits too, for a server must be gone before its files are.
    func ended() async -> Exit {
        await withCheckedContinuation { waiting in
            gone.notify(queue: .global()) { waiting.resume() }
        }
        guard let exit = hasEnded else { preconditionFailure("a child that is gone without having ended") }
        return exit
    }

    /// Waits for the end, or for the cancellation of the task: then nil.
    func endedUnlessCancelled() async -> Exit? {
        let ends = AsyncStream<Never> { stream in
            gone.notify(queue: .global()) { stream.finish() }
        }
        for await _ in ends {}
        return hasEnded
    }

    /// Blocks the calling thread until the end, for the way out of the process only; false when the time ran out.
    func blockUntilEnded(seconds: Int) -> Bool {
        gone.wait(timeout: .now() + .seconds(seconds)) == .success
    }

    private func reap() {
        // Waits without reaping first: the pid stays ours until the lock is held, so that no signal goes astray.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1 && errno == EINTR {}
        exit.withLock { exit in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            // The macros WIFSIGNALED and WEXITSTATUS, which Swift doesn't import: wait(2).
            let signal = status & 0x7f
            exit = signal == 0 ? .status((status >> 8) & 0xff) : .signal(signal)
        }
        gone.leave()
    }
}
