public import Kernel

/// An event in the envelope of CloudEvents 1.0, as transports carry it.
///
/// `aggregatetype`, `correlationid` and `causationid` are extensions of ours; `partitionkey`, `sequence` and
/// `traceparent` are the documented ones.
public struct CloudEvent: Hashable, Sendable {
    /// The id by which consumers drop duplicates, together with the source: a UUID.
    public var id: String
    /// Whose event it is: `/diboas/banking`.
    public var source: String
    /// What happened, with the payload's version: `banking.transaction.completed.v1`.
    public var type: String
    /// The aggregate's id: a UUID.
    public var subject: String
    /// When it was recorded.
    public var time: Timestamp
    /// The kind of aggregate: `transaction`.
    public var aggregateType: String
    /// The aggregate's version after the event, from 1, without gaps.
    public var sequence: Int64
    /// What all events of one flow share.
    public var correlation: String?
    /// What caused the event.
    public var causation: String?
    /// The W3C trace context.
    public var traceparent: String?
    /// The payload.
    public var data: JSON

    /// What events of one order share: the aggregate's kind and id.
    public var partitionKey: String { "\(aggregateType)/\(subject)" }
}

extension CloudEvent {
    /// The envelope of a stored event.
    init(_ record: OutboxRecord, source: String) {
        self.init(
            id: ID<OutboxEvent>(record.eventID).description,
            source: source,
            type: "\(record.type).v\(record.typeVersion)",
            subject: ID<OutboxEvent>(record.aggregateID).description,
            time: record.recordedAt,
            aggregateType: record.aggregateType,
            sequence: record.version,
            correlation: record.correlation.map { ID<OutboxEvent>($0).description },
            causation: record.causation.map { ID<OutboxEvent>($0).description },
            traceparent: record.traceparent,
            data: record.payload
        )
    }
}
