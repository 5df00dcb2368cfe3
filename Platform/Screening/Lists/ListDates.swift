import Kernel

/// Dates as lists write them.
enum ListDates {
    private static let months = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12,
    ]

    /// Reads OFAC's `27 Mar 1962`, `Mar 1962`, `1962`, `circa 1962`, `1960 to 1964`; and ISO dates.
    static func birth(_ text: String) -> BirthDate? {
        if let date = BirthDate(text) { return date }
        let words = text.lowercased().split(separator: " ").map(String.init)
        if let range = words.firstIndex(of: "to") {
            guard let first = birth(words[..<range].joined(separator: " ")),
                let last = birth(words[(range + 1)...].joined(separator: " ")),
                first.years.lowerBound <= last.years.upperBound
            else { return nil }
            return .years(first.years.lowerBound...last.years.upperBound)
        }
        if words.first == "circa" {
            guard let around = birth(words.dropFirst().joined(separator: " ")) else { return nil }
            let (low, high) = (around.years.lowerBound, around.years.upperBound)
            return .years((low - BirthDate.circaYears)...(high + BirthDate.circaYears))
        }
        if words.count == 3, let day = Int(words[0]), let month = months[String(words[1].prefix(3))],
            let year = Int(words[2])
        {
            return CalendarDay(year: year, month: month, day: day).map(BirthDate.day)
        }
        guard words.count == 2, months[String(words[0].prefix(3))] != nil else { return nil }
        return BirthDate(words[1])
    }
}
