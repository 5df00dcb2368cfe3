import Cryptography
import Kernel

/// Addresses and messages of Sui.
enum SuiVectors {
    static let checks: [String: VectorCheck] = [
        "sui_address_from_pubkey": { input throws(VectorInput.Missing) in
            let name = try input.text("scheme")
            let scheme = try input.required("scheme", SuiScheme.allCases.first { $0.name == name })
            let bytes = try input.required("publicKeyBase64", Base64.decode(try input.text("publicKeyBase64")))
            guard let key = SuiPublicKey(scheme, bytes) else { return ["error": "key"] }
            return [
                "address": .string(key.address.description), "suiPublicKey": .string(Base64.encode(key.flagged)),
            ]
        },
        "sui_address_validate": { input throws(VectorInput.Missing) in
            guard let address = SuiAddress(try input.text("address")) else { return ["valid": false] }
            return ["valid": true, "normalized": .string(address.description)]
        },
        "sui_multisig_address": multisig,
        "sui_message_verify": { input throws(VectorInput.Missing) in
            SuiMessage.verify(
                message: try input.text("message"),
                signature: try input.text("signature"),
                address: try input.text("address")
            )
            .vector
        },
    ]

    private static func multisig(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        var members: [SuiMultisig.Member] = []
        for element in try input.elements("keys") {
            let entry = VectorInput(json: element)
            let flag = UInt8(truncatingIfNeeded: try entry.integer("flag"))
            let scheme = try entry.required("flag", SuiScheme(rawValue: flag))
            let bytes = try entry.required("publicKeyBase64", Base64.decode(try entry.text("publicKeyBase64")))
            let weight = try entry.required("weight", UInt8(exactly: try entry.integer("weight")))
            guard let key = SuiPublicKey(scheme, bytes) else { return ["error": "key"] }
            members.append(SuiMultisig.Member(key: key, weight: weight))
        }
        let threshold = try input.required("threshold", UInt16(exactly: try input.integer("threshold")))
        do throws(SuiMultisig.Fault) {
            return ["address": .string(try SuiMultisig(members, threshold: threshold).address.description)]
        } catch {
            return ["error": .string(error.rawValue)]
        }
    }
}
