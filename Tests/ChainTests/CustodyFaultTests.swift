import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Custody while the chain changes its mind, answers get lost and processes end.
@Suite(.serialized)
struct CustodyFaultTests {
    @Test(arguments: [true, false])
    func `a deposit whose block is replaced before it is final was never credited`(keeps: Bool) async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.person(1)
            try await world.send("10", .usdc, from: ada)
            try await world.follow()
            try await world.dev.reorganise(depth: 1, keeping: keeps)
            try await world.follow()
            let deposit = try await world.newest("deposits", of: ada)
            #expect(deposit["status"] == "pending")
            #expect((deposit["reason"] == "reorganised") == !keeps, "\(deposit)")
            if !keeps {
                try await world.makeDue()
                try await world.follow()
            }
            try await world.finalise()
            let after = try await world.newest("deposits", of: ada)
            #expect(after["status"]?.stringValue == (keeps ? "confirmed" : "failed"), "\(after)")
            #expect(try await world.held(.usdc, by: ada) == (keeps ? 10_000_000 : 0))
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a credited deposit that vanishes is taken back, and what is spent is owed`() async throws {
        try await CustodyWorld.with(confirmations: 1) { world in
            let ada = try await world.depositor(1, "10")
            let bob = try await world.person(2)
            // Two thirds are spent elsewhere before the chain changes its mind.
            let spent = NewTransfer(
                id: world.ids.next(),
                debit: try await world.runtime.accounts.open(AccountKey(ada.user, CustodyBooks.customer, .usdc)),
                credit: try await world.runtime.accounts.open(AccountKey(bob.user, CustodyBooks.customer, .usdc)),
                amount: 6_000_000,
                code: "test"
            )
            _ = try await world.runtime.ledger.submit(batch: [
                LedgerItem(operation: world.ids.next(), commands: [.transfer(spent)])
            ])
            try await world.dev.reorganise(depth: 2, keeping: false)
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 0)
            #expect(try await world.held(.usdc, by: ada, kind: "receivable") == -6_000_000)
            #expect(try await world.newest("deposits", of: ada)["status"] == "pending")
            try await world.expectBooksAreChain()
            // What comes later pays it first.
            try await world.send("15", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            #expect(try await world.held(.usdc, by: ada, kind: "receivable") == 0)
            #expect(try await world.held(.usdc, by: ada) == 9_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test(arguments: [true, false])
    func `a payout whose block is replaced is paid once`(isFinal: Bool) async throws {
        try await CustodyWorld.with(confirmations: 2) { world in
            let ada = try await world.depositor(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            _ = try await world.withdraw("20", "USDC", by: ada)
            try await world.custody.sender.round()
            try await world.follow()
            if isFinal { try await world.finalise() }
            try await world.dev.reorganise(depth: isFinal ? 3 : 1, keeping: false)
            try await world.follow()
            let back = try await world.newest("withdrawals", of: ada)
            #expect(back["status"] == "pending" && back["confirmations"]?.integerValue == 0, "\(back)")
            #expect(try await world.held(.usdc, by: ada) == 100_000_000)
            #expect(try await world.available(.usdc, by: ada) == 79_000_000)
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 20_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test(arguments: DevChain.Fault.allCases)
    func `an answer to a payout that gets lost still ends with one payout`(fault: DevChain.Fault) async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            _ = try await world.withdraw("20", "USDC", by: ada)
            try await world.dev.fault(fault, on: "eth_signTransaction")
            try await world.custody.sender.round()
            try await world.makeDue()
            try await world.dev.fault(fault, on: "eth_sendRawTransaction")
            try await world.custody.sender.round()
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 20_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a process that ends between sending and storing has paid once`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            _ = try await world.withdraw("20", "USDC", by: ada)
            // Automatic blocks are off, so that the node has it and no block does.
            try await world.dev.setAutomine(false)
            try await world.custody.sender.round()
            let other = try await world.restarted()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await other.runtime.ledger.run() }
                defer { group.cancelAll() }
                try await other.makeDue()
                try await other.custody.sender.round()
                try await other.dev.mine()
                try await other.follow()
                try await other.makeDue()
                #expect(try await other.custody.sender.round() == 0)
                try await other.finalise()
                #expect(try await other.newest("withdrawals", of: ada)["status"] == "confirmed")
                #expect(try await other.tokens(.usdc, of: ada.address) - before == 20_000_000)
                try await other.expectBooksAreChain()
            }
        }
    }

    @Test func `a payout that the chain would refuse fails, and the money is available`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1, "100", .eth)
            // A token's contract takes no coins.
            let contract = try #require(world.chain.deployment.token(.usdc))
            try await world.know(contract, by: ada)
            _ = try await world.pool.query(
                "update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'"
            )
            try await world.link(.init(user: ada.user, place: ada.place, address: contract))
            #expect(try await world.withdraw("0.4", "ETH", to: contract, by: ada).status == 202)
            try await world.custody.sender.round()
            let failed = try await world.newest("withdrawals", of: ada)
            #expect(failed["status"] == "failed" && failed["reason"] == "would_revert", "\(failed)")
            #expect(try await world.available(.eth, by: ada) == Money(wire: "100", .eth).minorUnits)
        }
    }

    @Test func `a nonce that another transaction used for good is given up`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            _ = try await world.withdraw("20", "USDC", by: ada)
            // Signed and stored, and nothing of it reached the chain before somebody used the nonce.
            try await world.dev.fault(.drop, on: "eth_sendRawTransaction")
            try await world.custody.sender.round()
            let custodian = NodeCustodian(account: world.account, node: world.dev.node)
            let nonce = try await world.dev.node.nonce(of: custodian.account)
            let other = EthereumTransaction(
                chainID: world.chain.deployment.chainID,
                nonce: nonce,
                fee: .dynamic(
                    maxFeePerGas: BigUInt(100) * BigUInt.powerOfTen(9),
                    maxPriorityFeePerGas: BigUInt.powerOfTen(9)
                ),
                gasLimit: 21_000,
                to: custodian.account,
                value: .zero
            )
            try await world.dev.deliver(try await custodian.sign(try #require(other)).bytes)
            try await world.makeDue()
            try await world.custody.sender.round()
            #expect(try await world.newest("withdrawals", of: ada)["reason"] == "nonce_unclear")
            try await world.follow()
            try await world.finalise()
            for _ in 0..<2 {
                try await world.makeDue()
                try await world.custody.sender.round()
            }
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 20_000_000)
        }
    }

    @Test func `a local chain that begins anew has deposits and payouts of its own`() async throws {
        try await CustodyWorld.with { world in
            let ada = try await world.depositor(1)
            let first = try await world.newest("deposits", of: ada)
            _ = try await world.withdraw("20", "USDC", by: ada)
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            // Signed, and gone with its chain.
            _ = try await world.withdraw("10", "USDC", by: ada)
            try await world.custody.sender.round()
            try await DevChain.with { dev in
                let other = try await world.moved(to: dev)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await other.runtime.ledger.run() }
                    defer { group.cancelAll() }
                    try await other.follow()
                    try await other.makeDue()
                    try await other.send("100", .usdc, from: ada)
                    try await other.follow()
                    try await other.makeDue()
                    try await other.custody.sender.round()
                    try await other.follow()
                    try await other.finalise()
                    let second = try await other.newest("deposits", of: ada)
                    #expect(second["transaction_hash"] == first["transaction_hash"])
                    #expect(second["id"] != first["id"] && second["status"] == "confirmed", "\(second)")
                    #expect(try await other.newest("withdrawals", of: ada)["status"] == "confirmed")
                    #expect(try await other.held(.usdc, by: ada) == 168_000_000)
                    try await other.expectBooksAreChain()
                }
            }
        }
    }

    @Test func `a custodian who signs something else isn't believed`() async throws {
        try await CustodyWorld.with { world in
            let account = world.dev.address(3)
            let stranger = NodeCustodian(account: account, node: world.dev.node)
            let transaction = EthereumTransaction(
                chainID: world.chain.deployment.chainID,
                nonce: 0,
                fee: .dynamic(maxFeePerGas: BigUInt(10), maxPriorityFeePerGas: BigUInt(1)),
                gasLimit: 21_000,
                to: account,
                value: .zero
            )
            await #expect(throws: NodeError.self) { try await stranger.sign(try #require(transaction)) }
        }
    }
}
