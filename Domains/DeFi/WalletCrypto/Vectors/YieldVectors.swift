import Kernel

/// The arithmetic of positions.
enum YieldVectors {
    static let checks: [String: VectorCheck] = [
        "aave_ray": { input throws(VectorInput.Missing) in
            let (a, b) = (try input.number("a"), try input.number("b"))
            guard !b.isZero else { throw VectorInput.Missing(field: "b") }
            return [
                "rayMul": .string(RayMath.multiply(a, b).description),
                "rayDiv": .string(RayMath.divide(a, b).description),
            ]
        },
        "aave_linear_interest": { input throws(VectorInput.Missing) in
            let factor = RayMath.linearInterest(
                rate: try input.number("rateRay"),
                seconds: UInt64(try input.integer("seconds"))
            )
            return ["factor": .string(factor.description)]
        },
        "erc4626_preview": { input throws(VectorInput.Missing) in
            let offset = try input.integer("decimalsOffset")
            guard offset <= 36 else { throw VectorInput.Missing(field: "decimalsOffset") }
            let vault = VaultShares(
                totalAssets: try input.number("totalAssets"),
                totalSupply: try input.number("totalSupply"),
                decimalsOffset: offset
            )
            let amount = try input.number("amount")
            return [
                "previewDeposit": .string(vault.deposit(amount).description),
                "previewWithdraw": .string(vault.withdraw(amount).description),
                "previewMint": .string(vault.mint(amount).description),
                "previewRedeem": .string(vault.redeem(amount).description),
            ]
        },
        "impermanent_loss_50_50": { input throws(VectorInput.Missing) in
            let loss = ImpermanentLoss.constantProduct(priceRatio: try input.decimal("priceRatio"))
            return ["loss": loss.map { .string($0.description) } ?? nil]
        },
        "impermanent_loss_range": { input throws(VectorInput.Missing) in
            let result = ImpermanentLoss.range(
                entryPrice: try input.decimal("entryPrice"),
                lower: try input.decimal("lower"),
                upper: try input.decimal("upper"),
                price: try input.decimal("price")
            )
            guard let result else { return ["error": "prices"] }
            return ["loss": .string(result.loss.description), "inRange": .bool(result.inRange)]
        },
        "apr_to_apy": { input throws(VectorInput.Missing) in
            let yield = CompoundInterest.yearlyYield(
                rate: try input.decimal("apr"),
                periodsPerYear: try input.integer("periodsPerYear")
            )
            return ["apy": yield.map { .string($0.description) } ?? nil]
        },
        "max_drawdown": { input throws(VectorInput.Missing) in
            var drawdown = Drawdown()
            for text in try input.texts("values") {
                let value = try input.required("values", Fixed18(text))
                guard !value.scaled.isNegative else { throw VectorInput.Missing(field: "values") }
                drawdown.add(value)
            }
            return ["maxDrawdown": .string(drawdown.maximum.description)]
        },
    ]
}
