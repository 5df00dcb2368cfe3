import Kernel
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (1_795_163_400_123_456, "2026-11-20T08:30:00.123456Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)]
    )
    func `an instant is written in RFC 3339 and read back`(microseconds: Int64, text: String) {
        #expect("\(Timestamp(microseconds: microseconds))" == text)
        #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
    }

    @Test(arguments: [("", 0), (".5", 500_000), (".123", 123_000), (".000001", 1)] as [(String, Int64)])
    func `a fraction of a second has up to six decimals`(fraction: String, microseconds: Int64) {
        #expect(Timestamp("1970-01-01T00:00:00\(fraction)Z") == Timestamp(microseconds: microseconds))
    }

    @Test(arguments: [
        "", "2026-11-20", "2026-11-20T08:30:00", "2026-11-20T08:30:00+00:00", "2026-11-20t08:30:00z",
        "2026-11-20 08:30:00Z", "2026-11-20T24:00:00Z", "2026-11-20T08:60:00Z", "2026-11-20T08:30:60Z",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-11-20T08:30:00.Z", "2026-11-20T08:30:00.1234567Z", "2026-11-20T08:30:00,5Z", "+026-11-20T08:30:00Z",
        "2026-11-20T+8:30:00Z", "2026-11-20T08-30-00Z", "٢٠26-11-20T08:30:00Z", "0000-01-01T00:00:00Z",
    ])
    func `anything else is no instant`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `seconds and milliseconds are rounded towards the past`() {
        let instant = Timestamp(microseconds: -1_500_001)
        #expect(instant.seconds == -2)
        #expect(instant.milliseconds == -1_501)
        #expect(Timestamp(microseconds: 1_999_999).seconds == 1)
    }

    @Test func `instants are compared, moved and subtracted`() {
        let instant = Timestamp(seconds: 10)
        #expect(instant < instant.adding(seconds: 1))
        #expect(instant.adding(seconds: 90).secondsSince(instant) == 90)
        #expect(instant.day.start == Timestamp(seconds: 0))
    }

    @Test func `a day is a date, its month has a first, and impossible ones are none`() throws {
        let day = try #require(CalendarDay(year: 2024, month: 2, day: 29))
        #expect("\(day)" == "2024-02-29")
        #expect("\(day.firstOfMonth)" == "2024-02-01")
        #expect(CalendarDay("2024-02-29") == day)
        #expect(Timestamp(microseconds: -1).day == CalendarDay(year: 1969, month: 12, day: 31))
        for text in [
            "2023-02-29", "2024-2-29", "2024-02-30", "1900-02-29", "24-02-29", "2024/02/29", "2024-02-29 ", "",
        ] {
            #expect(CalendarDay(text) == nil)
        }
        #expect(CalendarDay(year: 2024, month: 1, day: -1) == nil)
        #expect(CalendarDay(year: 10_000, month: 1, day: 1) == nil)
    }

    @Test func `each day of four centuries follows the one before it`() throws {
        let start = try #require(CalendarDay(year: 1900, month: 1, day: 1))
        let broken = (0..<146_097).first { offset in
            let day = CalendarDay(daysSince1970: start.daysSince1970 + offset)
            let (year, month, number) = day.civil
            let next = CalendarDay(daysSince1970: day.daysSince1970 + 1).civil
            let follows = next == (year, month, number + 1) || next == (year, month + 1, 1) || next == (year + 1, 1, 1)
            return !follows || CalendarDay(year: year, month: month, day: number) != day
        }
        #expect(broken == nil)
        let end = CalendarDay(daysSince1970: start.daysSince1970 + 146_097)
        #expect(end == CalendarDay(year: 2300, month: 1, day: 1))
    }
}
