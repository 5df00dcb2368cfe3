import CPostgres
import DequeModule
import Synchronization

/// A libpq connection in pipeline mode, as the I/O loop's thread drives it.
///
/// `@unchecked Sendable`: created by the connecting thread and from then on touched by the loop's thread alone.
final class Link: IOLoop.Watcher, @unchecked Sendable {
    /// Prepared statements kept a connection; beyond it statements run unprepared.
    ///
    /// Ours number a few hundred.
    static let preparedMax = 1000

    let connection: OpaquePointer
    let socket: Int32
    private let loop: IOLoop
    private var inFlight: Deque<Batch> = []
    private var prepared: [StatementKey: String] = [:]
    private var namesGiven = 0
    private var wantsWrite = false
    private(set) var copy: CopyIn?
    private(set) var brokenBecause: String? {
        didSet { broken.store(true, ordering: .releasing) }
    }
    private let broken = Atomic(false)
    var onNotification: (@Sendable (Notification) -> Void)?
    var onBreak: (@Sendable () -> Void)?

    init(_ connection: OpaquePointer, loop: IOLoop) {
        (self.connection, self.loop) = (connection, loop)
        socket = PQsocket(connection)
    }

    /// Whether the session has ended; readable from any thread.
    var isBroken: Bool { broken.load(ordering: .acquiring) }

    func start() { loop.add(socket, self) }

    /// Ends the session and fails whatever was under way.
    func close(_ reason: String = "closed") {
        guard brokenBecause == nil else { return }
        brokenBecause = reason
        loop.remove(socket)
        PQfinish(connection)
        let lost = inFlight
        inFlight = []
        for batch in lost { batch.fail(reason) }
        copy?.fail(reason)
        copy = nil
        onBreak?()
    }

    func send(_ batch: Batch) {
        if let brokenBecause {
            batch.failUnsent(brokenBecause)
            return
        }
        for (index, statement) in batch.statements.enumerated() {
            guard send(statement, index: index, of: batch) else {
                inFlight.append(batch)
                close(errorMessage)
                return
            }
        }
        inFlight.append(batch)
        guard PQpipelineSync(connection) == 1 else { return close(errorMessage) }
        flush()
    }

    func start(_ copy: CopyIn) {
        if let brokenBecause {
            copy.fail(brokenBecause)
            return
        }
        self.copy = copy
        guard PQexitPipelineMode(connection) == 1, PQsendQuery(connection, copy.text) == 1 else {
            return close(errorMessage)
        }
        flush()
    }

    func ready() {
        guard brokenBecause == nil else { return }
        guard PQconsumeInput(connection) == 1 else { return close(errorMessage) }
        if wantsWrite { flush() }
        drain()
        while brokenBecause == nil, let notification = PQnotifies(connection) {
            onNotification?(
                Notification(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra)
                )
            )
            PQfreemem(notification)
        }
    }

    func tick(now: ContinuousClock.Instant) {
        if let oldest = inFlight.first, oldest.deadline < now { close("no answer within the deadline") }
    }

    private func send(_ statement: SQL, index: Int, of batch: Batch) -> Bool {
        let key = StatementKey(statement)
        if let name = prepared[key] {
            batch.add(.execute(statement: index))
            return sendPrepared(name, statement.parameters)
        }
        guard prepared.count < Link.preparedMax else {
            batch.add(.execute(statement: index))
            return sendUnprepared(statement)
        }
        namesGiven += 1
        let name = "s\(namesGiven)"
        batch.add(.prepare(key, name: name))
        guard PQsendPrepare(connection, name, key.text, Int32(key.types.count), key.types) == 1 else { return false }
        batch.add(.execute(statement: index))
        return sendPrepared(name, statement.parameters)
    }

    private func sendPrepared(_ name: String, _ parameters: Parameters) -> Bool {
        parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1) == 1
        }
    }

    private func sendUnprepared(_ statement: SQL) -> Bool {
        statement.parameters.withPointers { count, values, lengths, formats in
            PQsendQueryParams(
                connection,
                statement.text,
                count,
                statement.parameters.types,
                values,
                lengths,
                formats,
                1
            ) == 1
        }
    }

    private func flush() {
        let state = PQflush(connection)
        guard state >= 0 else { return close(errorMessage) }
        if wantsWrite != (state == 1) {
            wantsWrite = state == 1
            loop.wantsWrite(socket, wantsWrite)
        }
    }

    private func drain() {
        if let copy {
            drainCopy(copy)
            return
        }
        while brokenBecause == nil, let batch = inFlight.first, PQisBusy(connection) == 0 {
            guard let result = PQgetResult(connection) else {
                // Of a server that is out of step libpq says so again and again.
                guard batch.stepIsDone() else { return close("answers to what wasn't asked") }
                continue
            }
            let status = PQresultStatus(result)
            if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH {
                PQclear(result)
                return close("a copy that wasn't asked for")
            }
            if status == PGRES_PIPELINE_SYNC {
                PQclear(result)
                inFlight.removeFirst()
                batch.finish()
                continue
            }
            switch batch.take(result, status: status) {
            case .prepared(let key, let name): prepared[key] = name
            case .stale(let key): prepared[key] = nil
            case nil: break
            }
        }
        if inFlight.isEmpty, PQstatus(connection) != CONNECTION_OK { close(errorMessage) }
    }

    private func drainCopy(_ copy: CopyIn) {
        while PQisBusy(connection) == 0 {
            guard let result = PQgetResult(connection) else {
                self.copy = nil
                guard PQenterPipelineMode(connection) == 1 else { return close(errorMessage) }
                return copy.finish()
            }
            if [PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(result)) {
                PQclear(result)
                return close("copy to the client is not supported")
            }
            if copy.take(result) == .sendData {
                for chunk in copy.chunks {
                    let sent = chunk.withUnsafeBytes { bytes in
                        PQputCopyData(connection, bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count))
                    }
                    // Nonblocking and no room: libpq enlarges its buffer instead, so 0 doesn't come; below 0 is broken.
                    guard sent == 1 else { return close(errorMessage) }
                }
                guard PQputCopyEnd(connection, nil) == 1 else { return close(errorMessage) }
                flush()
            }
        }
    }

    private var errorMessage: String {
        String(cString: PQerrorMessage(connection)).split(separator: "\n").first.map(String.init) ?? "connection broken"
    }
}

extension Parameters {
    /// Lends the values as libpq wants them: pointers, lengths and formats (all binary).
    func withPointers<Answer>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Answer
    ) -> Answer {
        guard count > 0 else { return body(0, nil, nil, nil) }
        // One byte stands in for an empty buffer, since a null pointer would mean SQL null.
        return (bytes.isEmpty ? [0] : bytes).withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                    for index in 0..<count {
                        values[index] = lengths[index] < 0 ? nil : base?.advanced(by: Int(offsets[index]))
                        formats[index] = 1
                    }
                    return body(Int32(count), values.baseAddress, lengths, formats.baseAddress)
                }
            }
        }
    }
}
