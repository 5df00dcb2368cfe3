import CPostgres

/// A script of plain statements, or a `copy … from stdin` with its data.
///
/// `@unchecked Sendable`: after its hand-over it is touched by the I/O loop's thread alone.
final class CopyIn: @unchecked Sendable {
    enum Next { case sendData, wait }

    let text: String
    let chunks: [[UInt8]]
    private let continuation: UnsafeContinuation<[Rows], any Error>
    private var results: [Rows] = []
    private var failure: PostgresError?

    init(text: String, chunks: [[UInt8]], continuation: UnsafeContinuation<[Rows], any Error>) {
        (self.text, self.chunks, self.continuation) = (text, chunks, continuation)
    }

    func take(_ result: OpaquePointer) -> Next {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_COPY_IN:
            PQclear(result)
            return .sendData
        case PGRES_FATAL_ERROR:
            if failure == nil { failure = .refused(PostgresError.Refusal(result, statement: text)) }
            PQclear(result)
        default:
            results.append(Rows(result))
        }
        return .wait
    }

    func finish() {
        if let failure { continuation.resume(throwing: failure) } else { continuation.resume(returning: results) }
    }

    func fail(_ message: String) { continuation.resume(throwing: failure ?? .outcomeUnknown(message)) }
}
