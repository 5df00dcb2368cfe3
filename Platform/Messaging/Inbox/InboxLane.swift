/// Events of one object that a worker handles one after the other; an event without an object is alone in its lane.
struct InboxLane: Sendable {
    let source: String
    private(set) var events: [InboxEvent]

    /// Lanes of claimed events, in the order of their first events.
    static func sort(_ events: [InboxEvent]) -> [InboxLane] {
        struct Object: Hashable {
            let source: String
            let id: String
        }
        var lanes: [InboxLane] = []
        var places: [Object: Int] = [:]
        for event in events {
            guard let objectID = event.objectID else {
                lanes.append(InboxLane(source: event.source, events: [event]))
                continue
            }
            let object = Object(source: event.source, id: objectID)
            if let place = places[object] {
                lanes[place].events.append(event)
            } else {
                places[object] = lanes.count
                lanes.append(InboxLane(source: event.source, events: [event]))
            }
        }
        for place in places.values where lanes[place].events.count > 1 { lanes[place].putInOrder() }
        return lanes
    }

    /// Events with a sequence by it, and before those without; these stay as they came.
    private mutating func putInOrder() {
        let ordered = events.filter { $0.sequence != nil }.sorted { ($0.sequence ?? 0) < ($1.sequence ?? 0) }
        events = ordered + events.filter { $0.sequence == nil }
    }
}
