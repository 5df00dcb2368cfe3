import HTTPTypes
import Kernel
import Metrics

/// Holds what is read of a request against private material, before anything is checked, stored, logged or echoed.
struct RequestScreen: Sendable {
    let finder: (any PrivateMaterialFinder)?
    let metrics: any MetricsFactory

    /// Path, query and header fields.
    ///
    /// - Throws: 422 `private_material`.
    func check(_ head: RequestHead) throws(Problem) {
        guard finder != nil else { return }
        for part in [head.path, head.query] where !part.isEmpty {
            // What can't be decoded is refused later; as it stands it may still be private.
            try check(PercentDecoding.decode(part, plusIsSpace: true) ?? String(part))
        }
        for field in head.fields { try check(field.value) }
    }

    /// A body that is JSON.
    ///
    /// - Throws: 422 `private_material`.
    func check(_ json: JSON) throws(Problem) {
        if let kind = finder?.privateMaterial(in: json) { throw refusal(kind) }
    }

    /// Bytes that nobody has read yet: a raw body, or the message of a WebSocket.
    ///
    /// - Throws: 422 `private_material`.
    func check(raw bytes: [UInt8]) throws(Problem) {
        guard finder != nil else { return }
        try check(String(decoding: bytes, as: UTF8.self))
        // In JSON an escape can stand for any character of a word.
        guard bytes.contains(UInt8(ascii: "\\")),
            let json = try? JSON.parse(bytes, limits: JSON.Limits(bytesMax: bytes.count))
        else { return }
        try check(json)
    }

    /// Why the connection that a message came by is closed; nil for a message that may pass.
    func refusal(ofMessage text: String) -> WebSocketClose? {
        do throws(Problem) {
            try check(raw: Array(text.utf8))
            return nil
        } catch {
            return WebSocketClose(.policy, error.code)
        }
    }

    private func check(_ text: String) throws(Problem) {
        if let kind = finder?.privateMaterial(in: text) { throw refusal(kind) }
    }

    private func refusal(_ kind: String) -> Problem {
        Counter(label: "http_private_material_refusals_total", dimensions: [("kind", kind)], factory: metrics)
            .increment()
        return .privateMaterial(kind)
    }
}
