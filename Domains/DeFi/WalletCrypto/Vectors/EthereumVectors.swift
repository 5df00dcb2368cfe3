import Cryptography
import Kernel

/// Addresses, messages and calls of Ethereum.
enum EthereumVectors {
    static let checks: [String: VectorCheck] = [
        "eth_address_from_pubkey": { input throws(VectorInput.Missing) in
            guard let key = try? Secp256k1PublicKey(sec1: try input.hex("pubkey")) else { return ["error": "key"] }
            return ["address": .string(EthereumAddress(key: key).description)]
        },
        "eth_address_validate": { input throws(VectorInput.Missing) in
            guard let address = EthereumAddress(try input.text("address")) else { return ["valid": false] }
            return ["valid": true, "checksummed": .string(address.description)]
        },
        "eth_create_address": { input throws(VectorInput.Missing) in
            let sender = try input.required("sender", EthereumAddress(try input.text("sender")))
            let nonce = UInt64(try input.integer("nonce"))
            return ["address": .string(sender.created(nonce: nonce).description)]
        },
        "eth_personal_verify": { input throws(VectorInput.Missing) in
            PersonalMessage.verify(
                message: try input.text("message"),
                signature: try input.text("signature"),
                address: try input.text("address")
            )
            .vector
        },
        "eth_typed_data_hash": { input throws(VectorInput.Missing) in
            guard let data = try? TypedMessage(try input.value("typedData")) else { return ["error": "typed_data"] }
            return [
                "domainSeparator": .string(Hex.encode(data.domainSeparator)),
                "structHash": .string(Hex.encode(data.structHash)), "digest": .string(Hex.encode(data.digest)),
            ]
        },
        "eth_typed_data_verify": { input throws(VectorInput.Missing) in
            guard let data = try? TypedMessage(try input.value("typedData")) else { return ["valid": false] }
            return data.verify(signature: try input.text("signature"), address: try input.text("address")).vector
        },
        "abi_call": call, "abi_decode": decode,
    ]

    private static func call(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let function = try input.required("function", ContractFunction(try input.text("function")))
        guard case .elements(let arguments)? = ABIValue(try input.value("args"), as: .tuple(function.parameters)),
            let data = try? function.callData(arguments), (try? function.arguments(data)) == arguments
        else { return ["error": "arguments"] }
        return ["calldata": .string(HexText.encode(data))]
    }

    private static func decode(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let types = try input.texts("types").map(ABIType.init(_:))
        let known = types.compactMap { $0 }
        guard known.count == types.count else { throw VectorInput.Missing(field: "types") }
        return ["valid": .bool((try? ABI.decode(try input.prefixedHex("data"), as: known)) != nil)]
    }
}
