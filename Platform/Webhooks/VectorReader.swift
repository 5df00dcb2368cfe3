import Cryptography
import Kernel

/// Reads one vector of a file.
struct VectorReader {
    let json: JSON
    let position: Int

    func vector() throws(VectorFileError) -> VectorFile.Vector {
        let request = SignedRequest(
            method: try string("method"),
            query: json["query"] == nil ? "" : try string("query"),
            headers: try headers(),
            body: try required("body_b64", json["body_b64"]?.stringValue.flatMap(Base64.decode))
        )
        let expect = try string("expect")
        guard expect == "accept" || expect == "reject" else { throw fault("expect") }
        return VectorFile.Vector(
            id: try string("id"),
            provider: try string("provider"),
            request: request,
            keys: try keys(),
            now: Timestamp(seconds: try seconds("now")),
            toleranceSeconds: try seconds("tolerance_s"),
            accepts: expect == "accept",
            reason: try string("reason")
        )
    }

    private func headers() throws(VectorFileError) -> [(String, String)] {
        var headers: [(String, String)] = []
        for line in try required("headers", json["headers"]?.elements) {
            guard let pair = line.elements, pair.count == 2, let name = pair[0].stringValue,
                let value = pair[1].stringValue
            else { throw fault("headers") }
            headers.append((name, value))
        }
        return headers
    }

    // `secrets` and `public_pem` are arrays, `public` is one text or an array; a ring may have several of them.
    private func keys() throws(VectorFileError) -> [String] {
        guard case .object(let members)? = json["keys"] else { throw fault("keys") }
        var keys: [String] = []
        for member in members where ["secrets", "public", "public_pem"].contains(member.name) {
            if case .null = member.value { continue }
            for text in member.value.elements ?? [member.value] {
                keys.append(try required("keys", text.stringValue))
            }
        }
        return keys
    }

    private func string(_ field: String) throws(VectorFileError) -> String {
        try required(field, json[field]?.stringValue)
    }

    // Bounded, so that sums of seconds and their microseconds can't overflow.
    private func seconds(_ field: String) throws(VectorFileError) -> Int64 {
        let value = try required(field, json[field]?.integerValue)
        guard (0...999_999_999_999).contains(value) else { throw fault(field) }
        return Int64(value)
    }

    private func required<Value>(_ field: String, _ value: Value?) throws(VectorFileError) -> Value {
        guard let value else { throw fault(field) }
        return value
    }

    private func fault(_ field: String) -> VectorFileError { .vector(position: position, field: field) }
}
