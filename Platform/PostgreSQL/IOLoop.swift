import CEpoll
import Foundation
import Synchronization
import Threads

/// One thread that waits on many sockets and runs what they are ready for; work is handed to it as closures.
///
/// libpq's calls on a connection happen here and nowhere else, so none blocks Swift's cooperative pool. A thread per
/// connection costs two context switches a query more and measured slower from four connections on.
///
/// `@unchecked Sendable`: `watchers` and `alarms` are touched by the loop's own thread alone.
final class IOLoop: @unchecked Sendable {
    /// What the loop tells a watcher about its socket.
    protocol Watcher: AnyObject {
        func ready()
        func tick(now: ContinuousClock.Instant)
    }

    private struct Mailbox {
        var work: [@Sendable () -> Void] = []
        var isAsleep = false
    }

    private static let tickMilliseconds: Int32 = 100
    private static let eventsMax = 64

    private let poll: Int32
    private let wake = WakeSignal()
    private let mailbox = Mutex(Mailbox())
    private var watchers: [Int32: any Watcher] = [:]
    private var alarms: [Alarm] = []

    /// The loop that pools share unless told otherwise.
    static let shared = IOLoop(name: "postgres-io")

    init(name: String) {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(poll >= 0, "no file descriptors left for an I/O loop")
        control(EPOLL_CTL_ADD, wake.descriptor, EPOLLIN.rawValue)
        let thread = Thread { [self] in run() }
        thread.name = name
        thread.start()
    }

    /// Has the loop's thread run `work`, soon and in order.
    func post(_ work: @escaping @Sendable () -> Void) {
        let mustWake = mailbox.withLock { mailbox in
            mailbox.work.append(work)
            defer { mailbox.isAsleep = false }
            return mailbox.isAsleep
        }
        if mustWake { wake.raise() }
    }

    /// Keeps an alarm until it is due.
    ///
    /// On the loop's thread only.
    func add(_ alarm: Alarm) { alarms.append(alarm) }

    /// Starts watching a socket for input.
    ///
    /// On the loop's thread only.
    func add(_ socket: Int32, _ watcher: any Watcher) {
        watchers[socket] = watcher
        control(EPOLL_CTL_ADD, socket, EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
    }

    /// Chooses whether to be told of room to write too.
    ///
    /// On the loop's thread only.
    func wantsWrite(_ socket: Int32, _ wants: Bool) {
        let events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | (wants ? EPOLLOUT.rawValue : 0)
        control(EPOLL_CTL_MOD, socket, events)
    }

    /// Stops watching.
    ///
    /// On the loop's thread only, before the socket is closed.
    func remove(_ socket: Int32) {
        watchers[socket] = nil
        control(EPOLL_CTL_DEL, socket, 0)
    }

    private func control(_ operation: Int32, _ socket: Int32, _ events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
        epoll_ctl(poll, operation, socket, &event)
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: IOLoop.eventsMax)
        var lastTick = ContinuousClock.now
        while true {
            let (work, timeout) = takeWork()
            for item in work { item() }
            let count = epoll_wait(poll, &events, Int32(IOLoop.eventsMax), timeout)
            if timeout != 0 { mailbox.withLock { $0.isAsleep = false } }
            for index in 0..<Int(max(count, 0)) {
                let socket = events[index].data.fd
                if socket == wake.descriptor {
                    wake.clear()
                } else {
                    watchers[socket]?.ready()
                }
            }
            let now = ContinuousClock.now
            if now - lastTick > .milliseconds(Int64(IOLoop.tickMilliseconds)) {
                lastTick = now
                tick(now)
            }
        }
    }

    private func tick(_ now: ContinuousClock.Instant) {
        for watcher in Array(watchers.values) { watcher.tick(now: now) }
        guard !alarms.isEmpty else { return }
        for alarm in alarms where alarm.due <= now { alarm.ring() }
        alarms.removeAll { !$0.isPending }
    }

    /// What is to be done, and how long to wait for sockets after it: not at all when something was done.
    private func takeWork() -> ([@Sendable () -> Void], Int32) {
        mailbox.withLock { mailbox in
            guard mailbox.work.isEmpty else {
                let work = mailbox.work
                mailbox.work = []
                return (work, 0)
            }
            mailbox.isAsleep = true
            return ([], IOLoop.tickMilliseconds)
        }
    }
}
