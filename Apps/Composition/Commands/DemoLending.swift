import ArgumentParser
import Cryptography
import EmbeddedServers
import Foundation
import Kernel
import OutboundHTTP
import WalletCrypto

/// The chapter on chain: link a wallet, lend, let time pass, see the yield, leave.
struct DemoLending {
    /// How long it waits for the chain.
    private static let patienceSeconds = 60
    private static let year = 31_536_000

    let api: DemoClient
    let tag: String

    /// Plays it where a chain is followed.
    func play() async throws {
        let token = try await api.login("ada@example.com", DemoSeed.password)
        let gas = try await api.send(.get, "/v1/defi/gas", token: token)
        guard gas.status == 200 else { return print("No chain is followed here; ./run starts one.") }
        // The key of an account of the local chain: made from public text, it holds no value anywhere.
        let secret = Keccak256.of(Array("diboas devchain account 1".utf8))
        guard let signer = DemoSigner(secret: secret) else { return }
        print("Ada links the wallet \(signer.address); its key is \(HexText.encode(secret)).")
        let wallet = try await link(signer, on: text(gas.json, "chain"), token)
        print("She lends 1000.00 USDC in aave-usdc; her wallet signs what is built.")
        let started = try await act(
            "/v1/defi/strategies",
            ["wallet": .string(wallet), "offer": "aave-usdc", "amount": "1000"],
            key: "lend-\(tag)",
            signer,
            token
        )
        let before = try await position(started, token) { $0 == "active" }
        print("  deposited \(text(before, "deposited")), worth \(text(before, "value"))")
        if try await passYear() {
            print("A year passes on the chain.")
            let grown = try await later(than: before, token)
            print("  worth \(text(grown, "value")), earned \(grown["yield"]?["actual"]?.stringValue ?? "?") USDC")
        }
        print("She leaves it.")
        _ = try await act("/v1/defi/strategies/\(started)/stop", [:], key: "leave-\(tag)", signer, token)
        let left = try await position(started, token) { $0 == "stopped" }
        print("  \(text(left, "status")), \(text(left, "withdrawn")) USDC came back")
    }

    private func link(_ signer: DemoSigner, on chain: String, _ token: String) async throws -> String {
        let account = "\(chain):\(signer.address)"
        let list = try await api.expect([200], "wallets", .get, "/v1/defi/wallets", token: token)
        let known = (list["data"]?.elements ?? []).first { text($0, "account") == account }
        if let known, text(known, "status") == "verified" { return text(known, "id") }
        let wallet: JSON
        if let known {
            wallet = known
        } else {
            wallet = try await api.expect(
                [200, 201],
                "the wallet",
                .post,
                "/v1/defi/wallets",
                token: token,
                key: "wallet-\(tag)",
                body: ["account": .string(account), "label": "Demo"]
            )
        }
        let challenge = try await api.expect(
            [201],
            "the challenge",
            .post,
            "/v1/defi/wallets/challenges",
            token: token,
            body: ["wallet": wallet["id"] ?? .null]
        )
        let message = Array(text(challenge, "message").utf8)
        let signature = signer.sign(PersonalMessage.digest(of: message)) ?? []
        let verified = try await api.expect(
            [200],
            "the proof",
            .post,
            "/v1/defi/wallets/\(text(wallet, "id"))/verify",
            token: token,
            body: ["challenge": challenge["id"] ?? .null, "signature": .string(HexText.encode(signature))]
        )
        print("  \(text(verified, "status"))")
        return text(wallet, "id")
    }

    /// Asks for transactions, signs them and gives them back; the strategy's id.
    private func act(
        _ path: String,
        _ body: JSON,
        key: String,
        _ signer: DemoSigner,
        _ token: String
    ) async throws -> String {
        let answer = try await api.expect([201], "transactions", .post, path, token: token, key: key, body: body)
        for (place, built) in (answer["transactions"]?.elements ?? []).enumerated() {
            let id = text(built, "id")
            let submitted = try await api.expect(
                [202],
                "submitting",
                .post,
                "/v1/defi/intents/\(id)/submit",
                token: token,
                key: "\(key)-\(place)",
                body: ["signed_transaction": .string(try signed(built, signer))]
            )
            print("  \(text(submitted, "kind")): \(text(submitted, "transaction_hash"))")
        }
        return text(answer, "strategy")
    }

    /// The transaction that the answer describes, as a wallet signs it.
    private func signed(_ built: JSON, _ signer: DemoSigner) throws -> String {
        guard let fields = built["unsigned"], let chain = UInt64(text(fields, "chain_id")),
            let nonce = UInt64(text(fields, "nonce")), let gas = UInt64(text(fields, "gas_limit")),
            let fee = BigUInt(text(fields, "max_fee_per_gas")),
            let tip = BigUInt(text(fields, "max_priority_fee_per_gas")),
            let value = BigUInt(text(fields, "value")), let data = HexText.decode(text(fields, "data")),
            let transaction = EthereumTransaction(
                chainID: chain,
                nonce: nonce,
                fee: .dynamic(maxFeePerGas: fee, maxPriorityFeePerGas: tip),
                gasLimit: gas,
                to: EthereumAddress(text(fields, "to")),
                value: value,
                data: data
            ),
            let signature = signer.sign(transaction.signingHash)
        else { throw ValidationError("The transaction can't be read: \(built)") }
        let whole = try SignedEthereumTransaction(transaction, signature: try EthereumSignature(signature))
        return HexText.encode(whole.bytes)
    }

    private func position(
        _ id: String,
        _ token: String,
        until isDone: (String) -> Bool
    ) async throws -> JSON {
        for _ in 0..<(Self.patienceSeconds * 5) {
            let detail = try await api.expect([200], "it", .get, "/v1/defi/strategies/\(id)", token: token)
            if let strategy = detail["strategy"], isDone(text(strategy, "status")) { return strategy }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw ValidationError("\(id) doesn't get there within \(Self.patienceSeconds) s. Does a worker run?")
    }

    /// The strategy once it is worth something else.
    private func later(than before: JSON, _ token: String) async throws -> JSON {
        var now = before
        for _ in 0..<(Self.patienceSeconds * 5) where now["value"] == before["value"] {
            try await Task.sleep(for: .milliseconds(200))
            now = try await position(text(before, "id"), token) { _ in true }
        }
        return now
    }

    /// Lets a year pass on the local chain, if this machine has it.
    private func passYear() async throws -> Bool {
        let home = StateDirectory.standard(home: ProcessInfo.processInfo.environment["DIBOAS_HOME"])
        guard let ready = FileManager.default.contents(atPath: home.path + "/chain/ready.json"),
            let url = try JSON.parse(Array(ready))["rpc"]?.stringValue
        else { return false }
        let chain = DemoClient(url: url, api: api)
        for (method, parameter) in [("evm_increaseTime", Self.year), ("evm_mine", 1)] {
            let call: JSON = [
                "jsonrpc": "2.0", "id": .integer(1), "method": .string(method), "params": [.integer(parameter)],
            ]
            _ = try await chain.expect([200], method, .post, "", body: call)
        }
        return true
    }

    private func text(_ json: JSON, _ name: String) -> String { json[name]?.stringValue ?? "?" }
}
