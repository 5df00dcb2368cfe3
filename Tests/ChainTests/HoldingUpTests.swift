import Compliance
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What must not hold a chain up, whatever its customers do at the same time.
@Suite(.serialized)
struct HoldingUpTests {
    @Test func `two limits of one wallet in one block make two exits, which are signed in any order`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let rule = JSON.Member("stop_loss", "0.05")
            let vault = try await world.started(.vault, by: ada, [rule])
            let lido = try await world.started(.lido, by: ada, [rule])
            try await world.dev.setAutomine(false)
            let offers = (try world.offer(.vault).contract, try world.offer(.lido).contract)
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(500_000_000))], to: offers.0)
            let lost = BigUInt.powerOfTen(18)
            try await world.dev.send("reportSlashing(uint256)", [.uint(lost)], to: offers.1)
            try await world.dev.mine()
            try await world.follow()
            try await world.settle()
            var ready: [Intent] = []
            for id in [vault.id, lido.id] {
                ready += try await world.parts.intents.list(of: id).filter { $0.state == .built }
            }
            #expect(ready.filter { $0.kind == .exit }.count == 2)
            try await world.dev.setAutomine(true)
            for intent in ready.reversed() {
                #expect(try await world.submit(try await world.now(intent), by: ada).status == 202)
            }
            try await world.finalise()
            for intent in ready { #expect(try await world.now(intent).state.name == "final") }
        }
    }

    @Test func `a start that is open keeps its strategy from ending, and becomes part of it`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada)
            let body: JSON = ["wallet": .string(ada.wallet.wire), "offer": "aave-usdc", "amount": "50"]
            let later = try await world.ask("POST", "/v1/defi/strategies", by: ada, body)
            #expect(later.json["strategy"]?.stringValue == strategy.id.wire)
            // Everything else leaves, by the wallet's own hand: the nonces of what was built are free.
            let intents = try await (later.json["transactions"]?.elements ?? []).asyncMap { try await world.intent($0) }
            let contract = try world.offer(.aave).contract
            let usdc = try #require(world.chain.deployment.token(.usdc))
            let leave = try ProtocolDescription.aaveV3.stop[0].function
                .callData([.address(usdc), .uint(.uint256Max), .address(ada.address)])
            try await world.send(leave, to: contract, by: ada, nonce: intents[0].transaction.nonce + 2, after: intents)
            try await world.settle()
            #expect(try await world.strategy(strategy.id, of: ada).status == .active)
            try await world.finalise()
            try await world.settle()
            let grown = try await world.strategy(strategy.id, of: ada)
            #expect(grown.status != .stopped || grown.principal == 0)
        }
    }

    @Test func `what its owner left elsewhere ends once that is final, and can be started anew`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada)
            let usdc = try #require(world.chain.deployment.token(.usdc))
            let leave = try ProtocolDescription.aaveV3.stop[0].function
                .callData([.address(usdc), .uint(.uint256Max), .address(ada.address)])
            let nonce = try await world.chain.nodes.nonce(of: ada.address)
            try await world.send(leave, to: try world.offer(.aave).contract, by: ada, nonce: nonce, after: [])
            try await world.follow()
            #expect(try await world.deployed(strategy, by: ada) == strategy.principal)
            try await world.finalise()
            try await world.settle()
            let left = try await world.strategy(strategy.id, of: ada)
            #expect(left.status == .stopped && left.principal == 0 && left.realized == 0)
            #expect(try await world.deployed(left, by: ada) == 0)
            let again = try await world.started(.aave, by: ada)
            #expect(again.id != strategy.id && again.status == .active)
        }
    }

    @Test func `an address that compliance blocks gets nothing, when it is built and when it is signed`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let intent = try await world.pay("1", "USDC", to: bob, by: ada)
            let coins = try await world.pay("1", "ETH", to: bob, by: ada)
            world.screening.say(.block, of: "\(world.chain.name):\(bob)")
            for intent in [intent, coins] {
                let answer = try await world.submit(intent, by: ada)
                #expect(answer.status == 422 && answer.json["code"]?.stringValue == "address_blocked")
                #expect(try await world.now(intent).state == .built)
            }
            let body: JSON = [
                "wallet": .string(ada.wallet.wire), "to": .string(bob.description), "asset": "USDC", "amount": "1",
            ]
            #expect(try await world.refusal("/v1/defi/intents", by: ada, body) == "address_blocked")
        }
    }

    @Test func `what compliance doesn't let go to somebody else isn't built, to an own wallet it is`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let body: JSON = [
                "wallet": .string(ada.wallet.wire), "to": .string(bob.description), "asset": "USDC", "amount": "1",
                "beneficiary": "Bob Miller",
            ]
            for (outcome, code) in [
                (ComplianceAnswer.Outcome.block, "movement_refused"), (.review, "movement_in_review"),
            ] {
                world.screening.say(ofPayouts: outcome)
                #expect(try await world.refusal("/v1/defi/intents", by: ada, body) == code)
            }
            _ = try await world.pay("1", "USDC", to: ada.address, by: ada)
            let built: Int = try await world.pool.query("select count(*) from defi.intents")[0][0]
            #expect(built == 1)
            world.screening.say(ofPayouts: .approve)
            _ = try await world.pay("1", "USDC", to: bob, by: ada)
        }
    }

    @Test func `a sped-up exit ends its reservation once, whichever of the two lands`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada)
            try await world.dev.setAutomine(false)
            let exits = try await world.stop(strategy.id, by: ada)
            let answer = try await world.ask(
                "POST",
                "/v1/defi/intents/\(exits[0].id.wire)/replace",
                by: ada,
                ["action": "speed_up"]
            )
            let faster = try await world.intent(answer.json)
            // The first lands before the second is signed; that one never does.
            try await world.dev.mine()
            try await world.finalise()
            #expect(try await world.now(exits[0]).state.name == "final")
            _ = try await world.pool.query("update defi.intents set expires_at = now() where id = \(faster.id)")
            try await world.settle()
            #expect(try await world.now(faster).state == .expired)
            #expect(try await world.strategy(strategy.id, of: ada).principal == 0)
            let held = try await world.pool.query("select count(*) from defi.reservations where state = 'active'")
            #expect(try held[0][0] == 0)
        }
    }

    @Test func `a pair whose block was followed before it was signed gets its number all the same`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let body = JSON.object(
                [
                    .init("wallet", .string(ada.wallet.wire)), .init("offer", "uniswap-usdc-weth"),
                    .init("amount", "3000"),
                ] + Offered.pair.more
            )
            let answer = try await world.ask("POST", "/v1/defi/strategies", by: ada, body)
            let intents = try await (answer.json["transactions"]?.elements ?? []).asyncMap {
                try await world.intent($0)
            }
            // The node got them by another way, and their blocks are followed before they are given back here.
            for intent in intents {
                #expect(await world.chain.nodes.send(try ada.signer.sign(intent.transaction).bytes) == .accepted)
            }
            try await world.follow()
            for intent in intents { try await world.submit(intent, by: ada) }
            try await world.finalise()
            try await world.settle()
            let id = try #require(answer.json["strategy"]?.stringValue.flatMap { ID<Strategy>(wire: $0) })
            let strategy = try await world.strategy(id, of: ada)
            #expect(strategy.token != nil && strategy.status == .active)
        }
    }

    @Test func `one signed transaction given back twice at once is one, and both hear of it`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await world.submit(intent, by: ada).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 202, count: 8))
        }
    }

    @Test func `a process that lost the lease changes nothing`() async throws {
        try await ChainWorld.with { first in
            let ada = try await first.person(1)
            try await first.know(first.dev.address(2), by: ada)
            let second = try await first.restarted()
            #expect(try await second.parts.follower.blocks.lease())
            #expect(try await first.parts.follower.step() == 0)
            let intent = try await first.pay("1", "ETH", to: first.dev.address(2), by: ada)
            try await first.submit(intent, by: ada)
            #expect(try await first.parts.follower.step() == 0)
            #expect(try await first.now(intent).state == .broadcast)
            try await second.follow()
            #expect(try await first.now(intent).state.name == "included")
        }
    }

    @Test(arguments: [true, false])
    func `a transaction whose change is refused holds up neither the chain nor another one`(
        isTakenBack: Bool
    ) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            if !isTakenBack { try await world.refuse("state <> 'included'") }
            let bad = try await world.pay("13", "USDC", to: world.dev.address(2), by: ada)
            try await world.submit(bad, by: ada)
            let good = try await world.pay("12", "USDC", to: world.dev.address(2), by: ada)
            try await world.submit(good, by: ada)
            try await world.follow()
            if isTakenBack {
                #expect(try await world.now(bad).state.name == "included")
                try await world.refuse("state <> 'broadcast'")
                try await world.dev.reorganise(depth: 2, keeping: true)
                try await world.follow()
            }
            #expect(try await world.parts.follower.blocks.tip()?.number == world.chain.nodes.head())
            #expect(try await world.now(good).state.name == "included")
            #expect(try await world.now(bad).state.name == (isTakenBack ? "included" : "broadcast"))
            try await world.finalise()
            #expect(try await world.now(good).state.name == "final")
            _ = try await world.owner.query("alter table defi.intents drop constraint refused_by_test")
            // What was missed is found: by its receipt, or by its block that isn't there any more.
            for _ in 0..<3 { try await world.settle() }
            try await world.finalise()
            #expect(try await world.now(bad).state.name == "final")
            let gas = try await world.now(bad).state.inclusion?.gasCost ?? 0
            let others = try await world.now(good).state.inclusion?.gasCost ?? 0
            #expect(try await world.house("network_gas", .eth) == gas + others)
        }
    }

    @Test func `a transaction whose change is refused keeps no other from being sent`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            try await world.dev.setAutomine(false)
            try await world.refuse("state <> 'broadcast'")
            try await world.dev.fault(.drop, on: "eth_sendRawTransaction", count: 2)
            let bad = try await world.pay("13", "USDC", to: world.dev.address(2), by: ada)
            try await world.submit(bad, by: ada)
            let good = try await world.pay("12", "USDC", to: world.dev.address(2), by: ada)
            try await world.submit(good, by: ada)
            for intent in [bad, good] { #expect(try await world.now(intent).state == .signed) }
            try await world.makeDue()
            try await world.parts.sender.round()
            #expect(try await world.now(good).state == .broadcast)
            #expect(try await world.now(bad).state == .signed)
            _ = try await world.owner.query("alter table defi.intents drop constraint refused_by_test")
            try await world.makeDue()
            try await world.parts.sender.round()
            #expect(try await world.now(bad).state == .broadcast)
            // Of those that wait for a block, the one that was left alone the longest is looked for first.
            let (chain, intents) = (world.chain.name, world.parts.intents)
            let first = try #require(try await intents.waiting(on: chain, seconds: 0, limit: 1).first)
            try await intents.looked(at: [first.id])
            let second = try #require(try await intents.waiting(on: chain, seconds: 0, limit: 1).first)
            #expect(Set([first.id, second.id]) == [bad.id, good.id])
        }
    }

    @Test func `values of any size are judged`() {
        for (value, principal): (Int128, Int128) in [(.max, 1), (1, .max), (.max, .max), (0, 1), (.max / 2, 3)] {
            for peak: Int128 in [0, 1_000_000_000, .max] {
                let judgement = StrategyRules.judge(
                    value: value,
                    principal: principal,
                    peak: peak,
                    stopLoss: 1,
                    drawdownMax: 1
                )
                #expect(judgement.peak <= StrategyRules.worthMax && judgement.peak >= 0)
                #expect((0...1_000_000_000).contains(judgement.drawdown))
            }
        }
    }
}

extension ChainWorld {
    /// Has the database refuse changes of payments of 13 USDC, but for those that are so.
    fileprivate func refuse(_ condition: SQL) async throws {
        _ = try await owner.query(
            """
            alter table defi.intents add constraint refused_by_test
            check (kind <> 'transfer' or amount <> 13000000 or \(condition)) not valid
            """
        )
    }

    /// Sends a call of somebody's own, after others that were built.
    func send(
        _ data: [UInt8],
        to contract: EthereumAddress,
        by person: Person,
        nonce: UInt64,
        after intents: [Intent]
    ) async throws {
        for intent in intents { try await submit(intent, by: person) }
        let transaction = try #require(
            EthereumTransaction(
                chainID: chain.deployment.chainID,
                nonce: nonce,
                fee: .dynamic(
                    maxFeePerGas: BigUInt(100) * BigUInt.powerOfTen(9),
                    maxPriorityFeePerGas: BigUInt.powerOfTen(9)
                ),
                gasLimit: 500_000,
                to: contract,
                value: .zero,
                data: data
            )
        )
        #expect(await chain.nodes.send(try person.signer.sign(transaction).bytes) == .accepted)
    }
}

extension Sequence where Element: Sendable {
    /// Each element after the other.
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
