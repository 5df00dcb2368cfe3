import DomainKit
import Logging
import Synchronization
import Testing

@testable import Composition

struct HousekeepingTests {
    private struct Fault: Error {}

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Counts the sets of a chore that has so many things to tidy.
    private final class Heap: Sendable {
        let sets = Mutex(0)
        private let things: Mutex<Int>

        init(_ things: Int) { self.things = Mutex(things) }

        func chore(setMax: Int) -> Chore {
            Chore(
                name: "heap",
                schema: "test",
                setMax: setMax,
                work: {
                    self.sets.withLock { $0 += 1 }
                    return self.things.withLock { things in
                        defer { things -= min(things, setMax) }
                        return min(things, setMax)
                    }
                }
            )
        }
    }

    @Test(arguments: [(0, 1), (9, 1), (10, 2), (25, 3), (10_000, Housekeeping.setsMax)])
    func `a chore is done in sets until one isn't full, within a bound`(things: Int, sets: Int) async {
        let heap = Heap(things)
        await Housekeeping(chores: [heap.chore(setMax: 10)], logger: HousekeepingTests.quiet).tidy()
        #expect(heap.sets.withLock { $0 } == sets)
    }

    @Test func `a chore that fails doesn't keep the others from being done`() async {
        let heap = Heap(1)
        let failing = Chore(name: "failing", schema: "test") { throw Fault() }
        await Housekeeping(chores: [failing, heap.chore(setMax: 10)], logger: HousekeepingTests.quiet).tidy()
        #expect(heap.sets.withLock { $0 } == 1)
    }
}
