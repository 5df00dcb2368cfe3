import EmbeddedServers
import Kernel
import Logging
import OutboundHTTP
import WalletCrypto

/// The chain of the tests, and an account on it that its node signs for.
struct LocalChain: Sendable {
    /// What the chain says is none of what was asked for.
    struct Surprise: Error, Sendable {
        let method: String
        let answer: String
    }

    private static let gwei: UInt64 = 1_000_000_000

    let url: String
    let deployment: String
    let http: HTTPClient
    let custodian: EthereumAddress
    private let contracts: JSON

    init(_ chain: EmbeddedChain) throws {
        let ready = try JSON.parse(Array(chain.ready.utf8))
        guard let url = ready["rpc"]?.stringValue, let contracts = ready["contracts"],
            let account = ready["custodian"]?.stringValue.flatMap({ EthereumAddress($0) })
        else { throw Surprise(method: "ready.json", answer: chain.ready) }
        (self.url, self.contracts, custodian, deployment) = (url, contracts, account, chain.deploymentPath)
        var configuration = HTTPClientConfiguration()
        (configuration.allowPlainHTTP, configuration.allowPrivateAddresses) = (true, true)
        http = HTTPClient(name: "bench", configuration: configuration, logger: Logger(label: "chain-bench"))
    }

    func contract(_ name: String) throws -> EthereumAddress {
        guard let address = contracts[name]?.stringValue.flatMap({ EthereumAddress($0) }) else {
            throw Surprise(method: name, answer: "no contract")
        }
        return address
    }

    /// The result of a call.
    @discardableResult
    func call(_ method: String, _ parameters: JSON...) async throws -> JSON {
        let body: JSON = [
            "jsonrpc": "2.0", "id": .integer(1), "method": .string(method), "params": .array(parameters),
        ]
        var request = OutboundRequest(
            .post,
            url,
            headers: [OutboundHeader("Content-Type", "application/json")],
            body: body.serialized()
        )
        // Blocks of hundreds of transactions take the chain some seconds.
        request.deadlineSeconds = 60
        let answer = try JSON.parse(try await http.send(request).body)
        guard let result = answer["result"] else {
            throw Surprise(method: method, answer: String(decoding: answer.serialized(), as: UTF8.self))
        }
        return result
    }

    /// How often each method was called so far.
    func stats() async throws -> [String: Int] {
        guard case .object(let members) = try await call("dev_stats") else { return [:] }
        return members.reduce(into: [:]) { $0[$1.name] = $1.value.integerValue }
    }

    /// The number of the newest block.
    func head() async throws -> Int64 { Int64(try await quantity("eth_blockNumber")) }

    func mine() async throws { try await call("evm_mine", .integer(1)) }

    /// Calls a contract from the custodian's account.
    func send(
        _ function: String,
        _ arguments: [ABIValue],
        to contract: EthereumAddress,
        gas: UInt64 = 300_000
    ) async throws {
        guard let data = try ContractFunction(function)?.callData(arguments) else {
            throw Surprise(method: function, answer: "no function")
        }
        try await send(data, to: contract, value: 0, gas: gas)
    }

    /// Pays coins from the custodian's account.
    func pay(_ recipient: EthereumAddress, wei: UInt64) async throws {
        try await send([], to: recipient, value: wei, gas: 21_000)
    }

    private func send(_ data: [UInt8], to recipient: EthereumAddress, value: UInt64, gas: UInt64) async throws {
        let nonce = try await quantity("eth_getTransactionCount", .string(custodian.description), "pending")
        let signed = try await call(
            "eth_signTransaction",
            [
                "from": .string(custodian.description), "to": .string(recipient.description),
                "chainId": Self.quantity(try await quantity("eth_chainId")), "nonce": Self.quantity(nonce),
                "gas": Self.quantity(gas), "maxFeePerGas": Self.quantity(100 * Self.gwei),
                "maxPriorityFeePerGas": Self.quantity(Self.gwei), "value": Self.quantity(value),
                "data": .string(HexText.encode(data)),
            ]
        )
        try await call("eth_sendRawTransaction", signed["raw"] ?? .null)
    }

    private func quantity(_ method: String, _ parameters: JSON...) async throws -> UInt64 {
        let answer: JSON =
            switch parameters.count {
            case 0: try await call(method)
            default: try await call(method, parameters[0], parameters[1])
            }
        guard let value = answer.stringValue.flatMap({ UInt64($0.dropFirst(2), radix: 16) }) else {
            throw Surprise(method: method, answer: String(decoding: answer.serialized(), as: UTF8.self))
        }
        return value
    }

    private static func quantity(_ value: UInt64) -> JSON { .string("0x" + String(value, radix: 16)) }
}
