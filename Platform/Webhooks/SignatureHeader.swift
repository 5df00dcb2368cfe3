import Kernel

/// What was wrong, on the way to a verdict.
struct Refusal: Error {
    let verdict: SignatureVerdict

    init(_ verdict: SignatureVerdict) { self.verdict = verdict }
}

extension SignedRequest {
    /// The value of a header that has to be there exactly once and within the bounds; the name is in lower case.
    func signatureHeader(_ name: String) throws(Refusal) -> String {
        let values = headers.filter { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name }
        guard let value = values.first?.value else { throw Refusal(.missingHeader) }
        guard values.count == 1 else { throw Refusal(.duplicateHeader) }
        guard value.utf8.count <= WebhookLimits.headerBytesMax else { throw Refusal(.headerTooLarge) }
        return value
    }
}

/// The elements of a signature header, split by bytes: a combining mark behind a separator hides nothing.
enum SignatureElements {
    static func split(_ header: String, at separator: Unicode.Scalar) throws(Refusal) -> [Substring] {
        let elements = header.utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false)
        guard elements.count <= WebhookLimits.headerElementsMax else { throw Refusal(.headerTooLarge) }
        return elements.map { Substring($0) }
    }

    /// `name=value`; an element without `=` has no value.
    static func pair(
        _ element: Substring,
        at separator: Unicode.Scalar = "="
    ) -> (name: Substring, value: Substring?) {
        guard let place = element.utf8.firstIndex(of: UInt8(ascii: separator)) else { return (element, nil) }
        return (element[..<place], element[element.utf8.index(after: place)...])
    }
}

/// The signed time: seconds since 1970 and the text by which it was signed.
struct SignedTime {
    static let digitsMax = 12

    let seconds: Int64
    let text: String

    /// Reads 1 to 12 ASCII digits without a leading zero. (`Int` would take `+5` too.)
    init(_ text: some StringProtocol) throws(Refusal) {
        guard (1...SignedTime.digitsMax).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "0") else {
            throw Refusal(.malformedHeader)
        }
        var seconds: Int64 = 0
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw Refusal(.malformedHeader) }
            seconds = seconds * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        (self.seconds, self.text) = (seconds, String(text))
    }

    /// The verdict on the time of a signature that fits.
    func verdict(at now: Timestamp, toleranceSeconds: Int64) -> SignatureVerdict {
        let ahead = seconds - now.seconds
        if ahead > toleranceSeconds { return .timestampTooNew }
        return ahead < -toleranceSeconds ? .timestampTooOld : .ok
    }
}
