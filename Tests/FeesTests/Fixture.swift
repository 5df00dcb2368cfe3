import Fees
import Kernel
import Testing

/// Short words for what the tests build most.
enum Fixture {
    static let instant = Timestamp(seconds: 1_790_000_000)

    static func schedule(_ rules: [FeeRule], asset: Asset = .usd, allowExceed: Bool = false) throws -> FeeSchedule {
        try FeeSchedule(
            id: ID(7),
            version: 3,
            operation: "banking.test",
            asset: asset,
            effectiveFrom: Timestamp(seconds: 0),
            allowExceed: allowExceed,
            rules: rules
        )
    }

    static func quote(_ rules: [FeeRule], _ context: FeeContext, allowExceed: Bool = false) throws -> FeeQuote {
        let schedule = try schedule(rules, asset: context.amount.asset, allowExceed: allowExceed)
        return try FeeEngine.quote(context, schedule: schedule, id: ID(9), at: instant)
    }
}

func usd(_ text: String) throws -> Money { try Money(wire: text, .usd) }

func percent(_ text: String) throws -> Rate { try #require(try Rate(percent: text)) }
