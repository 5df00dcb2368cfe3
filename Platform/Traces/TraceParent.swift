/// A place in a trace: what W3C's `traceparent`, version 00, carries
/// (https://www.w3.org/TR/trace-context/#traceparent-header).
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    /// The trace; not 0.
    let trace: UInt128
    /// The span; not 0.
    let span: UInt64
    /// The flags as they came; bit 0 says whether the trace is recorded.
    let flags: UInt8

    init(trace: UInt128, span: UInt64, flags: UInt8) { (self.trace, self.span, self.flags) = (trace, span, flags) }

    /// Reads a header; nil for another version, for zero ids and for anything that isn't exactly the form.
    public init?(_ header: String) {
        guard header.utf8.count == 55, header.hasPrefix("00-") else { return nil }
        var parts: [UInt128] = [0, 0, 0]
        var part = 0
        for (index, byte) in header.utf8.enumerated() where index >= 3 {
            if index == 35 || index == 52 {
                guard byte == UInt8(ascii: "-") else { return nil }
                part += 1
                continue
            }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            parts[part] = parts[part] << 4 | UInt128(digit)
        }
        guard parts[0] != 0, parts[1] != 0 else { return nil }
        (trace, span, flags) = (parts[0], UInt64(parts[1]), UInt8(parts[2]))
    }

    /// Whether spans of the trace are recorded.
    public var isSampled: Bool { flags & 1 == 1 }

    /// The trace's id: 32 hex digits.
    public var traceID: String { TraceParent.hex(trace, digits: 32) }

    /// The span's id: 16 hex digits.
    public var spanID: String { TraceParent.hex(UInt128(span), digits: 16) }

    /// The header's value: `00-<32 hex>-<16 hex>-<2 hex>`.
    public var description: String { "00-\(traceID)-\(spanID)-\(TraceParent.hex(UInt128(flags), digits: 2))" }

    private static func hex(_ value: UInt128, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
