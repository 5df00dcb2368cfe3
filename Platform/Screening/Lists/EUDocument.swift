import Kernel

/// The consolidated list of the European Union's financial sanctions (FSF), as XML 1.1 of its publisher.
public enum EUDocument {
    /// Reads the list.
    ///
    /// - Throws: `ListReadingError`, or what reading throws.
    public static func read(_ bytes: ByteReader) throws -> ReadList {
        var list = ReadList()
        var keys: Set<String> = []
        var records = XMLRecords(bytes, named: ["sanctionEntity"])
        while let element = try records.next() { try list.take(party(element), row: records.count, keys: &keys) }
        list.published = records.rootAttributes["generationDate"]
        return list
    }

    private static func party(_ element: XMLElement) -> ListedParty {
        let type = element.all("subjectType").first
        let isPerson = type?.attribute("code") == "person" || type?.attribute("classificationCode") == "P"
        let countries =
            element.all("citizenship").compactMap { $0.attribute("countryIso2Code") }
            + element.all("address").compactMap { $0.attribute("countryIso2Code") }
        return ListedParty(
            key: element.attribute("logicalId") ?? "",
            kind: isPerson ? .person : .organisation,
            names: element.all("nameAlias").compactMap(name),
            births: element.all("birthdate").compactMap(birth),
            // The list writes 00 for a country that it doesn't know.
            countries: countries.filter { $0 != "00" }.compactMap(CountryNames.code),
            programmes: element.all("regulation").compactMap { $0.attribute("programme") },
            remarks: [element.attribute("euReferenceNumber"), element.all("remark").first?.text].compactMap { $0 }
                .joined(separator: ": ")
        )
    }

    private static func name(_ element: XMLElement) -> ListedParty.Name? {
        let parts = ["firstName", "middleName", "lastName"].compactMap { element.attribute($0) }
        let text = element.attribute("wholeName") ?? parts.joined(separator: " ")
        return text.isEmpty ? nil : ListedParty.Name(text, isWeak: element.attribute("strong") == "false")
    }

    private static func birth(_ element: XMLElement) -> BirthDate? {
        if let date = element.attribute("birthdate").flatMap(BirthDate.init) { return date }
        if let from = element.attribute("yearRangeFrom"), let to = element.attribute("yearRangeTo") {
            return BirthDate("\(from)-\(to)")
        }
        guard let year = element.attribute("year") else { return nil }
        return BirthDate(element.attribute("circa") == "true" ? "circa \(year)" : year)
    }
}
