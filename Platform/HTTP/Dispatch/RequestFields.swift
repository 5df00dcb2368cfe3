import HTTPTypes

/// The header fields that every request is asked for, gathered in one pass.
struct RequestFields {
    private(set) var authorization: String?
    private(set) var contentType: String?
    private(set) var contentLength: Int?
    private(set) var idempotencyKey: String?
    private(set) var ifMatch: String?
    private(set) var traceparent: String?
    /// A name of those above that stands there twice.
    private(set) var duplicate: String?

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name.canonicalName {
            case "authorization": authorization = only(field, authorization)
            case "content-type": contentType = only(field, contentType)
            case "content-length": contentLength = Int(field.value)
            case "idempotency-key": idempotencyKey = only(field, idempotencyKey)
            case "if-match": ifMatch = ifMatch.map { $0 + ", " + field.value } ?? field.value
            // A second one makes both worthless: https://www.w3.org/TR/trace-context/#traceparent-header
            case "traceparent": traceparent = traceparent == nil ? field.value : ""
            default: continue
            }
        }
    }

    private mutating func only(_ field: HTTPField, _ earlier: String?) -> String {
        if earlier != nil { duplicate = field.name.canonicalName }
        return field.value
    }

    /// The token of `Authorization: Bearer …` (RFC 6750 §2.1); nil for another scheme and an empty token.
    var bearerToken: String? {
        guard let authorization, authorization.utf8.count > 7 else { return nil }
        let isBearer = zip(authorization.utf8, "bearer ".utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
        guard isBearer else { return nil }
        let token = authorization.dropFirst(7)
        // The characters of b64token and nothing else.
        let isToken = token.utf8.allSatisfy { byte in
            Format.isWord(byte) || "-.~+/=".utf8.contains(byte)
        }
        return isToken ? String(token) : nil
    }

    /// Whether the body is declared as JSON: `application/json`, in UTF-8 if it says.
    var isJSON: Bool {
        guard let contentType else { return false }
        if contentType == "application/json" { return true }
        let parts = contentType.lowercased().split(separator: ";").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard parts.first == "application/json", parts.count <= 2 else { return false }
        return parts.count == 1 || parts[1] == "charset=utf-8" || parts[1] == "charset=\"utf-8\""
    }
}
