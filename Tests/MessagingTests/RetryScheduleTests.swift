import Messaging
import Randomness
import Testing

@Suite struct RetryScheduleTests {
    @Test(arguments: [
        (1, 5.0), (2, 10), (3, 20), (12, 10_240), (13, 20_480), (14, 21_600), (20, 21_600), (1_000_000, 21_600),
    ])
    func `the delay doubles from 5 seconds to 6 hours and half of it is random`(attempt: Int, whole: Double) {
        var random = SeededRandom(UInt64(attempt))
        let delays = (0..<200).map { _ in RetrySchedule.standard.delaySeconds(afterAttempt: attempt, using: &random) }
        #expect(delays.allSatisfy { (whole / 2...whole).contains($0) })
        #expect(Set(delays).count > 100)
    }
}
