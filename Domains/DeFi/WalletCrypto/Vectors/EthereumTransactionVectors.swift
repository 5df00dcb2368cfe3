import Cryptography
import Kernel

/// Transactions and fees of Ethereum.
enum EthereumTransactionVectors {
    static let checks: [String: VectorCheck] = [
        "eth_tx_sighash": { input throws(VectorInput.Missing) in
            guard let transaction = try transaction(input) else { return ["error": "transaction"] }
            return ["signingHash": .string(HexText.encode(transaction.signingHash))]
        },
        "eth_tx_decode": { input throws(VectorInput.Missing) in
            guard let signed = try? SignedEthereumTransaction(try input.prefixedHex("raw")) else {
                return ["valid": false]
            }
            return describe(signed)
        },
        "eth_next_base_fee": { input throws(VectorInput.Missing) in
            let next = FeeMarket.nextBaseFee(
                try input.number("baseFee"),
                gasUsed: UInt64(try input.integer("gasUsed")),
                gasLimit: UInt64(max(2, try input.integer("gasLimit")))
            )
            return ["baseFee": .string(next.description)]
        },
    ]

    private static func transaction(_ input: VectorInput) throws(VectorInput.Missing) -> EthereumTransaction? {
        let fee: EthereumTransaction.Fee
        switch try input.integer("type") {
        case 0: fee = .legacy(gasPrice: try input.number("gasPrice"))
        case 1: fee = .accessList(gasPrice: try input.number("gasPrice"))
        case 2:
            fee = .dynamic(
                maxFeePerGas: try input.number("maxFeePerGas"),
                maxPriorityFeePerGas: try input.number("maxPriorityFeePerGas")
            )
        default: throw VectorInput.Missing(field: "type")
        }
        return EthereumTransaction(
            chainID: UInt64(try input.integer("chainId")),
            nonce: UInt64(try input.integer("nonce")),
            fee: fee,
            gasLimit: UInt64(try input.integer("gas")),
            to: try input.required("to", EthereumAddress(try input.text("to"))),
            value: try input.number("value"),
            data: try input.prefixedHex("data"),
            accessList: try accessList(input)
        )
    }

    private static func accessList(
        _ input: VectorInput
    ) throws(VectorInput.Missing) -> [EthereumTransaction.Access] {
        guard input.json["accessList"] != nil else { return [] }
        var accesses: [EthereumTransaction.Access] = []
        for element in try input.elements("accessList") {
            let entry = VectorInput(json: element)
            let keys = try entry.texts("storageKeys").map { HexText.decode($0) ?? [] }
            guard keys.allSatisfy({ $0.count == 32 }) else { throw VectorInput.Missing(field: "storageKeys") }
            let address = try entry.required("address", EthereumAddress(try entry.text("address")))
            accesses.append(EthereumTransaction.Access(address: address, storageKeys: keys))
        }
        return accesses
    }

    private static func describe(_ signed: SignedEthereumTransaction) -> JSON {
        let transaction = signed.transaction
        var members: [JSON.Member] = [
            JSON.Member("valid", true), JSON.Member("type", .integer(transaction.type)),
            JSON.Member("hash", .string(HexText.encode(signed.hash))),
            JSON.Member("from", .string(signed.sender.description)),
            JSON.Member("chainId", .integer(transaction.chainID)), JSON.Member("nonce", .integer(transaction.nonce)),
            JSON.Member("gas", .integer(transaction.gasLimit)),
            JSON.Member("to", transaction.to.map { .string($0.description) } ?? nil),
            JSON.Member("value", .string(transaction.value.description)),
            JSON.Member("data", .string(HexText.encode(transaction.data))),
        ]
        switch transaction.fee {
        case .legacy(let price), .accessList(let price):
            members.append(JSON.Member("gasPrice", .string(price.description)))
        case .dynamic(let limit, let tip):
            members.append(JSON.Member("maxFeePerGas", .string(limit.description)))
            members.append(JSON.Member("maxPriorityFeePerGas", .string(tip.description)))
        }
        if transaction.type != 0 {
            let list = transaction.accessList.map { access in
                [
                    "address": .string(access.address.description),
                    "storageKeys": .array(access.storageKeys.map { .string(HexText.encode($0)) }),
                ] as JSON
            }
            members.append(JSON.Member("accessList", .array(list)))
        }
        return .object(members)
    }
}
