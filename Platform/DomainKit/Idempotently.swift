public import HTTP
public import Kernel
public import Ledger

/// Runs an operation whose ledger item carries the request's key, and keeps its refusals under the key too.
///
/// What the ledger decides is kept by its batch. A refusal that comes before (an unknown payee, compliance, fees) is
/// kept by an item without commands; if the key was used before, that answer is given instead, whatever has changed
/// since.
public func idempotently(
    _ request: APIRequest,
    _ ledger: Ledger,
    _ ids: IDGenerator,
    _ operation: () async throws -> APIResponse
) async throws -> APIResponse {
    do {
        return try await operation()
    } catch let error as any ProblemConvertible {
        let problem = error.problem
        // What is said of the key itself is no answer to the request.
        guard [403, 404, 409, 422].contains(problem.status), !problem.code.hasPrefix("idempotency_key_") else {
            throw error
        }
        let refusal = LedgerItem(
            operation: ids.next(),
            commands: [],
            idempotency: try request.scopedKey()
        ) { _, _ in
            LedgerItem.Finish(answer: StoredAnswer(.problem(problem, to: request.id)))
        }
        return try await ledger.submit(refusal).response()
    }
}
