import HTTP
import Kernel
import WalletCrypto

extension Strategy {
    /// It as its user gets it.
    var json: JSON {
        func money(_ minorUnits: Int128) -> JSON { .string(Money(minorUnits: minorUnits, asset).wire) }
        let earned = earned
        return [
            "id": .string(id.wire), "offer": .string(offer), "chain": .string(chain), "wallet": .string(wallet.wire),
            "asset": .string(asset.code), "status": .string(status.rawValue), "deposited": money(principal),
            "withdrawn": money(withdrawn), "value": value.map { money($0.amount) } ?? .null,
            "pair_deposited": .string(String(pairPrincipal)), "pair_withdrawn": .string(String(pairWithdrawn)),
            "pair_value": value?.pairAmount.map { .string(String($0)) } ?? .null,
            "total_value": value.map { money($0.total) } ?? .null,
            "impermanent_loss": value?.impermanentLoss.map { .string($0.description) } ?? .null,
            "yield": [
                "actual": .string((earned < 0 ? "-" : "") + Money(minorUnits: abs(earned), asset).wire),
                // Before any rate is known there is nothing that could be expected.
                "expected": expected == 0 && value?.rate == nil ? .null : money(expected),
            ],
            "drawdown": .string(Billionths.text(drawdown)),
            "stop_loss": stopLoss.map { .string(Billionths.text($0)) } ?? .null,
            "drawdown_max": drawdownMax.map { .string(Billionths.text($0)) } ?? .null,
            "auto_compound": .bool(autoCompound),
            "rebalance": rebalance.map { terms in
                [
                    "band": .string(Billionths.text(terms.band)), "horizon_days": .integer(terms.days),
                    "observations": .integer(terms.observations),
                ]
            } ?? .null,
            "valued_in": value.map { value in
                [
                    "number": .integer(value.block.number), "hash": .string(HexText.encode(value.block.hash)),
                    "at": .string(value.minedAt.description),
                ]
            } ?? .null,
            "created_at": .string(createdAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Strategy.self)), .required("offer", .anyString),
            .required("chain", .anyString, "CAIP-2."), .required("wallet", .id(of: Wallet.self)),
            .required("asset", .asset), .required("status", .oneOf(Status.self)),
            .required("deposited", .amount, "What went in, less the share of it that came out; final blocks only."),
            .required("withdrawn", .amount), .required("value", .nullable(.amount), "What it is worth on the chain."),
            .required("pair_deposited", .anyString, "The pair's other token, in its smallest units."),
            .required("pair_withdrawn", .anyString, "The same, or of the token that rewards are paid in."),
            .required("pair_value", .nullable(.anyString)),
            .required("total_value", .nullable(.amount), "All of it in the asset, at the pool's price."),
            .required(
                "impermanent_loss",
                .nullable(.anyString),
                "Of a pair: what it is worth against holding what went in, less 1, without fees."
            ),
            .required(
                "yield",
                .object(
                    [
                        .required("actual", .anyString, "What it earned; below zero for a loss."),
                        .required(
                            "expected",
                            .nullable(.amount),
                            "What the rates on the way would have given; null while none was known."
                        ),
                    ],
                    named: "StrategyYield"
                ),
                "What it earned, and what was to be expected."
            ),
            .required("drawdown", .anyString, "The largest fall from its highest worth, as a fraction."),
            .required("stop_loss", .nullable(.anyString)), .required("drawdown_max", .nullable(.anyString)),
            .required("auto_compound", .bool),
            .required("rebalance", .nullable(StrategyRoutes.rebalanceSchema)),
            .required("valued_in", .nullable(.any), "The block that the value is of."),
            .required("created_at", .instant),
        ],
        named: "Strategy"
    )
}

extension Deployment.Offer {
    /// It with its yield, as of a block; null where the chain doesn't say or what it said is too old.
    func json(
        _ known: Strategies.KnownRate?,
        beyond: [String],
        now: Timestamp
    ) -> JSON {
        let age = known.map { max(0, now.seconds - $0.at.seconds) }
        let isFresh = age.map { $0 <= Strategies.rateSecondsMax } ?? false
        let rate = isFresh ? known?.rate : nil
        let reward = isFresh ? known?.reward : nil
        return [
            "id": .string(id), "protocol": .string(description.name),
            "family": .string(description.family.rawValue), "asset": .string(asset.code),
            "pair": pair.map { .string($0.symbol) } ?? .null, "contract": .string(contract.description),
            "risks": .array(description.risks.map(\.rawValue).sorted().map { .string($0) }),
            "risks_beyond_tolerance": .array(beyond.map { .string($0) }),
            "apr_base": rate.map { .string(Billionths.text($0)) } ?? .null,
            "apy_base": rate.flatMap(Self.apy).map { .string($0) } ?? .null,
            "apr_reward": reward.map { .string(Billionths.text($0)) } ?? .null,
            "apy_reward": reward.flatMap(Self.apy).map { .string($0) } ?? .null,
            "age_seconds": age.map { .integer($0) } ?? .null, "is_stale": .bool(!isFresh),
            "block": known.map {
                ["number": .integer($0.block.number), "hash": .string(HexText.encode($0.block.hash))]
            } ?? .null,
        ]
    }

    /// The rate as if its interest earned interest each second, as lending protocols quote it.
    private static func apy(_ rate: Int64) -> String? {
        guard let fraction = Fixed18(Billionths.text(rate)) else { return nil }
        return CompoundInterest.yearlyYield(rate: fraction, periodsPerYear: OfferRate.secondsPerYear)?.description
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .anyString), .required("protocol", .anyString),
            .required("family", .oneOf(ProtocolDescription.Family.allCases.map(\.rawValue))),
            .required("asset", .asset), .required("pair", .nullable(.anyString)), .required("contract", .anyString),
            .required(
                "risks",
                .array(of: .oneOf(ProtocolDescription.Risk.allCases.map(\.rawValue)), count: 0...20)
            ),
            .required(
                "risks_beyond_tolerance",
                .array(of: .oneOf(ProtocolDescription.Risk.allCases.map(\.rawValue)), count: 0...20),
                "Those of its risks that your settings exclude."
            ),
            .required("apr_base", .nullable(.anyString), "A year, without compounding; null where unknown."),
            .required("apy_base", .nullable(.anyString), "A year, with compounding."),
            .required(
                "apr_reward",
                .nullable(.anyString),
                "Rewards beside it, as they are worth now; null where none."
            ),
            .required("apy_reward", .nullable(.anyString), "The same, as if they were put to work at once."),
            .required("age_seconds", .nullable(.integer(0...Int.max)), "How old the rate is."),
            .required("is_stale", .bool), .required("block", .nullable(.any)),
        ],
        named: "Offer"
    )
}
