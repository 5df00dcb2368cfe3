import Kernel
import PostgreSQL

/// Who accompanies a user through the app.
enum Mascot: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    case acqua
    case mystic
    case coral
}

/// How much of finance a user knows, as the app explains it.
enum ExperienceLevel: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    case beginner
    case intermediate
    case advanced
}

/// A domain that a user has the app show.
enum EnabledDomain: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    case banking
    case investing
    case defi
}

/// Days in a row on which a user has signed in, in UTC.
struct Streak: Sendable, Hashable {
    /// Points for the first sign-in of a day.
    static let pointsPerDay: Int64 = 10

    var days = 0
    /// The last of them; nil for none.
    var on: CalendarDay?

    /// Counts a sign-in; the points that it earns.
    mutating func visit(on day: CalendarDay) -> Int64 {
        if let on, day <= on { return 0 }
        let isNext = on.map { day.daysSince1970 == $0.daysSince1970 + 1 } ?? false
        (days, on) = (isNext ? days + 1 : 1, day)
        return Streak.pointsPerDay
    }
}
