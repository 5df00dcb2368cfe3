import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What becomes of a transaction on a real chain.
@Suite(.serialized)
struct LifeTests {
    @Test func `a payment goes from built over signed and included to final`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let before = try await world.tokens(.usdc, of: bob)
            let intent = try await world.pay("12.5", "USDC", to: bob, by: ada)
            #expect(intent.state == .built)
            let answer = try await world.submit(intent, by: ada)
            #expect(answer.status == 202, "\(answer.json)")
            #expect(try await world.now(intent).state == .broadcast)
            try await world.follow()
            let included = try await world.now(intent)
            #expect(included.state.name == "included")
            try await world.finalise()
            let final = try await world.now(intent)
            #expect(final.state.name == "final")
            #expect(try await world.tokens(.usdc, of: bob) - before == 12_500_000)
            #expect(try await world.house("network_gas", .eth) == final.state.inclusion?.gasCost)
        }
    }

    @Test(arguments: [DevChain.Fault.drop, .lost])
    func `a call or an answer that gets lost still ends with one transaction`(fault: DevChain.Fault) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.dev.fault(fault, on: "eth_sendRawTransaction", count: 1)
            try await world.submit(intent, by: ada)
            // An answer that got lost is looked up.
            #expect(try await world.now(intent).state == (fault == .lost ? .broadcast : .signed))
            try await world.makeDue()
            try await world.parts.sender.round()
            #expect(try await world.now(intent).state == .broadcast)
            try await world.follow()
            #expect(try await world.now(intent).state.name == "included")
        }
    }

    @Test func `what was sent and not stored is sent again and is one transaction`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            // The node has it, and the process that sent it ended before it stored so.
            let signed = try ada.signer.sign(intent.transaction)
            #expect(await world.chain.nodes.send(signed.bytes) == .accepted)
            try await world.submit(intent, by: ada)
            try await world.follow()
            try await world.follow()
            #expect(try await world.now(intent).state.name == "included")
            #expect(try await world.chain.nodes.nonce(of: ada.address) == intent.transaction.nonce + 1)
        }
    }

    @Test(arguments: [true, false])
    func `a reorganisation takes back what its blocks did`(keeps: Bool) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let started = try await world.start("aave-usdc", "100", by: ada)
            let intent = try #require(started.intents.last)
            try await world.follow()
            #expect(try await world.now(intent).state.name == "included")
            #expect(try await world.held("pending", .usdc, by: ada) == 100_000_000)
            try await world.dev.reorganise(depth: 1, keeping: keeps)
            try await world.follow()
            if !keeps {
                #expect(try await world.now(intent).state == .dropped)
                #expect(try await world.held("pending", .usdc, by: ada) == 0)
                try await world.parts.sender.round()
            }
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.now(intent).state.name == "final")
            #expect(try await world.held("pending", .usdc, by: ada) == 0)
            let strategy = try await world.strategy(started.id, of: ada)
            #expect(try await world.deployed(strategy, by: ada) == 100_000_000)
        }
    }

    @Test func `a speed-up takes the place of what waits, and the other one is replaced`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            try await world.dev.setAutomine(false)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.submit(intent, by: ada)
            let answer = try await world.ask(
                "POST",
                "/v1/defi/intents/\(intent.id.wire)/replace",
                by: ada,
                ["action": "speed_up", "speed": "fast"]
            )
            #expect(answer.status == 201, "\(answer.json)")
            let faster = try await world.intent(answer.json)
            try await world.submit(faster, by: ada)
            try await world.dev.mine()
            try await world.follow()
            #expect(try await world.now(faster).state.name == "included")
            #expect(try await world.now(intent).state.name == "displaced")
            try await world.finalise()
            #expect(try await world.now(faster).state.name == "final")
            #expect(try await world.now(intent).state == .replaced)
            #expect(try await world.now(intent).reason == "own_transaction")
            let told = try await world.pool.query(
                "select count(*) from defi.outbox_events where type = 'defi.intent.alert'"
            )
            #expect(try told[0][0] == 0)
        }
    }

    @Test func `a second speed-up pays more than the first one, and the same one isn't taken twice`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            try await world.dev.setAutomine(false)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.submit(intent, by: ada)
            func faster() async throws -> Intent {
                let path = "/v1/defi/intents/\(intent.id.wire)/replace"
                return try await world.intent(try await world.ask("POST", path, by: ada, ["action": "speed_up"]).json)
            }
            // Built before either is signed, they are the same to the last byte.
            let (first, same) = (try await faster(), try await faster())
            #expect(try await world.submit(first, by: ada).status == 202)
            let refused = try await world.submit(same, by: ada)
            #expect(refused.status == 409 && refused.json["code"]?.stringValue == "intent_not_open")
            let second = try await faster()
            #expect(second.transaction.offered.tip > first.transaction.offered.tip)
            #expect(try await world.submit(second, by: ada).status == 202)
            #expect(try await world.now(second).state == .broadcast)
            try await world.dev.mine()
            try await world.finalise()
            #expect(try await world.now(second).state.name == "final")
            for other in [intent, first] { #expect(try await world.now(other).state == .replaced) }
        }
    }

    @Test func `a cancellation uses the nonce up`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.dev.setAutomine(false)
            let before = try await world.tokens(.usdc, of: bob)
            let intent = try await world.pay("5", "USDC", to: bob, by: ada)
            try await world.submit(intent, by: ada)
            let answer = try await world.ask(
                "POST",
                "/v1/defi/intents/\(intent.id.wire)/replace",
                by: ada,
                ["action": "cancel"]
            )
            let cancel = try await world.intent(answer.json)
            try await world.submit(cancel, by: ada)
            try await world.dev.mine()
            try await world.finalise()
            #expect(try await world.now(cancel).state.name == "final")
            #expect(try await world.now(intent).state == .replaced)
            #expect(try await world.tokens(.usdc, of: bob) == before)
        }
    }

    @Test func `what reverts pays its gas and fails when its block is final`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.dev.setAutomine(false)
            let all = try await world.tokens(.usdc, of: ada.address)
            let coins = Int128(clamping: try await world.chain.nodes.first.balance(of: ada.address))
            let built = try await world.pay(Money(minorUnits: all, .usdc).wire, "USDC", to: bob, by: ada)
            // Each goes through alone; after the first the second is more than there is.
            let nonce = built.transaction.nonce
            _ = try await world.pool.query("update defi.intents set nonce = \(Int64(nonce) + 1) where id = \(built.id)")
            let other = try await world.send(
                elsewhere: try KnownCall.transfer.callData([.address(bob), .uint(.one)]),
                as: built,
                nonce,
                by: ada
            )
            let intent = try await world.now(built)
            #expect(try await world.submit(intent, by: ada).status == 202)
            try await world.settle()
            guard case .included(let inclusion) = try await world.now(intent).state else {
                Issue.record("\(try await world.now(intent).state)")
                return
            }
            #expect(!inclusion.succeeded && inclusion.gasCost > 0)
            #expect(try await world.house("network_gas", .eth) == inclusion.gasCost)
            try await world.finalise()
            #expect(try await world.now(intent).state.name == "failed")
            // Only what went by is gone, and the gas: to the last unit, by the chain as by the books.
            let booked = try await world.house("network_gas", .eth)
            #expect(booked == inclusion.gasCost)
            #expect(try await world.tokens(.usdc, of: ada.address) == all - 1)
            let left = Int128(clamping: try await world.chain.nodes.first.balance(of: ada.address))
            let others = try #require(try await world.chain.nodes.receipt(other))
            #expect(coins - left == booked + Int128(clamping: others.gasCost))
            #expect(try await world.held("wallet:\(world.chain.name)", .eth, by: ada) == left)
            #expect(try await world.house(IntentBooks.onChain, .eth) + left == -booked)
        }
    }

    @Test func `a transaction of the wallet that isn't ours takes the place, and its user is told so`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.dev.setAutomine(false)
            let intent = try await world.pay("2", "USDC", to: bob, by: ada)
            let data = try KnownCall.transfer.callData([.address(bob), .uint(.one)])
            try await world.send(elsewhere: data, as: intent, intent.transaction.nonce, by: ada)
            try await world.dev.mine()
            try await world.submit(intent, by: ada)
            try await world.finalise()
            try await world.finalise()
            let over = try await world.now(intent)
            #expect(over.state == .replaced && over.reason == "foreign_transaction")
            let told = try await world.pool.query(
                "select count(*) from defi.outbox_events where type = 'defi.intent.alert'"
            )
            #expect(try told[0][0] == 1)
        }
    }

    @Test func `what isn't signed in time expires and frees its nonce`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            _ = try await world.pool.query("update defi.intents set expires_at = now() where id = \(intent.id)")
            try await world.follow()
            #expect(try await world.now(intent).state == .expired)
            let late = try await world.submit(intent, by: ada)
            #expect(late.status == 409)
            let next = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            #expect(next.transaction.nonce == intent.transaction.nonce)
        }
    }

    @Test func `what every node refuses for good is over, and what it held is free`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            let stop = "/v1/defi/strategies/\(strategy.id.wire)/stop"
            let built = try await world.intents(try await world.ask("POST", stop, by: ada, [:]))[0]
            // Less gas than any call needs.
            _ = try await world.pool.query("update defi.intents set gas_limit = 21000 where id = \(built.id)")
            let exit = try await world.now(built)
            #expect(try await world.submit(exit, by: ada).status == 202)
            #expect(try await world.now(exit).state == .signed)
            // However often it was tried: calls that got lost are no refusals.
            _ = try await world.pool.query("update defi.intents set attempts = 50 where id = \(exit.id)")
            for isLost in [true, false] {
                if isLost { try await world.dev.fault(.drop, on: "eth_sendRawTransaction") }
                try await world.makeDue()
                try await world.parts.sender.round()
                #expect(try await world.now(exit).state == .signed)
            }
            let refusals: Int = try await world.pool.query(
                "select refusals from defi.intents where id = \(exit.id)"
            )[0][0]
            #expect(refusals == 2)
            for refusals in [SendQueue.refusalsMax - 2, SendQueue.refusalsMax - 1] {
                #expect(try await world.now(exit).state == .signed)
                _ = try await world.pool.query("update defi.intents set refusals = \(refusals) where id = \(exit.id)")
                try await world.makeDue()
                try await world.parts.sender.round()
            }
            let over = try await world.now(exit)
            #expect(over.state == .replaced && over.reason == "refused_by_nodes")
            let again = try await world.stop(strategy.id, by: ada)
            #expect(again[0].transaction.nonce == exit.transaction.nonce)
            try await world.finalise()
            #expect(try await world.strategy(strategy.id, of: ada).principal == 0)
        }
    }

    @Test func `replacements that expire together let go of what they shared`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            try await world.dev.fault(.drop, on: "eth_sendRawTransaction")
            let exit = try await world.stop(strategy.id, by: ada)[0]
            for _ in 0..<2 {
                let path = "/v1/defi/intents/\(exit.id.wire)/replace"
                let answer = try await world.ask("POST", path, by: ada, ["action": "speed_up", "speed": "fast"])
                #expect(answer.status == 201, "\(answer.json)")
            }
            // The first is over, and neither of the others was ever signed.
            let over = try await world.parts.books.item(
                try await world.now(exit),
                .settled,
                because: "refused_by_nodes"
            )
            _ = try await world.parts.sender.ledger.submit(over)
            _ = try await world.pool.query("update defi.intents set expires_at = now() where state = 'built'")
            for _ in 0..<3 { try await world.follow() }
            let states = try await world.parts.intents.list(of: strategy.id).filter { $0.kind == .exit }.map(\.state)
            #expect(states == [.expired, .expired, .replaced])
            // For less, so that it isn't the same transaction.
            let part = try await world.ask(
                "POST",
                "/v1/defi/strategies/\(strategy.id.wire)/stop",
                by: ada,
                ["amount": "2999"]
            )
            let again = try await world.signAll(part, by: ada).intents[0]
            #expect(again.transaction.nonce == exit.transaction.nonce)
            try await world.finalise()
            #expect(try await world.strategy(strategy.id, of: ada).principal <= 1_000_000)
        }
    }

    @Test func `a wallet that was revoked meanwhile starts nothing, and still leaves`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            try await world.know(world.dev.address(2), by: ada)
            let payment = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            let stop = "/v1/defi/strategies/\(strategy.id.wire)/stop"
            let exit = try await world.intents(try await world.ask("POST", stop, by: ada, [:]))[0]
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'lost'
                where id = \(ada.wallet)
                """
            )
            #expect(try await world.submit(payment, by: ada).status == 404)
            #expect(try await world.now(payment).state == .built)
            #expect(try await world.submit(exit, by: ada).status == 202)
        }
    }

    @Test func `an address that isn't known or still locked is refused`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let body: JSON = [
                "wallet": .string(ada.wallet.wire), "to": .string(world.dev.address(2).description),
                "asset": "ETH", "amount": "1",
            ]
            let unknown = try await world.ask("POST", "/v1/defi/intents", by: ada, body)
            #expect(unknown.json["code"]?.stringValue == "address_not_in_book")
            try await world.know(world.dev.address(2), by: ada, isOpen: false)
            let locked = try await world.ask("POST", "/v1/defi/intents", by: ada, body)
            #expect(locked.json["code"]?.stringValue == "address_locked")
        }
    }
}

extension ChainWorld {
    /// Sends a call to the same contract as an intent's, by the wallet's own hand.
    ///
    /// Returns its hash.
    @discardableResult
    func send(
        elsewhere data: [UInt8],
        as intent: Intent,
        _ nonce: UInt64,
        by person: Person
    ) async throws -> [UInt8] {
        let other = EthereumTransaction(
            chainID: intent.transaction.chainID,
            nonce: nonce,
            fee: intent.transaction.fee,
            gasLimit: intent.transaction.gasLimit,
            to: intent.transaction.to,
            value: .zero,
            data: data
        )
        let signed = try person.signer.sign(try #require(other))
        #expect(await chain.nodes.send(signed.bytes) == .accepted)
        return signed.hash
    }

    /// Makes what waits for its next attempt due now.
    func makeDue() async throws {
        _ = try await pool.query("update defi.intents set next_at = now() where next_at is not null")
    }
}
