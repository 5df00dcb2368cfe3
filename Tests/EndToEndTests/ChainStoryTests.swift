import EmbeddedServers
import Foundation
import Kernel
import Testing
import WalletCrypto
import WalletSigners

/// A customer's money on a local chain, through the public API, while the server is killed at the worst moment.
struct ChainStoryTests {
    private static let patienceSeconds = 90.0

    /// The chain outlives the server, as chains do.
    private struct Chain {
        let server: EmbeddedChain
        let url: String
        let signer: Signer

        var settings: [String: String] {
            [
                "DIBOAS_ETHEREUM_NODES": url, "DIBOAS_ETHEREUM_DEPLOYMENT": server.deploymentPath,
                "DIBOAS_ETHEREUM_CONFIRMATIONS": "2", "DIBOAS_CHAIN_POLL_MILLISECONDS": "200",
            ]
        }
        var address: EthereumAddress { EthereumAddress(key: signer.key) }

        static func start() async throws -> Chain {
            let root = Program.root
            let server = try await EmbeddedChain.startTemporary(
                .ethereum,
                EmbeddedChain.Programs(
                    python: root + "/.build/chains/bin/python",
                    directory: root + "/Tests/DevChains"
                ),
                arguments: ["--block-time", "0.5"]
            )
            let ready = try JSON.parse(Array(server.ready.utf8))
            let key = ready["accounts"]?.elements?[1]["privateKey"]?.stringValue.flatMap(HexText.decode)
            let (url, secret) = (try #require(ready["rpc"]?.stringValue), try #require(key))
            return Chain(server: server, url: url, signer: try Signer(secret: secret))
        }

        func call(_ method: String, _ parameters: JSON) async throws -> JSON {
            let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
            let body: JSON = ["jsonrpc": "2.0", "id": .integer(1), "method": .string(method), "params": parameters]
            let answer = try await WireClient(port: port).send("POST", "/", body: body.serialized())
            return answer.json["result"] ?? .null
        }

        /// What the chain counts of the wallet's transactions.
        func nonce() async throws -> String? {
            try await call("eth_getTransactionCount", [.string(address.description), "latest"]).stringValue
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a server that is killed between sending and storing sends nothing twice and loses nothing`() async throws {
        let folder = try TemporaryFolder("chain")
        defer { folder.remove() }
        let chain = try await Chain.start()
        var server = try await RunningServer.start(home: folder.path, settings: chain.settings)
        let ada = try await Customer.make("ada", on: server)
        let wallet = try await ada.linkWallet("eip155:31337", chain.signer)
        let body: JSON = ["wallet": .string(wallet), "offer": "aave-usdc", "amount": "1000"]
        let built = try await ada.post("/v1/defi/strategies", body, key: "start")
        try #require(built.status == 201, "\(built.readable)")
        let strategy = built.text("strategy")
        for (place, transaction) in (built.json["transactions"]?.elements ?? []).enumerated() {
            let id = try #require(transaction["id"]?.stringValue)
            let signed: JSON = ["signed_transaction": .string(try Self.signed(transaction, by: chain.signer))]
            // The node has it at once, and says so only when nobody is there any more.
            let fault: JSON = ["method": "eth_sendRawTransaction", "kind": "late", "seconds": .integer(3)]
            _ = try await chain.call("dev_fault", [fault])
            async let lost = try? ada.post("/v1/defi/intents/\(id)/submit", signed, key: "submit-\(place)")
            try await Task.sleep(for: .seconds(1.5))
            await server.kill()
            _ = await lost
            server = try await RunningServer.start(home: folder.path, port: server.port, settings: chain.settings)
            let again = try await ada.post("/v1/defi/intents/\(id)/submit", signed, key: "submit-\(place)")
            #expect(again.status == 202, "\(again.readable)")
        }
        let position = try await Self.position(strategy, of: ada) { $0["status"]?.stringValue == "active" }
        #expect(position["deposited"]?.stringValue == "1000.00")
        for transaction in built.json["transactions"]?.elements ?? [] {
            let id = transaction["id"]?.stringValue ?? ""
            #expect(try await ada.get("/v1/defi/transactions/\(id)").text("status") == "final")
        }
        #expect(try await chain.nonce() == "0x2")
        let checked = try await server.command("ledger", "verify", "--domain", "defi")
        #expect(checked.status == 0, "\(checked.output) \(checked.errors)")
        try await Self.look(at: server, chain, strategy)
        try await Self.check(of: ada, "999000.00")
        await server.stop()
        await chain.server.stop()
    }

    /// What the customer's wallet has on the chain is beside all other balances, soon after its block.
    private static func check(of customer: Customer, _ expected: String) async throws {
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        var balances: [JSON] = []
        while ContinuousClock.now < deadline {
            balances = try await customer.get("/v1/balances").json["data"]?.elements ?? []
            let held = balances.first {
                $0["account"]?.stringValue == "wallet:eip155:31337" && $0["asset"]?.stringValue == "USDC"
            }
            if held?["total"]?.stringValue == expected { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        Issue.record("no \(expected) in \(balances)")
    }

    /// What operators see of it.
    private static func look(at server: RunningServer, _ chain: Chain, _ strategy: String) async throws {
        func command(_ arguments: String...) async throws -> Program.Outcome {
            let environment = server.environment.merging(chain.settings) { $1 }
            return try await Program.run(["defi"] + arguments, environment: environment)
        }
        let status = try await command("chain", "--json")
        #expect(status.output.contains("\"is_followed\":true"), "\(status.output) \(status.errors)")
        let list = try await command("strategies", "--json")
        #expect(list.output.contains(strategy))
        let transactions = try await command("transactions", "--json")
        #expect(transactions.output.contains("\"final\""))
        let stuck = try await command("transactions", "list", "--stuck", "--json")
        #expect(stuck.status == 0 && !stuck.output.contains("int_"))
        let refused = try await command("transactions", "rebroadcast", "int_01m7xr0w9rfb286s30ts1kx6zz")
        #expect(refused.status != 0)
        let wallets = try await command("wallets", "--help")
        #expect(wallets.status == 0)
    }

    /// The transaction that an answer describes, as a wallet gives it back.
    private static func signed(_ built: JSON, by signer: Signer) throws -> String {
        func text(_ name: String) -> String { built["unsigned"]?[name]?.stringValue ?? "" }
        let (chain, nonce) = (try #require(UInt64(text("chain_id"))), try #require(UInt64(text("nonce"))))
        let fee = try #require(BigUInt(text("max_fee_per_gas")))
        let tip = try #require(BigUInt(text("max_priority_fee_per_gas")))
        let (gas, value) = (try #require(UInt64(text("gas_limit"))), try #require(BigUInt(text("value"))))
        let data = try #require(HexText.decode(text("data")))
        let made = EthereumTransaction(
            chainID: chain,
            nonce: nonce,
            fee: .dynamic(maxFeePerGas: fee, maxPriorityFeePerGas: tip),
            gasLimit: gas,
            to: EthereumAddress(text("to")),
            value: value,
            data: data
        )
        let transaction = try #require(made)
        let signature = try EthereumSignature(try signer.ethereum(transaction.signingHash))
        return HexText.encode(try SignedEthereumTransaction(transaction, signature: signature).bytes)
    }

    private static func position(
        _ id: String,
        of customer: Customer,
        until isDone: (JSON) -> Bool
    ) async throws -> JSON {
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        var last = JSON.null
        while ContinuousClock.now < deadline {
            last = try await customer.get("/v1/defi/strategies/\(id)").json["strategy"] ?? .null
            if isDone(last) { return last }
            try await Task.sleep(for: .milliseconds(200))
        }
        Issue.record("\(id) doesn't get there: \(last)")
        return last
    }
}
