import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Whose a nonce is: who signs first has it, and nothing that isn't signed is in anybody's way.
@Suite(.serialized)
struct NumberTests {
    @Test func `what isn't signed leaves its number to what is, and goes on with the next one`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let ignored = try await world.pay("1", "USDC", to: bob, by: ada)
            let sent = try await world.pay("2", "USDC", to: bob, by: ada)
            #expect(sent.transaction.nonce == ignored.transaction.nonce)
            #expect(try await world.submit(sent, by: ada).status == 202)
            try await world.finalise()
            #expect(try await world.now(sent).state.name == "final")
            // Signed as it was, it isn't taken; as it is now, it is.
            let late = try await world.submit(ignored, by: ada)
            #expect(late.status == 422 && late.json["code"]?.stringValue == "other_nonce", "\(late.json)")
            let moved = try await world.now(ignored)
            #expect(moved.state == .built && moved.transaction.nonce == sent.transaction.nonce + 1)
            #expect(try await world.submit(moved, by: ada).status == 202)
            try await world.finalise()
            #expect(try await world.now(ignored).state.name == "final")
        }
    }

    @Test func `what was built together stays in its order, and what follows the one that is signed stays`()
        async throws
    {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let first = try await world.pay("1", "USDC", to: bob, by: ada)
            let start = try await world.built("aave-usdc", "100", by: ada)
            #expect(start.map(\.kind) == [.approve, .start])
            let (nonce, other) = (first.transaction.nonce, try await world.pay("2", "USDC", to: bob, by: ada))
            try await world.submit(first, by: ada)
            #expect(try await world.numbers(start) == [nonce + 1, nonce + 2])
            try await world.submit(try await world.now(start[0]), by: ada)
            #expect(try await world.numbers(start + [other]) == [nonce + 1, nonce + 2, nonce + 2])
            try await world.submit(try await world.now(start[1]), by: ada)
            #expect(try await world.numbers([other]) == [nonce + 3])
            try await world.submit(try await world.now(other), by: ada)
            try await world.finalise()
            for intent in [first, other] + start { #expect(try await world.now(intent).state.name == "final") }
        }
    }

    @Test func `of two that are signed at once one has the number, and the other one hears of its next`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            var all: [Intent] = []
            for _ in 0..<4 { all.append(try await world.pay("1", "USDC", to: bob, by: ada)) }
            for _ in 0..<8 {
                let open = try await all.now(in: world).filter { $0.state == .built }
                let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                    for intent in open {
                        group.addTask { try await world.submit(intent, by: ada).json["code"]?.stringValue }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.allSatisfy { [nil, "nonce_taken", "other_nonce"].contains($0) }, "\(codes)")
            }
            let numbers = try await world.numbers(all)
            #expect(Set(numbers) == Set((0..<4).map { all[0].transaction.nonce + $0 }), "\(numbers)")
            try await world.finalise()
            for intent in all { #expect(try await world.now(intent).state.name == "final") }
        }
    }

    @Test func `what isn't signed can be discarded, with what was built with it and what it held`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let strategy = try await world.started(.vault, by: ada)
            func discard(_ intent: Intent, by person: ChainWorld.Person) async throws -> (status: Int, json: JSON) {
                try await world.ask("DELETE", "/v1/defi/intents/\(intent.id.wire)", by: person)
            }
            let stop = "/v1/defi/strategies/\(strategy.id.wire)/stop"
            let exit = try await world.intents(try await world.ask("POST", stop, by: ada, [:]))[0]
            #expect(try await world.refusal(stop, by: ada, [:]) == "strategy_leaving")
            #expect(try await discard(exit, by: bob).status == 404)
            for _ in 0..<2 {
                let answer = try await discard(exit, by: ada)
                #expect(answer.status == 200 && answer.json["reason"]?.stringValue == "discarded", "\(answer.json)")
            }
            let again = try await world.intents(try await world.ask("POST", stop, by: ada, [:]))[0]
            try await world.submit(again, by: ada)
            let refused = try await discard(again, by: ada)
            #expect(refused.status == 409 && refused.json["code"]?.stringValue == "intent_not_open")
            let start = try await world.built("aave-usdc", "100", by: ada)
            #expect(try await discard(start[0], by: ada).status == 200)
            for intent in start { #expect(try await world.now(intent).state == .expired) }
        }
    }

    @Test func `leaving in an emergency waits for nothing that isn't signed`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let strategy = try await world.started(.aave, by: ada)
            let coins = try await world.chain.nodes.first.balance(of: ada.address)
            let most = Money(minorUnits: Int128(clamping: coins) - 1_000_000_000_000_000_000, .eth)
            let all = try await world.pay(most.wire, "ETH", to: bob, by: ada)
            _ = try await world.pay("0.9", "ETH", to: bob, by: ada)
            let exits = try await world.stop(strategy.id, ["emergency": .bool(true)], by: ada)
            #expect(exits[0].transaction.nonce == all.transaction.nonce)
            try await world.finalise()
            #expect(try await world.now(exits[0]).state.name == "final")
        }
    }

    @Test func `an exit that nobody signs isn't built again for a day`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada, [.init("stop_loss", "0.05")])
            let vault = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(200_000_000))], to: vault)
            try await world.follow()
            func exits() async throws -> [Intent] {
                try await world.parts.intents.list(of: strategy.id).filter { $0.kind == .exit }
            }
            #expect(try await exits().map(\.state) == [.built])
            _ = try await world.pool.query("update defi.intents set expires_at = now() where kind = 'exit'")
            try await world.dev.mine(12)
            try await world.follow()
            try await world.settle()
            #expect(try await exits().map(\.state) == [.expired])
            #expect(try await world.alerts() == 1)
            // A day later it still is so, and is said again.
            _ = try await world.owner.query("update defi.decisions set number = number - \(ExitMaker.againBlocks)")
            try await world.settle()
            #expect(try await exits().map(\.state) == [.built, .expired])
            #expect(try await world.alerts() == 2)
        }
    }
}

extension ChainWorld {
    /// What an answer says was built.
    func intents(_ answer: (status: Int, json: JSON)) async throws -> [Intent] {
        #expect(answer.status == 201, "\(answer.json)")
        var intents: [Intent] = []
        for json in answer.json["transactions"]?.elements ?? [answer.json] { intents.append(try await intent(json)) }
        return intents
    }

    /// Builds a strategy's start, and signs nothing of it.
    func built(_ offer: String, _ amount: String, by person: Person) async throws -> [Intent] {
        let body: JSON = [
            "wallet": .string(person.wallet.wire), "offer": .string(offer), "amount": .string(amount),
        ]
        return try await intents(try await ask("POST", "/v1/defi/strategies", by: person, body))
    }

    fileprivate func numbers(_ intents: [Intent]) async throws -> [UInt64] {
        try await intents.now(in: self).map(\.transaction.nonce)
    }
}

extension [Intent] {
    /// They as they are stored now.
    fileprivate func now(in world: ChainWorld) async throws -> [Intent] {
        var found: [Intent] = []
        for intent in self { found.append(try await world.now(intent)) }
        return found
    }
}
