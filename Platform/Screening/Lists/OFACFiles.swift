import Kernel

/// OFAC's list as three files of comma-separated values: `sdn.csv`, `alt.csv`, `add.csv`.
///
/// Columns by OFAC's "SDN data formats": no header, `-0-` for nothing.
public enum OFACFiles {
    private static let sdnColumns = 12
    private static let altColumns = 5
    private static let addColumns = 6

    /// Reads the list.
    ///
    /// - Throws: `ListReadingError`, or what reading throws.
    public static func read(sdn: ByteReader, alt: ByteReader, add: ByteReader) throws -> ReadList {
        var list = ReadList()
        var keys: Set<String> = []
        var rows = CSVRows(sdn)
        while let fields = try rows.next() {
            guard fields.count == sdnColumns else {
                list.reject(rows.row, "not_\(sdnColumns)_columns")
                continue
            }
            try list.take(party(fields.map(value)), row: rows.row, keys: &keys)
        }
        var positions: [String: Int] = [:]
        for (index, party) in list.parties.enumerated() { positions[party.key] = index }
        try takeAliases(CSVRows(alt), &list, positions)
        try takeAddresses(CSVRows(add), &list, positions)
        return list
    }

    private static func takeAliases(_ rows: CSVRows, _ list: inout ReadList, _ positions: [String: Int]) throws {
        var rows = rows
        while let fields = try rows.next() {
            guard fields.count >= altColumns - 1 else {
                list.reject(rows.row, "alt_not_\(altColumns)_columns")
                continue
            }
            guard let position = positions[value(fields[0])] else {
                list.reject(rows.row, "alt_of_nobody")
                continue
            }
            let name = value(fields[3])
            guard !name.isEmpty, name.count <= ListedParty.nameLengthMax,
                list.parties[position].names.count < ListedParty.namesMax
            else {
                list.reject(rows.row, "alt_name")
                continue
            }
            list.parties[position].names.append(ListedParty.Name(name))
        }
    }

    private static func takeAddresses(_ rows: CSVRows, _ list: inout ReadList, _ positions: [String: Int]) throws {
        var rows = rows
        while let fields = try rows.next() {
            guard fields.count >= addColumns - 1, let position = positions[value(fields[0])] else {
                list.reject(rows.row, "add_of_nobody")
                continue
            }
            guard let code = CountryNames.code(value(fields[4])) else { continue }
            let codes = Set(list.parties[position].countries).union([code])
            list.parties[position].countries = codes.sorted()
        }
    }

    private static func party(_ fields: [String]) -> ListedParty {
        let remarks = OFACRemarks(fields[11])
        let kind: ScreenedName.Kind =
            switch fields[2].lowercased() {
            case "individual": .person
            case "vessel": .vessel
            case "aircraft": .aircraft
            default: .organisation
            }
        return ListedParty(
            key: fields[0],
            kind: kind,
            names: fields[1].isEmpty ? [] : [ListedParty.Name(fields[1])] + remarks.weakNames,
            births: kind.isPerson ? remarks.births : [],
            countries: remarks.countries,
            programmes: fields[3].split(whereSeparator: { "[]; ".contains($0) }).map(String.init),
            addresses: remarks.addresses,
            remarks: fields[11]
        )
    }

    private static func value(_ field: String) -> String {
        let text = field.split(separator: " ").joined(separator: " ")
        return text == "-0-" ? "" : text
    }
}

/// What OFAC writes into the remarks of an entry: `DOB 27 Mar 1962; nationality Iraq; Digital Currency Address - XBT
/// …`.
struct OFACRemarks {
    private(set) var births: [BirthDate] = []
    private(set) var countries: [String] = []
    private(set) var addresses: [WalletAddress] = []
    private(set) var weakNames: [ListedParty.Name] = []

    private static let countryWords = ["nationality ", "citizen ", "Nationality of Registration "]
    private static let addressWords = "Digital Currency Address - "

    init(_ remarks: String) {
        let trimmed = remarks.hasSuffix(".") ? String(remarks.dropLast()) : remarks
        for part in trimmed.split(separator: ";") {
            var text = part.split(separator: " ").joined(separator: " ")
            for word in ["alt. ", "Alt. "] where text.hasPrefix(word) { text.removeFirst(word.count) }
            if text.hasPrefix("DOB "), let date = ListDates.birth(String(text.dropFirst(4))) { births.append(date) }
            for word in OFACRemarks.countryWords where text.hasPrefix(word) {
                if let code = CountryNames.code(String(text.dropFirst(word.count))) { countries.append(code) }
            }
            if text.hasPrefix(OFACRemarks.addressWords) {
                let words = text.dropFirst(OFACRemarks.addressWords.count).split(separator: " ").map(String.init)
                if words.count == 2, let address = WalletAddress(asset: words[0], address: words[1]) {
                    addresses.append(address)
                }
            }
            if text.hasPrefix("a.k.a. '"), text.hasSuffix("'") {
                weakNames.append(ListedParty.Name(String(text.dropFirst(8).dropLast()), isWeak: true))
            }
        }
    }
}
