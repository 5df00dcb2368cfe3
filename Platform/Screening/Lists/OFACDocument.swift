/// OFAC's list as one XML document (`sdn.xml`).
public enum OFACDocument {
    /// Reads the list.
    ///
    /// - Throws: `ListReadingError`, or what reading throws.
    public static func read(_ bytes: ByteReader) throws -> ReadList {
        var list = ReadList()
        var keys: Set<String> = []
        var records = XMLRecords(bytes, named: ["sdnEntry"])
        while let element = try records.next() { try list.take(party(element), row: records.count, keys: &keys) }
        list.published = records.outerTexts["Publish_Date"]
        return list
    }

    private static func party(_ element: XMLElement) -> ListedParty {
        let kind: ScreenedName.Kind =
            switch element.text("sdnType")?.lowercased() {
            case "individual": .person
            case "vessel": .vessel
            case "aircraft": .aircraft
            default: .organisation
            }
        let aliases = element.all("akaList", "aka").compactMap { aka in
            name(aka, isWeak: aka.text("category")?.lowercased() == "weak")
        }
        let countries =
            (element.all("nationalityList", "nationality") + element.all("citizenshipList", "citizenship")
            + element.all("addressList", "address"))
            .compactMap { $0.text("country").flatMap(CountryNames.code) }
        return ListedParty(
            key: element.text("uid") ?? "",
            kind: kind,
            names: [name(element, isWeak: false)].compactMap { $0 } + aliases,
            births: element.all("dateOfBirthList", "dateOfBirthItem").compactMap {
                $0.text("dateOfBirth").flatMap(ListDates.birth)
            },
            countries: countries,
            programmes: element.all("programList", "program").map(\.text),
            addresses: element.all("idList", "id").compactMap(address),
            remarks: element.text("remarks") ?? ""
        )
    }

    private static func name(_ element: XMLElement, isWeak: Bool) -> ListedParty.Name? {
        let words = [element.text("firstName"), element.text("lastName")].compactMap { $0 }
        return words.isEmpty ? nil : ListedParty.Name(words.joined(separator: " "), isWeak: isWeak)
    }

    private static func address(_ element: XMLElement) -> WalletAddress? {
        let prefix = "Digital Currency Address - "
        guard let type = element.text("idType"), type.hasPrefix(prefix), let text = element.text("idNumber") else {
            return nil
        }
        return WalletAddress(asset: String(type.dropFirst(prefix.count)), address: text)
    }
}
