import CoreMetrics
import Glibc

/// The connection for commands: writes them as they are handed in and gives each its reply, in order.
///
/// Used by one thread.
final class CommandLane {
    private struct Sent {
        let commands: PendingReplies
        /// Where its first byte stands among all bytes of the connection.
        let startsAt: UInt64
        var repliesLeft: Int
    }

    private let link: Link
    private let submissions: Submissions
    private let metrics: RedisMetrics
    private let commandTimeout: Int64
    private let heartbeat: Int64
    private let stall: Int64
    private var awaiting = PendingQueue<Sent>()
    private var current: Sent?
    /// Bytes of the connection that no longer count as outgoing.
    private var settledBytes: UInt64 = 0
    private var events: [LinkEvent] = []
    /// No command's waiting ends before that; a lower bound, made exact when it is reached.
    private var nextDeadline = Int64.max

    init(link: Link, submissions: Submissions, configuration: RedisConfiguration, metrics: RedisMetrics) {
        (self.link, self.submissions, self.metrics) = (link, submissions, metrics)
        commandTimeout = Monotonic.nanoseconds(configuration.commandTimeoutSeconds)
        heartbeat = Monotonic.nanoseconds(configuration.heartbeatSeconds)
        stall = Monotonic.nanoseconds(configuration.stallSeconds)
        link.start()
    }

    var interest: pollfd { link.interest }

    /// When to step again even if nothing comes.
    var due: Int64 {
        guard link.isReady else { return link.due }
        guard let oldest else { return link.heardAt + heartbeat }
        return min(nextDeadline, oldest.commands.deadline + stall)
    }

    /// Does what is due.
    func step(_ now: Int64, revents: Int16) {
        link.step(now, revents: revents, events: &events)
        handleEvents()
        if link.isReady {
            send(submissions.take())
            if oldest == nil, now - link.heardAt >= heartbeat { sendHeartbeat(now) }
            link.flush(now, events: &events)
            settleWritten()
            if now >= nextDeadline { expire(now) }
            if let oldest, now >= oldest.commands.deadline + stall { link.lose(.stalled, now, &events) }
        } else {
            link.flush(now, events: &events)
        }
        handleEvents()
    }

    /// Answers everybody and ends.
    func stop() {
        link.stop()
        for commands in submissions.close(forGood: true) { fail(commands, .unavailable) }
        abandon(bytesWritten: .max)
    }

    private var oldest: Sent? { current ?? awaiting.first }

    private func handleEvents() {
        for event in events {
            switch event {
            case .ready:
                // The greeting was not counted.
                settledBytes = link.bytesWritten
                submissions.open()
            case .received(let value): deliver(value)
            case .lost(let bytesWritten):
                let unsent = submissions.close(forGood: false)
                abandon(bytesWritten: bytesWritten)
                for commands in unsent { fail(commands, .unavailable) }
            }
        }
        events.removeAll(keepingCapacity: true)
    }

    private func send(_ submitted: [PendingReplies]) {
        for commands in submitted {
            // Cancelled before it was written: the server never sees it.
            guard !commands.isAnswered else {
                submissions.count(commands: -commands.count, bytes: -commands.bytes.count)
                continue
            }
            awaiting.append(Sent(commands: commands, startsAt: link.bytesQueued, repliesLeft: commands.count))
            link.enqueue(commands.bytes)
            nextDeadline = min(nextDeadline, commands.deadline)
        }
    }

    private func sendHeartbeat(_ now: Int64) {
        var bytes: [UInt8] = []
        CommandBytes.append(["PING"], to: &bytes)
        let ping = PendingReplies(bytes: bytes, count: 1, submittedAt: now, deadline: now + commandTimeout)
        submissions.count(commands: 1, bytes: bytes.count)
        send([ping])
    }

    private func settleWritten() {
        guard link.bytesWritten > settledBytes else { return }
        submissions.count(commands: 0, bytes: -Int(link.bytesWritten - settledBytes))
        settledBytes = link.bytesWritten
    }

    private func deliver(_ value: RedisValue) {
        if current == nil { current = awaiting.popFirst() }
        guard var sent = current else { return }
        // There is room for the next command before the one who waits can send it.
        submissions.count(commands: -1, bytes: 0)
        sent.commands.receive(value)
        sent.repliesLeft -= 1
        metrics.commands.increment()
        if case .refusal(let refusal) = value { metrics.count(.refused(refusal)) }
        if sent.repliesLeft == 0 {
            metrics.latency.recordNanoseconds(Monotonic.now() - sent.commands.submittedAt)
            current = nil
        } else {
            current = sent
        }
    }

    /// Ends the waiting for late replies; they keep their place in the queue, so that the others still find theirs.
    private func expire(_ now: Int64) {
        nextDeadline = .max
        func check(_ sent: Sent) {
            guard !sent.commands.isAnswered else { return }
            if now >= sent.commands.deadline {
                fail(sent.commands, .deadlineExceeded)
            } else {
                nextDeadline = min(nextDeadline, sent.commands.deadline)
            }
        }
        if let current { check(current) }
        awaiting.forEach(check)
    }

    /// Answers everything that is on its way: what the system had not taken was surely not executed.
    private func abandon(bytesWritten: UInt64) {
        while let sent = current ?? awaiting.popFirst() {
            current = nil
            fail(sent.commands, sent.startsAt >= bytesWritten ? .unavailable : .connectionLost)
        }
        (settledBytes, nextDeadline) = (0, .max)
    }

    private func fail(_ commands: PendingReplies, _ error: RedisError) {
        guard commands.fail(error) else { return }
        metrics.count(error)
    }
}
