import Fees
import Kernel
import Randomness
import Testing

@Suite struct FeeRefundTests {
    private func lines(_ cents: [Int128], refundable: [Bool]? = nil) -> [FeeLine] {
        cents.enumerated().map { index, cents in
            let amount = Money(minorUnits: cents, .usd)
            return FeeLine(
                sequence: index + 1,
                category: .platform,
                rule: "fee_\(index)",
                text: "Fee",
                schedule: ID(1),
                version: 1,
                base: amount,
                rate: "",
                raw: amount.wire,
                amount: amount,
                kind: .actual,
                bound: nil,
                allowanceTaken: nil,
                isRefundable: refundable?[index] ?? true
            )
        }
    }

    @Test func `a full refund gives all fees back`() throws {
        var refund = FeeRefund(amount: try usd("100.00"), lines: lines([50, 320]))
        #expect(try refund.refund(try usd("100.00")).map(\.wire) == ["0.50", "3.20"])
    }

    @Test func `a partial refund gives its share back and the rest later`() throws {
        var refund = FeeRefund(amount: try usd("3.00"), lines: lines([1, 1, 1]))
        let parts = try (1...3).map { _ in try refund.refund(try usd("1.00")).map(\.minorUnits) }
        #expect(parts == [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    }

    @Test func `fees that are not refundable stay`() throws {
        var refund = FeeRefund(amount: try usd("10.00"), lines: lines([50, 320], refundable: [false, true]))
        #expect(try refund.refund(try usd("5.00")).map(\.wire) == ["0.00", "1.60"])
        #expect(try refund.refund(try usd("5.00")).map(\.wire) == ["0.00", "1.60"])
    }

    @Test func `more than the rest is refused and changes nothing`() throws {
        var refund = FeeRefund(amount: try usd("10.00"), lines: lines([50]))
        _ = try refund.refund(try usd("4.00"))
        let before = refund
        let (left, requested) = (try usd("6.00"), try usd("6.01"))
        #expect(throws: FeeError.refundExceedsAmount(left: left, requested: requested)) {
            try refund.refund(requested)
        }
        #expect(throws: FeeError.amountNotPositive) { try refund.refund(.zero(.usd)) }
        #expect(throws: FeeError.assetMismatch(expected: .usd, found: .eur)) {
            try refund.refund(Money(minorUnits: 1, .eur))
        }
        #expect(refund == before)
    }

    @Test func `partial refunds of any size sum exactly and never take anything back`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        for _ in 0..<2_000 {
            let amount = Int128.random(in: 1...5_000, using: &random)
            let fees = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int128.random(in: 0...40, using: &random)
            }
            var refund = FeeRefund(amount: Money(minorUnits: amount, .usd), lines: lines(fees))
            while refund.refunded != refund.amount {
                let left = (refund.amount - refund.refunded).minorUnits
                let part = Money(minorUnits: min(left, Int128.random(in: 1...(amount / 7 + 1), using: &random)), .usd)
                let given = try refund.refund(part)
                try #require(given.allSatisfy { $0.minorUnits >= 0 }, "seed \(seed)")
                for (line, fee) in zip(refund.returned, fees) {
                    // Less than two units from the exact share; both sides times the amount.
                    let distance = line.minorUnits * amount - fee * refund.refunded.minorUnits
                    try #require(distance.magnitude < 2 * amount.magnitude && line.minorUnits <= fee, "seed \(seed)")
                }
                let due = Rounding.halfEven.scale(fees.reduce(0, +), by: refund.refunded.minorUnits, over: amount)
                try #require(refund.returned.reduce(0) { $0 + $1.minorUnits } == due, "seed \(seed)")
                let restored = FeeRefund(
                    amount: refund.amount,
                    lines: lines(fees),
                    refunded: refund.refunded,
                    returned: refund.returned
                )
                try #require(restored == refund, "seed \(seed)")
            }
            try #require(refund.returned.map(\.minorUnits) == fees, "seed \(seed)")
        }
    }
}
