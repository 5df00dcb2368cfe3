import Kernel

extension FeeSchedule {
    /// The first version of every schedule, as the migration that makes the table stores them.
    ///
    /// In every asset a unit is worth about a dollar, so the flat fees are the same numbers. Adding money by card
    /// costs 0.5 % for the platform, less for higher tiers and large months, and 2.9 % + 0.30 for the provider; by
    /// wire it is free, and so is money that moves between a customer's own domains. A payment costs 0.10. A
    /// withdrawal costs 1.00, of which half goes to the chain where the asset lives on one.
    public static let defaults: [FeeSchedule] = {
        var schedules: [FeeSchedule] = []
        for asset in [Asset.usd, .eur, .usdc, .usdt] {
            for (operation, rules) in DefaultFees(asset: asset).byOperation {
                schedules.append(defaultSchedule(number: schedules.count + 1, operation, asset, rules))
            }
        }
        return schedules
    }()

    private static func defaultSchedule(
        number: Int,
        _ operation: String,
        _ asset: Asset,
        _ rules: [FeeRule]
    ) -> FeeSchedule {
        // 2025-01-01T00:00:00Z. The ids are UUIDv7 of that instant whose random bits count up.
        let start = Timestamp(seconds: 1_735_689_600)
        let id = UInt128(start.milliseconds) << 80 | 0x7 << 76 | 0b10 << 62 | UInt128(number)
        do {
            return try FeeSchedule(
                id: ID(id),
                version: 1,
                operation: operation,
                asset: asset,
                effectiveFrom: start,
                rules: rules
            )
        } catch {
            preconditionFailure("a default fee schedule has faults: \(error)")
        }
    }
}

private struct DefaultFees {
    let asset: Asset

    var byOperation: [(String, [FeeRule])] {
        [
            ("banking.deposit.card", card), ("banking.deposit.wire", []),
            ("banking.payment", [FeeRule("payment", .platform, "Payment", terms: [.flat(cents(10))])]),
            ("banking.withdrawal", withdrawal), ("banking.transfer", []), ("investing.transfer", []),
            ("defi.transfer", []),
        ]
    }

    private var card: [FeeRule] {
        [
            FeeRule(
                "card_platform",
                .platform,
                "Adding money by card",
                terms: [.percentage(permille(5))],
                tiers: [
                    .tier2: .discount(permille(100)), .tier3: .discount(permille(200)),
                    .tier4: .discount(permille(350)), .tier5: .discount(permille(500)),
                ],
                volumeDiscounts: [
                    FeeVolumeDiscount(from: cents(1_000_000), discount: permille(100)),
                    FeeVolumeDiscount(from: cents(5_000_000), discount: permille(250)),
                ]
            ),
            FeeRule(
                "card_processing",
                .provider,
                "Card processing",
                terms: [.percentage(permille(29)), .flat(cents(30))]
            ),
        ]
    }

    private var withdrawal: [FeeRule] {
        if asset == .usd || asset == .eur {
            return [FeeRule("withdrawal", .platform, "Withdrawal", terms: [.flat(cents(100))])]
        }
        return [
            FeeRule("withdrawal", .platform, "Withdrawal", terms: [.flat(cents(50))]),
            FeeRule("withdrawal_network", .network, "Network", terms: [.flat(cents(50))]),
        ]
    }

    private func permille(_ parts: Int64) -> Rate { Rate(partsPerBillion: parts * 1_000_000) }

    /// Hundredths of the asset's unit.
    private func cents(_ count: Int128) -> Money {
        Money(minorUnits: (2..<asset.scale).reduce(count) { result, _ in result * 10 }, asset)
    }
}
