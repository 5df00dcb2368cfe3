public import Kernel

/// Why a JSON value is not an event of ours.
public enum CloudEventError: Error, Hashable, Sendable {
    /// `specversion` isn't `1.0`.
    case unknownVersion
    /// That attribute is missing or has another type.
    case missing(String)
    /// That attribute's text isn't what it must be: an instant, a number.
    case malformed(String)
}

extension CloudEvent {
    /// The structured JSON form (CloudEvents 1.0.2, JSON event format §3).
    public var json: JSON {
        var members: [JSON.Member] = [
            JSON.Member("specversion", "1.0"), JSON.Member("id", .string(id)), JSON.Member("source", .string(source)),
            JSON.Member("type", .string(type)), JSON.Member("subject", .string(subject)),
            JSON.Member("time", .string(time.description)), JSON.Member("datacontenttype", "application/json"),
            JSON.Member("partitionkey", .string(partitionKey)), JSON.Member("aggregatetype", .string(aggregateType)),
            JSON.Member("sequence", .string(String(sequence))),
        ]
        if let correlation { members.append(JSON.Member("correlationid", .string(correlation))) }
        if let causation { members.append(JSON.Member("causationid", .string(causation))) }
        if let traceparent { members.append(JSON.Member("traceparent", .string(traceparent))) }
        members.append(JSON.Member("data", data))
        return .object(members)
    }

    /// Reads the structured JSON form; attributes that it doesn't know are ignored, as the specification wants.
    public init(json: JSON) throws(CloudEventError) {
        guard json["specversion"] == "1.0" else { throw .unknownVersion }
        let instant = try CloudEvent.text("time", of: json)
        guard let time = Timestamp(instant) else { throw .malformed("time") }
        guard let sequence = Int64(try CloudEvent.text("sequence", of: json)), sequence >= 1 else {
            throw .malformed("sequence")
        }
        guard let data = json["data"] else { throw .missing("data") }
        self.init(
            id: try CloudEvent.text("id", of: json),
            source: try CloudEvent.text("source", of: json),
            type: try CloudEvent.text("type", of: json),
            subject: try CloudEvent.text("subject", of: json),
            time: time,
            aggregateType: try CloudEvent.text("aggregatetype", of: json),
            sequence: sequence,
            correlation: json["correlationid"]?.stringValue,
            causation: json["causationid"]?.stringValue,
            traceparent: json["traceparent"]?.stringValue,
            data: data
        )
    }

    private static func text(_ name: String, of json: JSON) throws(CloudEventError) -> String {
        guard let text = json[name]?.stringValue, !text.isEmpty else { throw .missing(name) }
        return text
    }
}
