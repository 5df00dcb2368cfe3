import Kernel
import Randomness
import Testing

@Suite struct IDTests {
    private enum Thing: Entity { static let idPrefix = "thing" }
    private enum Other: Entity { static let idPrefix = "other" }

    // The example of TypeID's specification.
    private let id = ID<Thing>(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881)

    @Test func `an id is written as UUID and with its prefix, and read back`() {
        #expect("\(id)" == "0188bac7-4afa-78aa-bc3b-bd1eef28d881")
        #expect(id.wire == "thing_01h2xcejqtf2nbrexx3vqjhp41")
        #expect(ID<Thing>(wire: id.wire) == id)
        #expect(ID<Thing>(uuid: "\(id)") == id)
        #expect(ID<Thing>(uuid: "\(id)".uppercased()) == id)
        for value in [UInt128.min, 1, .max] {
            #expect(ID<Thing>(wire: ID<Thing>(value).wire)?.value == value)
            #expect(ID<Thing>(uuid: "\(ID<Thing>(value))")?.value == value)
        }
    }

    @Test(arguments: [
        "", "thing", "thing_", "01h2xcejqtf2nbrexx3vqjhp41", "other_01h2xcejqtf2nbrexx3vqjhp41",
        "thing-01h2xcejqtf2nbrexx3vqjhp41", "thing_01H2XCEJQTF2NBREXX3VQJHP41", "thing_01h2xcejqtf2nbrexx3vqjhp4",
        "thing_01h2xcejqtf2nbrexx3vqjhp411", "thing_81h2xcejqtf2nbrexx3vqjhp41", "thing_01h2xcejqtf2nbrexx3vqjhpi1",
        "thing_01h2xcejqtf2nbrexx3vqjhp4é", " thing_01h2xcejqtf2nbrexx3vqjhp41", "thing_01h2xcejqtf2nbrexx3vqjhp41\0",
    ])
    func `another text is no wire id`(text: String) {
        #expect(ID<Thing>(wire: text) == nil)
    }

    @Test(arguments: [
        "", "0188bac74afa78aabc3bbd1eef28d881", "0188bac7-4afa-78aa-bc3b-bd1eef28d88",
        "0188bac7-4afa-78aa-bc3b-bd1eef28d8811",
        "0188bac7-4afa-78aa-bc3bbd1e-ef28d881", "g188bac7-4afa-78aa-bc3b-bd1eef28d881",
        "{188bac7-4afa-78aa-bc3b-bd1eef28d881",
        "+188bac7-4afa-78aa-bc3b-bd1eef28d881",
    ])
    func `another text is no UUID`(text: String) {
        #expect(ID<Thing>(uuid: text) == nil)
    }

    @Test func `a minted id has version, variant and the clock's time`() {
        let instant = Timestamp(microseconds: 1_795_163_400_123_456)
        let generator = IDGenerator(clock: ManualClock(instant), random: SeededRandom(1))
        let id: ID<Thing> = generator.next()
        #expect(id.value >> 76 & 0xF == 7)
        #expect(id.value >> 62 & 0b11 == 0b10)
        #expect(id.mintedAt == Timestamp(microseconds: 1_795_163_400_123_000))
        #expect(id.cast(to: Other.self).value == id.value)
    }

    @Test func `ids of one generator rise though its clock stands or runs backwards`() {
        let clock = ManualClock(Timestamp(seconds: 1_795_163_400))
        let generator = IDGenerator(clock: clock, random: SeededRandom(2))
        var last = generator.next(Thing.self)
        for round in 0..<10_000 {
            if round == 5_000 { clock.advance(seconds: -60) }
            let next = generator.next(Thing.self)
            guard last < next, next.value >> 76 & 0xF == 7, next.value >> 62 & 0b11 == 0b10 else {
                Issue.record("\(next) after \(last)")
                return
            }
            last = next
        }
    }

    @Test func `counting up carries over the version and variant bits`() {
        struct Ones: RandomNumberGenerator { func next() -> UInt64 { .max } }
        let generator = IDGenerator(clock: ManualClock(Timestamp(microseconds: 999)), random: Ones())
        let ids = (0..<20_000).map { _ in generator.next(Thing.self) }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ids.allSatisfy { $0.value >> 76 & 0xF == 7 && $0.value >> 62 & 0b11 == 0b10 })
    }

    @Test func `many tasks at once get different ids`() async {
        let generator = IDGenerator()
        let ids = await withTaskGroup(of: [UInt128].self) { group in
            for _ in 0..<16 { group.addTask { (0..<1_000).map { _ in generator.next(Thing.self).value } } }
            return await group.reduce(into: Set<UInt128>()) { $0.formUnion($1) }
        }
        #expect(ids.count == 16_000)
    }
}
