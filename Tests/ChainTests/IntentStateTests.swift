import Kernel
import Testing

@testable import DeFi

/// The states of a transaction, as a table.
struct IntentStateTests {
    private static let block = BlockReference(number: 7, hash: [UInt8](repeating: 7, count: 32))
    private static let done = IntentState.Inclusion(block: block, succeeded: true, gasCost: 21_000, received: 0)
    private static let reverted = IntentState.Inclusion(block: block, succeeded: false, gasCost: 21_000, received: 0)

    private static let states: [IntentState] = [
        .built, .signed, .broadcast, .dropped, .displaced(block), .included(done), .included(reverted), .final(done),
        .failed(reverted), .replaced, .expired,
    ]
    private static let events: [IntentState.Event] = [
        .signed, .timedOut, .accepted, .lost, .included(done), .included(reverted), .displaced(block), .reorganised,
        .settled,
    ]
    // What each event makes of each state; what isn't here can't happen.
    private static let table: [(IntentState, IntentState.Event, IntentState)] = [
        (.built, .signed, .signed), (.built, .timedOut, .expired), (.signed, .accepted, .broadcast),
        (.dropped, .accepted, .broadcast), (.broadcast, .lost, .dropped),
        (.signed, .included(done), .included(done)), (.signed, .included(reverted), .included(reverted)),
        (.broadcast, .included(done), .included(done)), (.broadcast, .included(reverted), .included(reverted)),
        (.dropped, .included(done), .included(done)), (.dropped, .included(reverted), .included(reverted)),
        (.signed, .displaced(block), .displaced(block)), (.broadcast, .displaced(block), .displaced(block)),
        (.dropped, .displaced(block), .displaced(block)), (.displaced(block), .reorganised, .broadcast),
        (.included(done), .reorganised, .broadcast), (.included(reverted), .reorganised, .broadcast),
        (.included(done), .settled, .final(done)), (.included(reverted), .settled, .failed(reverted)),
        (.displaced(block), .settled, .replaced), (.signed, .settled, .replaced), (.dropped, .settled, .replaced),
    ]

    @Test(arguments: states)
    func `a state takes the events of its row and no others`(state: IntentState) {
        for event in Self.events {
            let wanted = Self.table.first { $0.0 == state && $0.1 == event }?.2
            let found = try? state.after(event)
            #expect(found == wanted, "\(state.name) after \(event)")
        }
    }

    @Test func `what is over takes no event at all`() {
        for state in Self.states where state.isOver {
            #expect(Self.events.allSatisfy { (try? state.after($0)) == nil }, "\(state.name)")
        }
    }

    @Test func `each state has a word of its own list`() {
        #expect(Set(Self.states.map(\.name)) == Set(IntentState.names))
    }

    @Test func `holds leave the first nonce that nobody has`() {
        var holds = WalletHolds()
        holds.nonces = [3, 4, 6]
        #expect(holds.free(from: 3) == 5)
        #expect(holds.free(from: 6) == 7)
        #expect(holds.free(from: 9) == 9)
    }
}
