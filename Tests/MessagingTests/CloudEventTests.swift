import Kernel
@testable import Messaging
import Testing

@Suite struct CloudEventTests {
    private let event = CloudEvent(
        id: "018f2d3c-0000-8000-8000-000000000001",
        source: "/diboas/banking",
        type: "banking.transaction.completed.v1",
        subject: "018f2d3c-0000-7000-8000-000000000002",
        time: Timestamp(microseconds: 1_700_000_000_123_456),
        aggregateType: "transaction",
        sequence: 7,
        correlation: "c",
        causation: nil,
        traceparent: "00-a-b-01",
        data: ["amount": "12.30", "fee": .number("0.10")]
    )

    @Test func `an event survives its JSON form`() throws {
        let text = event.json.serialized()
        #expect(try CloudEvent(json: JSON.parse(text)) == event)
    }

    @Test func `the form is structured CloudEvents 1_0`() {
        #expect(event.json["specversion"] == "1.0")
        #expect(event.json["time"] == "2023-11-14T22:13:20.123456Z")
        #expect(event.json["datacontenttype"] == "application/json")
        #expect(event.json["partitionkey"] == "transaction/018f2d3c-0000-7000-8000-000000000002")
        #expect(event.json["sequence"] == "7")
        #expect(event.json["causationid"] == nil)
        #expect(event.json["data"]?["amount"] == "12.30")
    }

    @Test(arguments: ["id", "source", "type", "subject", "time", "aggregatetype", "sequence", "data"])
    func `a missing attribute is named`(name: String) throws {
        #expect(throws: CloudEventError.missing(name)) { try CloudEvent(json: event.json.replacing(name, by: nil)) }
    }

    @Test(arguments: [("time", "yesterday"), ("sequence", "0"), ("sequence", "one")])
    func `a malformed attribute is named`(name: String, text: String) throws {
        #expect(throws: CloudEventError.malformed(name)) {
            try CloudEvent(json: event.json.replacing(name, by: .string(text)))
        }
    }

    @Test(arguments: [JSON.string("0.3"), nil]) func `another version is refused`(version: JSON?) {
        #expect(throws: CloudEventError.unknownVersion) {
            try CloudEvent(json: event.json.replacing("specversion", by: version))
        }
    }

    @Test func `an event's id depends on aggregate, version and type alone`() {
        let (one, two) = (ID<OutboxEvent>(1), ID<OutboxEvent>(2))
        func make(
            _ id: ID<OutboxEvent>,
            _ aggregateType: String,
            _ aggregate: UInt128,
            _ version: Int64,
            _ type: String
        ) -> UInt128 {
            OutboxEvent(
                id: id,
                aggregateType: aggregateType,
                aggregate: ID<OutboxEvent>(aggregate),
                version: version,
                type: type,
                payload: ["n": .integer(id.value)]
            ).eventID
        }
        let base = make(one, "transaction", 9, 3, "done")
        #expect(make(two, "transaction", 9, 3, "done") == base)
        let others = [
            make(one, "account", 9, 3, "done"), make(one, "transaction", 8, 3, "done"),
            make(one, "transaction", 9, 4, "done"),
            make(one, "transaction", 9, 3, "failed"),
        ]
        #expect(Set(others + [base]).count == 5)
        #expect((base >> 76) & 0xF == 8 && (base >> 62) & 0b11 == 0b10, "a UUIDv8")
    }
}

extension JSON {
    fileprivate func replacing(_ name: String, by value: JSON?) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name } + (value.map { [Member(name, $0)] } ?? []))
    }
}
