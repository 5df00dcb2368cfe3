import Foundation
import Glibc
import Measuring
import Synchronization

/// Sends requests over kept connections, from one thread that does nothing else.
struct LoadGenerator: Sendable {
    /// How long the last answers may take.
    private static let lastAnswerSeconds = 30.0

    let address: LocalAddress
    let connections: Int

    /// Sends as fast as answers come, or so many requests a second, for some seconds.
    ///
    /// At a rate, a request counts from when it was due, whether or not a connection was free: a stall is seen by every
    /// request that it held up.
    ///
    /// - Throws: `ConnectionFailure`, of the first answer that isn't as expected too.
    func run(_ source: RequestSource, seconds: Double, perSecond: Double?) async throws -> Round {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    var run = try LoadRun(self, source, seconds: seconds, perSecond: perSecond)
                    continuation.resume(returning: try run.complete(lastAnswerSeconds: LoadGenerator.lastAnswerSeconds))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

/// One round of load.
private struct LoadRun: ~Copyable {
    /// Numbers of requests go on from round to round, since their keys must not come again.
    private static let numbers = Atomic(0)
    private static let napMicroseconds = 100.0

    private let source: RequestSource
    private let start = ContinuousClock.now
    private let end: ContinuousClock.Instant
    private let step: Duration?
    private let lanes: [Lane]
    private var idle: [Int]
    private var begun: [ContinuousClock.Instant]
    private var sent = 0
    private var latencies: [Double] = []
    private var lastAnswer = ContinuousClock.now

    /// Holds a connection, which can't be copied, in an array.
    private final class Lane {
        var connection: HTTPConnection
        init(_ socket: Int32) { connection = HTTPConnection(socket: socket) }
    }

    init(_ load: LoadGenerator, _ source: RequestSource, seconds: Double, perSecond: Double?) throws {
        self.source = source
        lanes = try (0..<load.connections).map { _ in Lane(try load.address.connect()) }
        idle = Array(lanes.indices)
        begun = Array(repeating: .now, count: lanes.count)
        end = start + .seconds(seconds)
        step = perSecond.map { .seconds(1 / $0) }
    }

    mutating func complete(lastAnswerSeconds: Double) throws -> Round {
        while true {
            let now = ContinuousClock.now
            try sendWhatIsDue(now)
            let underWay = lanes.count - idle.count
            if underWay == 0, nextDue == nil { break }
            guard now < end + .seconds(lastAnswerSeconds) else { throw ConnectionFailure.unanswered(underWay) }
            try receive(waitingAtMost: nextDue.map { $0 - now } ?? .milliseconds(100))
        }
        return Round(
            operations: latencies.count,
            seconds: (lastAnswer - start).inSeconds,
            latencies: Latencies(milliseconds: latencies)
        )
    }

    /// When the next request is to be sent; nil when there is none any more.
    private var nextDue: ContinuousClock.Instant? {
        let due = step.map { start + $0 * sent } ?? .now
        return due < end ? due : nil
    }

    private mutating func sendWhatIsDue(_ now: ContinuousClock.Instant) throws {
        while let due = nextDue, due <= now || step == nil, let lane = idle.popLast() {
            let number = LoadRun.numbers.add(1, ordering: .relaxed).newValue
            begun[lane] = step == nil ? .now : due
            try lanes[lane].connection.send(source.request(number))
            sent += 1
        }
    }

    private mutating func receive(waitingAtMost patience: Duration) throws {
        let resting = Set(idle)
        let busy = lanes.indices.filter { !resting.contains($0) }
        var polled = busy.map { pollfd(fd: lanes[$0].connection.socket, events: Int16(POLLIN), revents: 0) }
        // With every connection busy, nothing can be sent before an answer comes.
        let patience = idle.isEmpty ? Duration.milliseconds(100) : max(.zero, min(patience, .milliseconds(100)))
        let ready = poll(&polled, nfds_t(polled.count), Int32(patience.inSeconds * 1000))
        guard ready >= 0 || errno == EINTR else { throw ConnectionFailure.system(call: "poll", errno: errno) }
        if ready == 0, patience < .milliseconds(1) {
            // poll counts in milliseconds, requests come closer together. Spinning would take a core from the server.
            usleep(UInt32(min(LoadRun.napMicroseconds, patience.inSeconds * 1e6)))
        }
        for (lane, state) in zip(busy, polled) where state.revents != 0 {
            guard let answer = try lanes[lane].connection.receive() else { continue }
            guard answer.status == source.expectedStatus else {
                throw ConnectionFailure.unexpected(
                    status: answer.status,
                    body: String(decoding: answer.body, as: UTF8.self)
                )
            }
            lastAnswer = .now
            latencies.append((lastAnswer - begun[lane]).inSeconds * 1000)
            idle.append(lane)
        }
    }
}
