import Testing
import WalletCrypto

@Suite struct YieldTests {
    private func decimal(_ text: String) throws -> Fixed18 { try #require(Fixed18(text)) }

    @Test func `a price that stays or comes back loses nothing`() throws {
        #expect(ImpermanentLoss.constantProduct(priceRatio: try decimal("1"))?.description == "0.000000000000000000")
        let same = ImpermanentLoss.range(
            entryPrice: try decimal("3000"),
            lower: try decimal("2000"),
            upper: try decimal("4000"),
            price: try decimal("3000")
        )
        #expect(same?.loss.description == "0.000000000000000000" && same?.inRange == true)
    }

    @Test func `a fourfold price costs a fifth, and a range more than the whole line`() throws {
        #expect(ImpermanentLoss.constantProduct(priceRatio: try decimal("4"))?.description == "-0.200000000000000000")
        let narrow = ImpermanentLoss.range(
            entryPrice: try decimal("1"),
            lower: try decimal("0.5"),
            upper: try decimal("2"),
            price: try decimal("4")
        )
        let loss = try #require(narrow)
        #expect(!loss.inRange)
        let fifth = try decimal("0.2")
        #expect(loss.loss.scaled.isNegative && loss.loss.scaled.magnitude > fifth.scaled.magnitude)
    }

    @Test func `prices that make no sense have no loss`() throws {
        let (one, zero) = (try decimal("1"), try decimal("0"))
        #expect(ImpermanentLoss.constantProduct(priceRatio: zero) == nil)
        #expect(ImpermanentLoss.constantProduct(priceRatio: try decimal("-1")) == nil)
        #expect(ImpermanentLoss.range(entryPrice: one, lower: one, upper: one, price: one) == nil)
    }

    @Test func `interest that is paid once a year is the rate`() throws {
        #expect(CompoundInterest.yearlyYield(rate: try decimal("0.051"), periodsPerYear: 1) == (try decimal("0.051")))
        for (rate, periods) in [("-0.1", 1), ("0.1", 0), ("101", 1), ("0.1", 31_536_001)] {
            #expect(CompoundInterest.yearlyYield(rate: try decimal(rate), periodsPerYear: periods) == nil)
        }
        // e - 1 from below, once a second.
        let yield = try #require(CompoundInterest.yearlyYield(rate: try decimal("1"), periodsPerYear: 31_536_000))
        #expect(yield.description.hasPrefix("1.71828178"))
    }

    @Test func `a drawdown remembers the highest value and the deepest fall`() throws {
        var drawdown = Drawdown()
        let falls = try ["100", "80", "120", "90", "121", "120"].map {
            drawdown.add(try decimal($0)).description.prefix(6)
        }
        #expect(falls == ["0.0000", "0.2000", "0.0000", "0.2500", "0.0000", "0.0082"])
        #expect(try drawdown.maximum == decimal("0.25"))
        #expect(try drawdown.peak == decimal("121"))
        var restored = Drawdown(peak: drawdown.peak, maximum: drawdown.maximum)
        restored.add(try decimal("60.5"))
        #expect(restored.maximum == (try decimal("0.5")))
    }

    @Test func `a vault rounds in its own favour`() {
        let vault = VaultShares(totalAssets: BigUInt(100), totalSupply: BigUInt(33), decimalsOffset: 0)
        for amount in 0..<50 {
            let amount = BigUInt(amount)
            #expect(vault.withdraw(amount) >= vault.deposit(amount))
            #expect(vault.mint(amount) >= vault.redeem(amount))
            #expect(vault.redeem(vault.deposit(amount)) <= amount)
        }
    }
}
