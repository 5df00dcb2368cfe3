public import Kernel

/// What a client asked for of a list: how many entries, after which one.
public struct Page: Sendable {
    /// The most entries of a page.
    public static let limitMax = 100
    /// The entries of a page when the client doesn't say.
    public static let limitDefault = 25

    /// How many entries to answer with, 1 to `limitMax`.
    ///
    /// Read one more to know whether there is another page.
    public let limit: Int
    /// After which entry; nil for the first page.
    public let after: Cursor?
    private let signer: CursorSigner
    private let filters: [String]
    private let path: String
    private let query: [(name: String, value: String)]

    /// What a request to a route with `Parameter.paging` asks for.
    ///
    /// The cursor is bound to the path, the caller and every other parameter of the request.
    /// - Throws: 422 `bad_cursor` for a cursor that we didn't make, or made for another list.
    public init(_ request: APIRequest, signer: CursorSigner) throws(Problem) {
        let others = request.parameters.filter { $0.key != "cursor" && $0.key != "limit" }
            .map { (name: $0.key, value: Page.text($0.value)) }.sorted { $0.name < $1.name }
        let caller = request.principal?.user.description ?? ""
        filters = [request.path, caller] + others.flatMap { [$0.name, $0.value] }
        limit = request.integer("limit") ?? Page.limitDefault
        after = if let text = request.text("cursor") { try signer.open(text, filters: filters) } else { nil }
        (self.signer, self.path) = (signer, request.path)
        query = try Query(request.rawQuery[...]).pairs.filter { $0.name != "cursor" }
    }

    /// The answer with `data` and `next_cursor`, and the header `Link` where there is another page.
    ///
    /// - Parameters:
    ///   - entries: the entries that were read, at most `limit + 1`; the surplus one isn't answered.
    ///   - position: the position of an entry.
    ///   - encode: an entry as JSON.
    /// - Returns: 200 with the page.
    public func response<Entry>(
        _ entries: [Entry],
        position: (Entry) -> Cursor,
        encode: (Entry) -> JSON
    ) -> APIResponse {
        let shown = entries.prefix(limit)
        let next = entries.count > limit ? shown.last.map { signer.sign(position($0), filters: filters) } : nil
        let body: JSON = [
            "data": .array(shown.map(encode)), "next_cursor": next.map { .string($0) } ?? .null,
        ]
        let response = APIResponse.ok(body)
        return next.map { response.with("Link", "<\(link(to: $0))>; rel=\"next\"") } ?? response
    }

    private func link(to cursor: String) -> String {
        let pairs = query + [(name: "cursor", value: cursor)]
        return path + "?" + pairs.map { Page.escaped($0.name) + "=" + Page.escaped($0.value) }.joined(separator: "&")
    }

    private static func text(_ value: JSON) -> String { value.stringValue ?? String(describing: value) }

    // RFC 3986 §2.3: everything but unreserved characters.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain =
                Format.isWord(byte) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~")].contains(byte)
            if isPlain {
                result.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
