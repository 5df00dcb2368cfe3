import Kernel
import Messaging
import Testing

/// Five events of one payment as a provider tells them; two share an instant, and one late report is not final.
let paymentStates = [
    ProviderState("created", rank: 0, isFinal: false, created: Timestamp(seconds: 100)),
    ProviderState("processing", rank: 1, isFinal: false, created: Timestamp(seconds: 105)),
    ProviderState("requires_action", rank: 2, isFinal: false, created: Timestamp(seconds: 105)),
    ProviderState("succeeded", rank: 3, isFinal: true, created: Timestamp(seconds: 107)),
    ProviderState("updated", rank: 1, isFinal: false, created: Timestamp(seconds: 110)),
]

/// All orders of some elements.
func permutations<Element>(_ elements: [Element]) -> [[Element]] {
    guard elements.count > 1 else { return [elements] }
    return elements.indices.flatMap { index in
        var rest = elements
        let first = rest.remove(at: index)
        return permutations(rest).map { [first] + $0 }
    }
}

@Suite struct ProviderStateTests {
    @Test func `all 120 orders of five events end in the same state and never step back`() {
        let orders = permutations(paymentStates)
        #expect(orders.count == 120)
        for order in orders {
            var object = ProviderObject(source: "stripe", objectID: "pi_1", state: nil, version: 0)
            for told in order {
                guard let change = object.merging(told) else { continue }
                if let known = object.state { #expect(known < change.state) }
                #expect(change.expectedVersion == object.version)
                object = ProviderObject(
                    source: "stripe",
                    objectID: "pi_1",
                    state: change.state,
                    version: object.version + 1
                )
            }
            #expect(object.state?.name == "succeeded")
        }
    }

    @Test func `a state that is told again changes nothing`() {
        let object = ProviderObject(source: "stripe", objectID: "pi_1", state: paymentStates[1], version: 4)
        #expect(object.merging(paymentStates[1]) == nil)
        #expect(object.merging(paymentStates[0]) == nil)
        #expect(object.merging(paymentStates[2])?.expectedVersion == 4)
    }

    @Test func `a final state is followed by a later final one only`() {
        let object = ProviderObject(source: "stripe", objectID: "pi_1", state: paymentStates[3], version: 4)
        let refunded = ProviderState("refunded", rank: 4, isFinal: true, created: Timestamp(seconds: 500))
        #expect(object.merging(paymentStates[4]) == nil)
        #expect(object.merging(refunded)?.state == refunded)
    }

    @Test func `a change that was decided on an older state is rolled back`() async throws {
        try await Fixture.with { fixture in
            let known = try await fixture.inbox.object(source: "stripe", objectID: "pi_1")
            #expect(known.version == 0 && known.state == nil)
            let first = try #require(known.merging(paymentStates[0]))
            let second = try #require(known.merging(paymentStates[3]))
            try await fixture.commit([first])
            await #expect(throws: (any Error).self) { try await fixture.commit([second]) }
            let now = try await fixture.inbox.object(source: "stripe", objectID: "pi_1")
            #expect(now.version == 1 && now.state == paymentStates[0])
            try await fixture.commit([try #require(now.merging(paymentStates[3]))])
            await #expect(throws: (any Error).self) { try await fixture.commit([first]) }
            #expect(try await fixture.inbox.object(source: "stripe", objectID: "pi_1").state == paymentStates[3])
        }
    }
}
