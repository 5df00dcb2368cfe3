public import Kernel
public import PostgreSQL

/// What a provider said about a thing, raw and as it was understood.
public struct ProviderUpdate: StoredRow, Entity {
    /// `pup_…`.
    public static let idPrefix = "pup"

    /// The row's id, from the caller's generator; its time chooses the partition.
    public let id: ID<ProviderUpdate>
    /// Who said it.
    public let provider: String
    /// The provider's id of the event, or of our request.
    public let eventID: String
    /// The thing of ours that it is about; nil when that is unknown.
    public let entityID: UInt128?
    /// The provider's name for what happened.
    public let type: String
    /// The bytes as they came.
    public let raw: [UInt8]
    /// What was understood of it; nil for nothing, and it holds no U+0000.
    public let processed: JSON?
    /// What was done with it: `applied`, `stale`.
    public let outcome: String

    /// An update.
    public init(
        id: ID<ProviderUpdate>,
        provider: String,
        eventID: String,
        entityID: UInt128?,
        type: String,
        raw: [UInt8],
        processed: JSON?,
        outcome: String
    ) {
        (self.id, self.provider, self.eventID, self.entityID) = (id, provider, eventID, entityID)
        (self.type, self.raw, self.processed, self.outcome) = (type, raw, processed, outcome)
    }

    /// One insert into `provider_updates`.
    public static func store(_ rows: [ProviderUpdate], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).provider_updates
                (id, provider, event_id, entity_id, type, raw, processed, outcome, recorded_at)
            select u.*, \(at)
            from unnest(\(rows.map(\.id)), \(rows.map(\.provider)), \(rows.map(\.eventID)), \(rows.map(\.entityID)),
                \(rows.map(\.type)), \(rows.map { Bytes($0.raw) }), \(rows.map(\.processed)),
                \(rows.map(\.outcome))) as u
            returning 1
            """
        ]
    }
}
