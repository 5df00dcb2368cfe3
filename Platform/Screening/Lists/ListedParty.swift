/// Somebody or something on a list.
public struct ListedParty: Hashable, Sendable {
    /// A name of it.
    public struct Name: Hashable, Sendable {
        /// As the list writes it.
        public let text: String
        /// Whether the list says itself that it fits many.
        public let isWeak: Bool

        /// A name.
        public init(_ text: String, isWeak: Bool = false) { (self.text, self.isWeak) = (text, isWeak) }
    }

    /// What the list calls it: unique in the list.
    public var key: String
    /// Whose names they are.
    public var kind: ScreenedName.Kind
    /// The names, the main one first; never empty.
    public var names: [Name]
    /// What is known of the birth.
    public var births: [BirthDate]
    /// Countries by ISO 3166-1 alpha-2, in order of the alphabet.
    public var countries: [String]
    /// What it is listed for: `SDGT`.
    public var programmes: [String]
    /// Wallets.
    public var addresses: [WalletAddress]
    /// What else the list says.
    public var remarks: String

    /// A party.
    public init(
        key: String,
        kind: ScreenedName.Kind,
        names: [Name],
        births: [BirthDate] = [],
        countries: [String] = [],
        programmes: [String] = [],
        addresses: [WalletAddress] = [],
        remarks: String = ""
    ) {
        (self.key, self.kind, self.names, self.births) = (key, kind, names, births)
        self.countries = Set(countries).sorted()
        (self.programmes, self.addresses, self.remarks) = (programmes, addresses, remarks)
    }

    /// The most names of one party that are kept; OFAC's longest entry has about a hundred.
    public static let namesMax = 300
    /// The longest name that is kept, in characters.
    public static let nameLengthMax = 300
}

/// Why a row of a list isn't used.
public struct ListFault: Hashable, Sendable {
    /// Which row, counted from 1.
    public let row: Int
    /// What is wrong: `no_name`.
    public let reason: String

    /// A fault.
    public init(row: Int, reason: String) { (self.row, self.reason) = (row, reason) }
}

/// Why a list can't be read at all.
public enum ListReadingError: Error, Hashable, Sendable {
    /// A file of it isn't there.
    case missing(String)
    /// It isn't the format that it is read as: what is wrong, and near which byte.
    case malformed(String, byte: Int)
    /// More entries, or longer ones, than any list has.
    case tooLarge(String)
}

/// A list as it was read.
public struct ReadList: Sendable {
    /// The entries by key; no key occurs twice.
    public var parties: [ListedParty] = []
    /// Rows that aren't used, at most `faultsKept` of them.
    public var faults: [ListFault] = []
    /// How many rows aren't used.
    public var rejected = 0
    /// When its publisher made it, as the list says; nil when it doesn't.
    public var published: String?

    /// Faults of one list that are kept for reading.
    public static let faultsKept = 100
    /// The most entries of a list.
    public static let partiesMax = 500_000

    /// A list without entries.
    public init() {}

    mutating func reject(_ row: Int, _ reason: String) {
        rejected += 1
        if faults.count < ReadList.faultsKept { faults.append(ListFault(row: row, reason: reason)) }
    }

    /// Takes an entry, or counts why not.
    mutating func take(_ party: ListedParty, row: Int, keys: inout Set<String>) throws(ListReadingError) {
        guard parties.count < ReadList.partiesMax else { throw .tooLarge("more than \(ReadList.partiesMax) entries") }
        guard !party.key.isEmpty else { return reject(row, "no_id") }
        guard let name = party.names.first, !name.text.isEmpty else { return reject(row, "no_name") }
        guard party.names.allSatisfy({ $0.text.count <= ListedParty.nameLengthMax }) else {
            return reject(row, "name_too_long")
        }
        guard party.names.count <= ListedParty.namesMax else { return reject(row, "too_many_names") }
        guard keys.insert(party.key).inserted else { return reject(row, "id_twice") }
        parties.append(party)
    }
}
