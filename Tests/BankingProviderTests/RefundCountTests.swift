import Kernel
import Testing

@testable import Banking

/// What is taken back of a deposit, whatever way and order a provider tells its refunds in.
@Suite struct RefundCountTests {
    private static let deposit = BankTransaction(
        id: IDGenerator().next(),
        user: IDGenerator().next(),
        kind: .deposit,
        amount: Money(minorUnits: 10_000, .usd),
        fee: Money(minorUnits: 370, .usd),
        account: "checking",
        quote: [:],
        at: Timestamp(seconds: 0)
    )

    private static func event(
        _ amount: Int128?,
        part: String? = nil,
        id: String = "e",
        _ state: ProviderEvent.State = .refunded,
        asset: Asset = .usd
    ) -> ProviderEvent {
        ProviderEvent(
            id: id,
            type: "refund",
            objectID: "o",
            state: state,
            occurredAt: Timestamp(seconds: 0),
            transaction: nil,
            amount: amount.map { Money(minorUnits: $0, asset) },
            actualFee: nil,
            reason: nil,
            part: part
        )
    }

    /// Takes events one after the other, and answers with what each took.
    private static func take(_ events: [ProviderEvent]) throws -> [Int128?] {
        var (rows, deposit): ([Refund], BankTransaction) = ([], deposit)
        deposit.follow([.init(.validating), .init(.completed)])
        return try events.map { event in
            guard let refund = try Refunds(rows).adding(event, from: "p", to: deposit) else { return nil }
            rows.append(refund)
            if refund.taken > 0 {
                try deposit.takeBack(Money(minorUnits: refund.taken, .usd), reason: nil, metadata: nil)
            }
            return refund.taken
        }
    }

    @Test func `refunds and the totals that hold them are counted once, in every order`() throws {
        let events = [
            RefundCountTests.event(3_000, part: "a", id: "1"), RefundCountTests.event(3_000, id: "2"),
            RefundCountTests.event(2_000, part: "b", id: "3"), RefundCountTests.event(5_000, id: "4"),
            RefundCountTests.event(2_000, part: "b", id: "5"),
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<120 {
            let shuffled = events.shuffled(using: &random)
            let taken = try RefundCountTests.take(shuffled).compactMap(\.self).reduce(0, +)
            #expect(taken == 5_000, "\(shuffled.map(\.id))")
        }
    }

    @Test func `more than the deposit is refused, up to its last unit it is taken`() throws {
        let event = RefundCountTests.event
        #expect(try RefundCountTests.take([event(10_000, "a", "1", .refunded, .usd)]) == [10_000])
        #expect(throws: Refunds.Excess(stated: 10_001, left: 10_000)) {
            try RefundCountTests.take([event(10_001, nil, "1", .refunded, .usd)])
        }
        #expect(throws: Refunds.Excess(stated: 4_001, left: 4_000)) {
            try RefundCountTests.take([
                event(6_000, "a", "1", .refunded, .usd), event(4_001, "b", "2", .refunded, .usd),
            ])
        }
        #expect(throws: Refunds.Excess.self) {
            try RefundCountTests.take([event(1, "a", "1", .refunded, .eur)])
        }
        #expect(throws: Refunds.Excess.self) {
            try RefundCountTests.take([event(0, "a", "1", .refunded, .usd)])
        }
    }

    @Test func `a dispute takes what is left, once`() throws {
        let event = RefundCountTests.event
        let (part, whole) = (event(6_000, "a", "1", .refunded, .usd), event(10_000, "d", "2", .disputed, .usd))
        #expect(try RefundCountTests.take([part, whole, whole]) == [6_000, 4_000, nil])
        #expect(try RefundCountTests.take([whole]) == [10_000])
    }
}
