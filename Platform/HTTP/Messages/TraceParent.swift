/// The W3C trace context of a request: `traceparent`, version 00
/// (https://www.w3.org/TR/trace-context/#traceparent-header).
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    /// The header's value: `00-<32 hex>-<16 hex>-<2 hex>`.
    public let description: String

    /// Reads a header; nil for another version, for zero ids and for anything that isn't exactly the form.
    public init?(_ header: String) {
        guard header.utf8.count == 55, header.hasPrefix("00-") else { return nil }
        var significantDigits = (trace: false, parent: false)
        for (index, byte) in header.utf8.enumerated() where index >= 3 {
            if index == 35 || index == 52 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "0"): continue
            case UInt8(ascii: "1")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"):
                if index < 35 { significantDigits.trace = true } else if index < 52 { significantDigits.parent = true }
            default: return nil
            }
        }
        guard significantDigits.trace, significantDigits.parent else { return nil }
        description = header
    }

    /// The trace's id: 32 hex digits.
    public var traceID: Substring { description.dropFirst(3).prefix(32) }
}
