import Kernel

/// A peer's GraphQL over HTTP: one document in one request.
struct GraphQL: Sendable {
    /// The longest message of a peer that is kept.
    private static let messageCharactersMax = 300

    /// Carries the documents: a post of JSON is the same for both.
    let http: JSONRPC

    /// The data of a document.
    ///
    /// - Throws: `refused` with the first error's message, where there is one.
    func ask(_ document: String, _ variables: JSON = .object([])) async throws(NodeError) -> JSON {
        let answer = try await http.post(["query": .string(document), "variables": variables])
        if let error = answer["errors"]?.elements?.first {
            let message = error["message"]?.stringValue ?? ""
            throw .refused(code: 0, message: String(message.prefix(Self.messageCharactersMax)))
        }
        guard let data = answer["data"], case .object = data else { throw .malformed("no data") }
        return data
    }
}
