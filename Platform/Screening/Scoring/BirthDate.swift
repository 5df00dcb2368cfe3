public import Kernel

/// What is known of when somebody was born.
public enum BirthDate: Hashable, Sendable {
    /// The day.
    case day(CalendarDay)
    /// Some time in these years: `1960...1960`, or `1958...1962` where a list says "circa".
    case years(ClosedRange<Int>)

    /// Years that "circa" spans on either side.
    static let circaYears = 2

    /// The years it may lie in.
    public var years: ClosedRange<Int> {
        switch self {
        case .day(let day): day.civil.year...day.civil.year
        case .years(let years): years
        }
    }

    /// Reads `1962-03-27`, `1962`, `1960-1964` and `circa 1962`; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        if let day = CalendarDay(text) {
            self = .day(day)
            return
        }
        if text.hasPrefix("circa "), let year = BirthDate.year(bytes[6...]) {
            self = .years((year - BirthDate.circaYears)...(year + BirthDate.circaYears))
            return
        }
        if bytes.count == 9, bytes[4] == UInt8(ascii: "-"), let first = BirthDate.year(bytes[..<4]),
            let last = BirthDate.year(bytes[5...]), first <= last
        {
            self = .years(first...last)
            return
        }
        guard let year = BirthDate.year(bytes[...]) else { return nil }
        self = .years(year...year)
    }

    private static func year(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 4, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let year = digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }
        return (1000...2999).contains(year) ? year : nil
    }
}

extension BirthDate: CustomStringConvertible {
    /// The form that `init(_:)` reads.
    public var description: String {
        switch self {
        case .day(let day): day.description
        case .years(let years):
            years.lowerBound == years.upperBound ? "\(years.lowerBound)" : "\(years.lowerBound)-\(years.upperBound)"
        }
    }
}

/// How what is known of two births fits.
public enum BirthAgreement: String, Hashable, Sendable, CaseIterable {
    /// The same day.
    case sameDay = "same_day"
    /// The year fits, and one of them knows no more.
    case sameYear = "same_year"
    /// A year apart, or day and month changed places: often a mistake.
    case near
    /// One of them isn't known.
    case unknown
    /// They can't be the same.
    case differs

    /// Compares what is known of somebody with all that a list says, and takes what fits best.
    public init(_ known: BirthDate?, _ listed: [BirthDate]) {
        guard let known, !listed.isEmpty else {
            self = .unknown
            return
        }
        let order: [BirthAgreement] = [.sameDay, .sameYear, .near]
        let found = listed.map { BirthAgreement.between(known, $0) }
        self = order.first(where: found.contains) ?? .differs
    }

    private static func between(_ known: BirthDate, _ listed: BirthDate) -> BirthAgreement {
        if case .day(let mine) = known, case .day(let its) = listed {
            if mine == its { return .sameDay }
            let (left, right) = (mine.civil, its.civil)
            let isSwapped = left.year == right.year && left.month == right.day && left.day == right.month
            let isMistyped = left.month == right.month && left.day == right.day && abs(left.year - right.year) == 1
            return isSwapped || isMistyped ? .near : .differs
        }
        if known.years.overlaps(listed.years) { return .sameYear }
        let gap = max(
            listed.years.lowerBound - known.years.upperBound,
            known.years.lowerBound - listed.years.upperBound
        )
        return gap == 1 ? .near : .differs
    }
}

/// How countries of somebody fit those on a list.
public enum CountryAgreement: String, Hashable, Sendable, CaseIterable {
    /// One is in common.
    case agrees
    /// One side names none.
    case unknown
    /// None is in common.
    case differs

    /// Compares two sets of ISO 3166-1 alpha-2 codes.
    public init(_ known: Set<String>, _ listed: Set<String>) {
        guard !known.isEmpty, !listed.isEmpty else {
            self = .unknown
            return
        }
        self = known.isDisjoint(with: listed) ? .differs : .agrees
    }
}
