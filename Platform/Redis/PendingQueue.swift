/// First in, first out, without moving the rest at each removal.
struct PendingQueue<Element> {
    private var slots: [Element?] = []
    private var head = 0

    /// Emptied slots in front that are kept before the rest is moved up.
    private static var emptySlotsMax: Int { 1024 }

    var isEmpty: Bool { head == slots.count }
    var count: Int { slots.count - head }
    var first: Element? { isEmpty ? nil : slots[head] }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = slots[head]
        slots[head] = nil
        head += 1
        if isEmpty {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head > Self.emptySlotsMax, head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return element
    }

    func forEach(_ body: (Element) -> Void) {
        for slot in slots[head...] {
            if let slot { body(slot) }
        }
    }
}
