import Kernel

/// How long a kline is; all begin by the clock and calendar of UTC, weeks on Monday.
enum KlinePeriod: String, CaseIterable, Sendable {
    case minute = "1m"
    case fiveMinutes = "5m"
    case quarterHour = "15m"
    case hour = "1h"
    case fourHours = "4h"
    case day = "1d"
    case week = "1w"
    case month = "1M"

    /// Monday, 2000-01-03: every period but the month divides the time from here on.
    static let origin: Int64 = 946_857_600

    /// Nil for months, which aren't of one length.
    var seconds: Int64? {
        switch self {
        case .minute: 60
        case .fiveMinutes: 300
        case .quarterHour: 900
        case .hour: 3_600
        case .fourHours: 14_400
        case .day: 86_400
        case .week: 604_800
        case .month: nil
        }
    }

    /// When the period that an instant lies in began.
    func opening(of instant: Timestamp) -> Timestamp {
        guard let seconds else { return instant.day.firstOfMonth.start }
        let since = (instant.seconds - KlinePeriod.origin) % seconds
        return Timestamp(seconds: instant.seconds - (since < 0 ? since + seconds : since))
    }

    /// When the period begins that comes so many after one that begins then.
    func opening(_ start: Timestamp, plus count: Int) -> Timestamp {
        if let seconds { return start.adding(seconds: seconds * Int64(count)) }
        let civil = start.day.civil
        let months = civil.year * 12 + civil.month - 1 + count
        return CalendarDay(year: months / 12, month: months % 12 + 1, day: 1)?.start ?? start
    }
}
