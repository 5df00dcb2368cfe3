public import Kernel

extension APIResponse {
    /// A problem document as the answer to a request, where a handler must have its bytes, as to keep them under a key.
    public static func problem(_ problem: Problem, to request: ID<APIRequest>) -> APIResponse {
        ProblemDocument.response(problem, requestID: request.wire)
    }
}
