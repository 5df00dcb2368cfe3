import Cryptography
public import Kernel
public import PostgreSQL
public import Screening

/// An entry of a list in force, as it is stored.
public struct SanctionsEntry: Sendable, Hashable, Entity {
    /// `sanc_…`.
    public static let idPrefix = "sanc"

    /// Its id; an entry that changed has a new one.
    public let id: ID<SanctionsEntry>
    /// Who listed it.
    public let source: SanctionsSource
    /// What the list calls it.
    public let key: String
    /// What the list called it before.
    public let formerKeys: [String]
    /// SHA-256 of what the list says.
    public let digest: Bytes
    /// What is known of the birth.
    public let births: [BirthDate]
    /// Countries by ISO 3166-1 alpha-2.
    public let countries: Set<String>

    init(_ row: Row) throws {
        (id, source, key) = (try row["id"], try row["source"], try row["key"])
        (formerKeys, digest) = (try row["former_keys"], try row["digest"])
        births = (try row["births"] as [String]).compactMap(BirthDate.init)
        countries = Set(try row["countries"] as [String])
    }
}

extension ListedParty {
    /// What the list says, without what the list calls it.
    var body: JSON {
        [
            "kind": .string(kind.rawValue),
            "names": .array(names.map { ["name": .string($0.text), "weak": .bool($0.isWeak)] }),
            "births": .array(births.map { .string($0.description) }),
            "countries": .array(countries.map(JSON.string)),
            "programmes": .array(programmes.map(JSON.string)),
            "addresses": .array(addresses.map { ["chain": .string($0.chain), "address": .string($0.text)] }),
            "remarks": .string(remarks),
        ]
    }

    /// SHA-256 of the body.
    var digest: Bytes {
        var bytes: [UInt8] = []
        body.append(to: &bytes)
        return Bytes(SHA256Digest.of(bytes))
    }

    /// Who it is, whatever it is called: what a party is recognised by that comes back under another key.
    var identity: [String] {
        [kind.rawValue, names.first?.text ?? ""] + births.map(\.description) + countries
    }
}
