/// An instant in microseconds UTC, as PostgreSQL's `timestamptz` holds it.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z; negative before it.
    public let microseconds: Int64

    /// An instant from microseconds since 1970.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// An instant from whole seconds since 1970.
    public init(seconds: Int64) { self.init(microseconds: seconds * 1_000_000) }

    /// Whole seconds since 1970, rounded towards the past.
    public var seconds: Int64 { Timestamp.floorDivide(microseconds, 1_000_000) }

    /// Whole milliseconds since 1970, rounded towards the past.
    public var milliseconds: Int64 { Timestamp.floorDivide(microseconds, 1_000) }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// The instant that many seconds later.
    public func adding(seconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds + seconds * 1_000_000) }

    /// Seconds from another instant to this one.
    public func secondsSince(_ other: Timestamp) -> Double { Double(microseconds - other.microseconds) / 1e6 }

    /// The calendar day in UTC.
    public var day: CalendarDay { CalendarDay(daysSince1970: Int(Timestamp.floorDivide(microseconds, 86_400_000_000))) }

    static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 with microseconds: `2026-11-20T08:30:00.123456Z`.
    public var description: String {
        let inDay = microseconds - Int64(day.daysSince1970) * 86_400_000_000
        let (second, micro) = inDay.quotientAndRemainder(dividingBy: 1_000_000)
        let clock = [second / 3600, second / 60 % 60, second % 60].map { CalendarDay.padded(Int($0), 2) }
        return "\(day)T\(clock.joined(separator: ":")).\(CalendarDay.padded(Int(micro), 6))Z"
    }

    /// Reads RFC 3339 in UTC (`…Z`) with up to six decimals of a second; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (20...27).contains(bytes.count), bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"), let day = CalendarDay(bytes[0..<10]),
            let hour = CalendarDay.number(bytes[11..<13]), let minute = CalendarDay.number(bytes[14..<16]),
            let second = CalendarDay.number(bytes[17..<19]), hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = 0
        if bytes.count > 20 {
            let digits = bytes[20..<(bytes.count - 1)]
            guard bytes[19] == UInt8(ascii: "."), !digits.isEmpty, let value = CalendarDay.number(digits) else {
                return nil
            }
            fraction = (digits.count..<6).reduce(value) { result, _ in result * 10 }
        }
        let seconds = Int64(day.daysSince1970) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        self.init(microseconds: seconds * 1_000_000 + Int64(fraction))
    }
}
