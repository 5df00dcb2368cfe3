import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What requests get that can't be met, before anything is built.
@Suite(.serialized)
struct RefusalTests {
    private static let path = "/v1/defi/strategies"

    @Test func `a strategy is started as its offer has it, and leaves with what is in it, once`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            for (offer, pairAmount, code) in [
                ("nothing", nil, "offer_not_found"), (Offered.pair.rawValue, nil, "pair_amount_needed"),
                (Offered.vault.rawValue, "1", "pair_amount_needed"),
            ] {
                let more = pairAmount.map { [JSON.Member("pair_amount", .string($0))] } ?? []
                let body = JSON.object(
                    [
                        .init("wallet", .string(ada.wallet.wire)), .init("offer", .string(offer)), .init("amount", "1"),
                    ] + more
                )
                #expect(try await world.refusal(Self.path, by: ada, body) == code)
            }
            let strategy = try await world.started(.vault, by: ada)
            let listed = try await world.ask("GET", "/v1/defi/positions", by: ada)
            #expect(listed.json["data"]?.elements?.map { $0["id"] } == [.string(strategy.id.wire)])
            let others = try await world.ask("GET", "/v1/defi/positions", by: try await world.person(2))
            #expect(others.json["data"]?.elements == [])
            let stop = "\(Self.path)/\(strategy.id.wire)/stop"
            #expect(try await world.refusal(stop, by: ada, ["amount": "4000"]) == "not_enough_in_it")
            _ = try await world.pool.query("update defi.strategies set offer = 'gone' where id = \(strategy.id)")
            #expect(try await world.refusal(stop, by: ada) == "offer_gone")
            _ = try await world.pool.query("update defi.strategies set offer = 'vault-usdc' where id = \(strategy.id)")
            try await world.stop(strategy.id, by: ada)
            try await world.follow()
            #expect(try await world.refusal(stop, by: ada) == "nothing_to_exit")
            try await world.finalise()
            try await world.settle()
            #expect(try await world.refusal(stop, by: ada) == "strategy_not_open")
            #expect(try await world.intents(of: ada) == 3)
        }
    }

    @Test func `gas is offered by speed, and never above the ceiling`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let gas = try await world.ask("GET", "/v1/defi/gas", by: ada)
            let tips = GasPrice.Speed.allCases.map { speed in
                gas.json[speed.rawValue]?["max_priority_fee_per_gas"]?.stringValue.flatMap { BigUInt($0) }
            }
            #expect(tips.count == 3 && tips.allSatisfy { $0 != nil })
            #expect(tips.compactMap(\.self) == tips.compactMap(\.self).sorted())
            let frugal = try await world.offering(gasCeilingGwei: 0)
            #expect(try await frugal.ask("GET", "/v1/defi/gas", by: ada).json["code"] == "gas_too_expensive")
            let payment: JSON = [
                "wallet": .string(ada.wallet.wire), "to": .string(world.dev.address(2).description), "asset": "ETH",
                "amount": "1",
            ]
            let start: JSON = [
                "wallet": .string(ada.wallet.wire), "offer": .string(Offered.vault.rawValue), "amount": "1",
            ]
            for (path, body) in [("/v1/defi/intents", payment), (Self.path, start)] {
                #expect(try await frugal.refusal(path, by: ada, body) == "gas_too_expensive")
            }
            #expect(try await world.intents(of: ada) == 0)
        }
    }

    @Test func `nothing is built for a wallet that is elsewhere`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let start: JSON = [
                "wallet": .string(ada.wallet.wire), "offer": .string(Offered.vault.rawValue), "amount": "1",
            ]
            _ = try await world.pool.query(
                """
                update defi.wallets
                set chain = 'bitcoin', account = 'bip122:0f9188f13cb7b2c71f2a335e3a4fc328:bcrt1q0000',
                    address = 'bcrt1q0000'
                where id = \(ada.wallet)
                """
            )
            #expect(try await world.refusal(Self.path, by: ada, start) == "wallet_on_other_chain")
            let payment: JSON = [
                "wallet": .string(ada.wallet.wire), "to": .string(world.dev.address(2).description), "asset": "ETH",
                "amount": "1",
            ]
            #expect(try await world.refusal("/v1/defi/intents", by: ada, payment) == "wallet_on_other_chain")
            #expect(try await world.intents(of: ada) == 0)
        }
    }
}

extension ChainWorld {
    /// The same, with another ceiling for gas.
    fileprivate func offering(gasCeilingGwei: Int) async throws -> ChainWorld {
        try await followed(
            by: EthereumChain(
                deployment: chain.deployment,
                nodes: chain.nodes,
                confirmations: Int(chain.confirmations),
                gasCeilingGwei: gasCeilingGwei
            )
        )
    }

    /// How many transactions were built for somebody.
    fileprivate func intents(of person: Person) async throws -> Int {
        try await pool.query("select count(*) from defi.intents where user_id = \(person.user)")[0][0]
    }
}
