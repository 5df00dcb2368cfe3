import Cryptography
import Kernel

/// Addresses, messages and transactions of Bitcoin.
enum BitcoinVectors {
    static let checks: [String: VectorCheck] = [
        "btc_address_validate": validateAddress,
        "btc_address_from_pubkey": deriveAddress,
        "btc_multisig_address": multisig,
        "btc_message_verify": verifyMessage,
        "bip322_hashes": hashes,
        "psbt_parse": { input throws(VectorInput.Missing) in
            ["valid": .bool((try? PSBT(base64: try input.text("psbt"))) != nil)]
        },
        "psbt_signer_check": { input throws(VectorInput.Missing) in
            let psbt = try? PSBT(base64: try input.text("psbt"))
            return ["signable": .bool(psbt?.isSignable ?? false)]
        },
    ]

    private static func validateAddress(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        guard let address = BitcoinAddress(try input.text("address"), network: try input.network("network")) else {
            return ["valid": false]
        }
        return [
            "valid": true, "type": .string(address.script.name), "normalized": .string(address.description),
            "scriptPubKey": .string(Hex.encode(address.script.bytes)),
        ]
    }

    private static func deriveAddress(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let bytes = try input.hex("pubkey")
        let form = try input.form("script")
        // A key in its long form has another hash, which segregated witness doesn't allow (BIP-143).
        guard bytes.count == 33, let key = try? Secp256k1PublicKey(sec1: bytes),
            let address = BitcoinAddress(form, key: key, network: try input.network("network"))
        else { return ["error": "key"] }
        return [
            "address": .string(address.description), "scriptPubKey": .string(Hex.encode(address.script.bytes)),
        ]
    }

    private static func multisig(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        guard try input.text("script") == "p2wsh" else { throw VectorInput.Missing(field: "script") }
        let keys = try input.texts("pubkeys").map { text in
            Hex.decode(text).flatMap { try? Secp256k1PublicKey(sec1: $0) }
        }
        let points = keys.compactMap { $0 }
        guard points.count == keys.count else { return ["error": "key"] }
        let threshold = try input.integer("threshold")
        let isSorted = try input.truth("sorted")
        let network = try input.network("network")
        do throws(BitcoinMultisig.Fault) {
            let multisig = try BitcoinMultisig(threshold: threshold, keys: points, sorted: isSorted)
            return [
                "address": .string(multisig.address(network).description),
                "witnessScript": .string(Hex.encode(multisig.witnessScript)),
            ]
        } catch {
            return ["error": .string(error.rawValue)]
        }
    }

    private static func verifyMessage(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let (message, signature) = (try input.text("message"), try input.text("signature"))
        let address = try input.text("address")
        switch try input.text("scheme") {
        case "bip137", "legacy":
            return BitcoinMessage.verifyBIP137(message: message, signature: signature, address: address).vector
        case "auto", "bip322-simple", "bip322-full":
            return BitcoinMessage.verify(message: message, signature: signature, address: address).vector
        default: throw VectorInput.Missing(field: "scheme")
        }
    }

    private static func hashes(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let text = try input.text("address")
        let addresses = BitcoinNetwork.allCases.compactMap { BitcoinAddress(text, network: $0) }
        let address = try input.required("address", addresses.first)
        let hashes = BIP322.hashes(message: try input.text("message"), script: address.script)
        return [
            "messageHash": .string(Hex.encode(hashes.message)), "toSpend": .string(Hex.encode(hashes.toSpend)),
            "toSign": .string(Hex.encode(hashes.toSign)),
        ]
    }
}
