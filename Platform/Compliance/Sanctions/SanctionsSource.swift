public import PostgreSQL

/// Who publishes a list.
public enum SanctionsSource: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    /// The Specially Designated Nationals of the United States' Office of Foreign Assets Control.
    case ofac = "ofac_sdn"
    /// The consolidated list of the United Nations' Security Council.
    case un
    /// The consolidated list of the European Union.
    case eu
}
