import Kernel
import OutboundHTTP

/// A peer's JSON-RPC 2.0 over HTTP: one method, or several in one request.
struct JSONRPC: Sendable {
    /// One call.
    struct Call: Sendable {
        let method: String
        let parameters: [JSON]

        init(_ method: String, _ parameters: JSON...) { self.init(method, parameters) }
        init(_ method: String, _ parameters: [JSON]) { (self.method, self.parameters) = (method, parameters) }
    }

    /// A full block of Ethereum with 30 million gas is below this.
    static let answerBytesMax = 16 << 20
    /// Calls of one request; what is more goes in several.
    static let batchMax = 100
    /// Requests of one question that are on their way at once.
    static let requestsMax = 4
    /// The longest message of a node that is kept.
    private static let messageCharactersMax = 200

    let url: String
    let http: HTTPClient
    var deadlineSeconds = 10.0
    /// Beside those of every request: who asks.
    var headers: [OutboundHeader] = []
    var answerBytesMax = JSONRPC.answerBytesMax
    /// What puts calls that wait at the same time into the same requests; nil where each is one of its own.
    private(set) var batches: CallBatches?

    /// The same peer, where calls that wait at the same time go with the same requests.
    var gathering: JSONRPC {
        var rpc = self
        rpc.batches = CallBatches { calls throws(NodeError) in try await self.answers(ofOne: calls) }
        return rpc
    }

    /// The result of one call.
    func call(_ method: String, _ parameters: JSON...) async throws(NodeError) -> JSON {
        let call = Call(method, parameters)
        if let batches { return try await batches.answers(to: [call])[0].get() }
        return try result(in: try await post(request(call, id: 1)), id: 1)
    }

    /// The results of calls in their order; nil for one that is refused.
    ///
    /// Some of the requests that they take are on their way at the same time.
    func calls(_ calls: [Call]) async throws(NodeError) -> [JSON?] {
        let parts = stride(from: 0, to: calls.count, by: JSONRPC.batchMax).map { start in
            Array(calls[start..<min(start + JSONRPC.batchMax, calls.count)])
        }
        var results: [JSON?] = []
        for part in await answers(of: parts) {
            for answer in try part.get() {
                if case .failure(.refused) = answer { results.append(nil) } else { results.append(try answer.get()) }
            }
        }
        return results
    }

    /// The answers to each of several lists of calls, a request each.
    private func answers(of parts: [[Call]]) async -> [Result<[Result<JSON, NodeError>], NodeError>] {
        typealias Answers = Result<[Result<JSON, NodeError>], NodeError>
        return await withTaskGroup(of: (place: Int, answers: Answers).self) { group in
            var answers = parts.map { _ in Answers.success([]) }
            for (place, part) in parts.enumerated() {
                if place >= JSONRPC.requestsMax, let (place, answer) = await group.next() {
                    answers[place] = answer
                    // Those that were not asked come after it.
                    if case .failure = answer { break }
                }
                group.addTask { (place, await self.answered(part)) }
            }
            for await (place, answer) in group { answers[place] = answer }
            return answers
        }
    }

    private func answered(_ calls: [Call]) async -> Result<[Result<JSON, NodeError>], NodeError> {
        do throws(NodeError) {
            return .success(try await answers(ofOne: calls))
        } catch {
            return .failure(error)
        }
    }

    /// What each of some calls gave, in their order; at most `batchMax`, in one request.
    ///
    /// - Throws: what is wrong with all of the answer.
    func answers(ofOne calls: [Call]) async throws(NodeError) -> [Result<JSON, NodeError>] {
        if let batches { return await batches.answers(to: calls) }
        let requests = calls.enumerated().map { request($1, id: $0 + 1) }
        guard let answers = try await post(.array(requests)).elements else { throw .malformed("no batch") }
        // A peer may answer in any order (JSON-RPC 2.0, §6).
        var byID: [Int: JSON] = [:]
        for answer in answers {
            if let id = answer["id"]?.integerValue { byID[id] = answer }
        }
        var results: [Result<JSON, NodeError>] = []
        for id in 1...calls.count {
            guard let answer = byID[id] else { throw .malformed("an answer is missing in the batch") }
            do throws(NodeError) {
                results.append(.success(try result(in: answer, id: id)))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    private func request(_ call: Call, id: Int) -> JSON {
        ["jsonrpc": "2.0", "id": .integer(id), "method": .string(call.method), "params": .array(call.parameters)]
    }

    /// The answer to a document.
    func post(_ body: JSON) async throws(NodeError) -> JSON {
        var request = OutboundRequest(
            .post,
            url,
            headers: [OutboundHeader("Content-Type", "application/json")] + headers,
            body: body.serialized()
        )
        request.deadlineSeconds = deadlineSeconds
        request.responseBytesMax = answerBytesMax
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await http.send(request)
        } catch {
            throw .unreachable(error.delivery, why: error.reason.code)
        }
        guard response.status == 200 else {
            throw .unreachable(.outcomeUnknown, why: "status \(response.status)")
        }
        do throws(JSONError) {
            return try JSON.parse(response.body, limits: JSON.Limits(bytesMax: answerBytesMax))
        } catch {
            throw .malformed(error.code)
        }
    }

    private func result(in answer: JSON, id: Int) throws(NodeError) -> JSON {
        guard answer["id"]?.integerValue == id else { throw .malformed("another id") }
        if let error = answer["error"], error != .null {
            throw .refused(
                code: error["code"]?.integerValue ?? 0,
                message: String((error["message"]?.stringValue ?? "").prefix(JSONRPC.messageCharactersMax))
            )
        }
        guard let result = answer["result"] else { throw .malformed("neither result nor error") }
        return result
    }
}
