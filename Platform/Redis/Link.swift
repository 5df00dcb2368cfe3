import CHiredis
import CoreMetrics
import Glibc
import Logging

/// What happened on a connection.
enum LinkEvent {
    /// It is made and logged in.
    case ready
    /// A reply or a message came.
    case received(RedisValue)
    /// It is gone; of the bytes queued on it the system had taken that many.
    case lost(bytesWritten: UInt64)
}

/// A connection that comes back by itself; used by one thread.
final class Link {
    enum Phase: Equatable {
        case off
        case waiting(until: Int64)
        case connecting(until: Int64)
        case greeting(until: Int64, repliesLeft: Int)
        case ready
    }

    private let name: String
    private let endpoint: RedisEndpoint
    private let configuration: RedisConfiguration
    private let metrics: RedisMetrics
    private let logger: Logger
    private var delay: ReconnectDelay
    private var random = SystemRandomNumberGenerator()
    private var socket: RedisSocket?
    private var wasReady = false
    /// Whether the present absence was told: one line for it, however many attempts fail.
    private var isAbsenceTold = false
    private(set) var phase = Phase.off
    /// When the server's last word came, in monotonic nanoseconds.
    private(set) var heardAt: Int64 = 0

    init(
        name: String,
        endpoint: RedisEndpoint,
        configuration: RedisConfiguration,
        metrics: RedisMetrics,
        logger: Logger
    ) {
        (self.name, self.endpoint, self.configuration) = (name, endpoint, configuration)
        (self.metrics, self.logger) = (metrics, logger)
        delay = ReconnectDelay(
            firstSeconds: configuration.reconnectFirstSeconds,
            maxSeconds: configuration.reconnectMaxSeconds
        )
    }

    var isReady: Bool { phase == .ready }
    var bytesQueued: UInt64 { socket?.bytesQueued ?? 0 }
    var bytesWritten: UInt64 { socket?.bytesWritten ?? 0 }

    /// What to wait for on which socket.
    var interest: pollfd {
        var events = Int32(POLLIN)
        if case .connecting = phase { events = Int32(POLLOUT) }
        if socket?.hasOutput == true { events |= Int32(POLLOUT) }
        return pollfd(fd: socket?.descriptor ?? -1, events: Int16(events), revents: 0)
    }

    /// When to step again even if nothing comes.
    var due: Int64 {
        switch phase {
        case .off, .ready: .max
        case .waiting(let until), .connecting(let until), .greeting(let until, _): until
        }
    }

    /// Begins to connect with the next step.
    func start() {
        if phase == .off { phase = .waiting(until: 0) }
    }

    /// Gives the connection up and stays away.
    func stop() { (socket, phase) = (nil, .off) }

    /// Queues bytes; the caller guarantees a ready link and flushes.
    func enqueue(_ bytes: [UInt8]) { socket?.enqueue(bytes) }

    /// Does what is due; `revents` is what poll said of the socket.
    func step(_ now: Int64, revents: Int16, events: inout [LinkEvent]) {
        do throws(ConnectionFailure) {
            switch phase {
            case .off: return
            case .waiting(let until): if now >= until { try connect(now) }
            case .connecting(let until):
                if revents != 0 { try greet(until) } else if now >= until { throw .connectTimeout }
            case .greeting(let until, _):
                if revents != 0 { try receive(now, &events) }
                if case .greeting = phase, now >= until { throw .connectTimeout }
            case .ready: if revents != 0 { try receive(now, &events) }
            }
        } catch { lose(error, now, &events) }
    }

    /// Writes what is queued.
    func flush(_ now: Int64, events: inout [LinkEvent]) {
        if case .connecting = phase { return }
        do throws(ConnectionFailure) { try socket?.flush() } catch { lose(error, now, &events) }
    }

    /// Gives the connection up and tries again after a delay.
    func lose(_ failure: ConnectionFailure, _ now: Int64, _ events: inout [LinkEvent]) {
        guard phase != .off else { return }
        logger.log(
            level: isAbsenceTold ? .debug : .warning,
            "redis connection lost",
            metadata: ["link": "\(name)", "server": "\(endpoint)", "reason": "\(failure)"]
        )
        isAbsenceTold = true
        let written = socket?.bytesWritten ?? 0
        socket = nil
        phase = .waiting(until: now + delay.next(using: &random))
        events.append(.lost(bytesWritten: written))
    }

    private func connect(_ now: Int64) throws(ConnectionFailure) {
        socket = try RedisSocket(connectingTo: endpoint.address, replyBytesMax: configuration.replyBytesMax)
        phase = .connecting(until: now + Monotonic.nanoseconds(configuration.connectTimeoutSeconds))
    }

    private func greet(_ until: Int64) throws(ConnectionFailure) {
        try socket?.finishConnecting()
        var greeting: [[any RedisArgument]] = []
        if let password = endpoint.password {
            greeting.append(endpoint.user.map { ["AUTH", $0, password] } ?? ["AUTH", password])
        }
        if endpoint.database != 0 { greeting.append(["SELECT", endpoint.database]) }
        // A server that still loads its data refuses this one, so it counts as away.
        greeting.append(["PING"])
        var bytes: [UInt8] = []
        for command in greeting { CommandBytes.append(command, to: &bytes) }
        socket?.enqueue(bytes)
        phase = .greeting(until: until, repliesLeft: greeting.count)
        try socket?.flush()
    }

    private func receive(_ now: Int64, _ events: inout [LinkEvent]) throws(ConnectionFailure) {
        heardAt = now
        var refusal: RedisRefusal?
        try socket?.receive { value in
            guard case .greeting(let until, let left) = phase else {
                events.append(.received(value))
                return
            }
            if case .refusal(let reason) = value { refusal = refusal ?? reason }
            phase = left > 1 ? .greeting(until: until, repliesLeft: left - 1) : .ready
            if left == 1, refusal == nil { becomeReady(&events) }
        }
        if let refusal { throw .refused(code: refusal.code) }
    }

    private func becomeReady(_ events: inout [LinkEvent]) {
        if wasReady { metrics.reconnects.increment() }
        (wasReady, isAbsenceTold) = (true, false)
        delay.reset()
        logger.info("redis connection ready", metadata: ["link": "\(name)", "server": "\(endpoint)"])
        events.append(.ready)
    }
}
