import Kernel
import Testing

@Suite struct ClockTests {
    @Test func `a manual clock stands until it is moved`() {
        let clock = ManualClock(Timestamp(seconds: 5))
        #expect(clock.now() == clock.now())
        clock.advance(seconds: 2)
        #expect(clock.now() == Timestamp(seconds: 7))
        clock.set(Timestamp(seconds: 1))
        #expect(clock.now() == Timestamp(seconds: 1))
    }

    @Test func `the machine's clock is past the day on which this was written`() throws {
        let written = try #require(Timestamp("2024-01-01T00:00:00Z"))
        #expect(SystemClock().now() > written)
    }
}
