import Kernel

/// The consolidated list of the United Nations' Security Council, as XML.
public enum UNDocument {
    /// Reads the list.
    ///
    /// - Throws: `ListReadingError`, or what reading throws.
    public static func read(_ bytes: ByteReader) throws -> ReadList {
        var list = ReadList()
        var keys: Set<String> = []
        var records = XMLRecords(bytes, named: ["INDIVIDUAL", "ENTITY"])
        while let element = try records.next() { try list.take(party(element), row: records.count, keys: &keys) }
        list.published = records.rootAttributes["dateGenerated"]
        return list
    }

    private static let nameParts = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"]

    private static func party(_ element: XMLElement) -> ListedParty {
        let isPerson = element.name == "INDIVIDUAL"
        let prefix = isPerson ? "INDIVIDUAL" : "ENTITY"
        let main = nameParts.compactMap { element.text($0) }.joined(separator: " ")
        let original = element.text("NAME_ORIGINAL_SCRIPT").map { ListedParty.Name($0) }
        let aliases = element.all("\(prefix)_ALIAS").compactMap { alias in
            alias.text("ALIAS_NAME").map {
                ListedParty.Name($0, isWeak: alias.text("QUALITY")?.lowercased() == "low")
            }
        }
        let countries =
            element.all("NATIONALITY").flatMap { $0.all("VALUE") }.map(\.text)
            + element.all("\(prefix)_ADDRESS").compactMap { $0.text("COUNTRY") }
        return ListedParty(
            key: element.text("DATAID") ?? "",
            kind: isPerson ? .person : .organisation,
            names: (main.isEmpty ? [] : [ListedParty.Name(main)] + [original].compactMap { $0 }) + aliases,
            births: element.all("INDIVIDUAL_DATE_OF_BIRTH").compactMap(birth),
            countries: countries.compactMap(CountryNames.code),
            programmes: [element.text("UN_LIST_TYPE")].compactMap { $0 },
            remarks: [element.text("REFERENCE_NUMBER"), element.text("COMMENTS1")].compactMap { $0 }
                .joined(separator: ": ")
        )
    }

    private static func birth(_ element: XMLElement) -> BirthDate? {
        if let from = element.text("FROM_YEAR"), let to = element.text("TO_YEAR") { return BirthDate("\(from)-\(to)") }
        if let date = element.text("DATE") { return BirthDate(String(date.prefix(10))) }
        guard let year = element.text("YEAR") else { return nil }
        return BirthDate(element.text("TYPE_OF_DATE") == "APPROXIMATELY" ? "circa \(year)" : year)
    }
}
