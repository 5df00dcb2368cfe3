/// Something that stands against erasing a user now.
public struct ErasureObstacle: Hashable, Sendable {
    /// Where: `banking`, `platform`.
    public let place: String
    /// What, a stable word: `balance_left`, `case_open`, `legal_hold`.
    public let code: String
    /// A sentence for people.
    public let text: String

    /// An obstacle.
    public init(place: String, code: String, text: String) { (self.place, self.code, self.text) = (place, code, text) }
}
