import Kernel
import OutboundHTTP

/// A peer's JSON-RPC 2.0 over HTTP: one method, or several in one request.
struct JSONRPC: Sendable {
    /// One call.
    struct Call: Sendable {
        let method: String
        let parameters: [JSON]

        init(_ method: String, _ parameters: JSON...) { (self.method, self.parameters) = (method, parameters) }
    }

    /// A full block of Ethereum with 30 million gas is below this.
    static let answerBytesMax = 16 << 20
    /// Calls of one request; what is more goes in several.
    static let batchMax = 100
    /// The longest message of a node that is kept.
    private static let messageCharactersMax = 200

    let url: String
    let http: HTTPClient
    var deadlineSeconds = 10.0
    /// Beside those of every request: who asks.
    var headers: [OutboundHeader] = []
    var answerBytesMax = JSONRPC.answerBytesMax

    /// The result of one call.
    func call(_ method: String, _ parameters: JSON...) async throws(NodeError) -> JSON {
        let answer = try await post(request(method, parameters, id: 1))
        return try result(in: answer, id: 1)
    }

    /// The results of calls in their order; nil for one that is refused.
    func calls(_ calls: [Call]) async throws(NodeError) -> [JSON?] {
        var results: [JSON?] = []
        for start in stride(from: 0, to: calls.count, by: JSONRPC.batchMax) {
            let part = calls[start..<min(start + JSONRPC.batchMax, calls.count)]
            results += try await batch(Array(part))
        }
        return results
    }

    private func batch(_ calls: [Call]) async throws(NodeError) -> [JSON?] {
        let requests = calls.enumerated().map { request($1.method, $1.parameters, id: $0 + 1) }
        guard let answers = try await post(.array(requests)).elements else { throw .malformed("no batch") }
        // A peer may answer in any order (JSON-RPC 2.0, §6).
        var byID: [Int: JSON] = [:]
        for answer in answers {
            if let id = answer["id"]?.integerValue { byID[id] = answer }
        }
        var results: [JSON?] = []
        for id in 1...calls.count {
            guard let answer = byID[id] else { throw .malformed("an answer is missing in the batch") }
            do throws(NodeError) {
                results.append(try result(in: answer, id: id))
            } catch {
                guard case .refused = error else { throw error }
                results.append(nil)
            }
        }
        return results
    }

    private func request(_ method: String, _ parameters: [JSON], id: Int) -> JSON {
        ["jsonrpc": "2.0", "id": .integer(id), "method": .string(method), "params": .array(parameters)]
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
