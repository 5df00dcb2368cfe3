import Foundation
import PostgreSQL

/// A kind of private data, a row of `data_types`: `profile.phone`.
public struct DataType: Hashable, Sendable {
    /// Its name.
    public let name: String

    /// A kind by its name; whether there is such a row turns out when it is used.
    public init(_ name: String) { self.name = name }

    /// The telephone number; found by its digits.
    public static let phone = DataType("profile.phone")
    /// The day of birth, `YYYY-MM-DD`.
    public static let birthDate = DataType("profile.birth_date")
    /// The postal address, as the profile writes it.
    public static let address = DataType("profile.address")
    /// The country of citizenship, two letters.
    public static let nationality = DataType("profile.nationality")
    /// The full name as in documents.
    public static let legalName = DataType("identity.legal_name")
    /// A document; one user may have several.
    public static let document = DataType("identity.document")
    /// The birth and the countries that a customer is screened by.
    public static let screenedBy = DataType("compliance.screened_by")
    /// What a case knew of a customer, by the evidence's id; its customer isn't shown it.
    public static let evidence = DataType("compliance.evidence")
    /// The secret of a second factor; nobody is shown it again.
    public static let secondFactor = DataType("identity.second_factor")
    /// The secret of a program's key, by the key's id; nobody is shown it again.
    public static let apiKey = DataType("identity.api_key")
}

/// One value of a user's private data, to be stored or as it was read.
public struct PersonalValue: Hashable, Sendable {
    /// What it is.
    public let type: DataType
    /// Which of several of the type; 0 where there is one.
    public let item: UInt128
    /// The value's bytes, a text in UTF-8; nil to remove what is there.
    public let bytes: [UInt8]?

    /// A value as bytes.
    public init(_ type: DataType, item: UInt128 = 0, bytes: [UInt8]?) {
        (self.type, self.item, self.bytes) = (type, item, bytes)
    }

    /// A value as text.
    public init(_ type: DataType, _ text: String?) { self.init(type, bytes: text.map { Array($0.utf8) }) }

    /// The value as text; nil where there is none.
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

/// How values are written before their keyed hash is taken, so that one that was typed otherwise is found too.
enum Normalisation: String, Sendable, SQLDecodable {
    /// Lower case, white space of any length as one space, none at the ends.
    case text
    /// The digits alone; `00` in front stands for `+`, which is left out.
    case phone

    func callAsFunction(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .text:
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            // Swift compares canonically equivalent texts as equal; their bytes may differ.
            return Array(words.joined(separator: " ").lowercased().decomposed)
        case .phone:
            let digits = bytes.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return Array(digits.drop { $0 == UInt8(ascii: "0") })
        }
    }
}

extension String {
    /// The bytes of its canonical decomposition (NFD).
    fileprivate var decomposed: [UInt8] { Array(decomposedStringWithCanonicalMapping.utf8) }
}
