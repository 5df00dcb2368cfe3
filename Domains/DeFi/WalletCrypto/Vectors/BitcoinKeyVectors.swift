import Cryptography
import Kernel

/// Keys of Bitcoin: extended ones, Schnorr's, Taproot's.
enum BitcoinKeyVectors {
    static let checks: [String: VectorCheck] = [
        "xpub_validate": { input throws(VectorInput.Missing) in
            ["valid": .bool((try? ExtendedPublicKey(try input.text("xpub"))) != nil)]
        },
        "xpub_child": child, "xpub_address": address,
        "schnorr_verify": { input throws(VectorInput.Missing) in
            let isValid = Secp256k1Schnorr.verify(
                signature: try input.hex("signature"),
                message: try input.hex("message"),
                publicKey: try input.hex("publicKey")
            )
            return ["valid": .bool(isValid)]
        },
        "taproot_output": taproot,
    ]

    private static func child(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let (text, path) = (try input.text("xpub"), try input.text("path"))
        do throws(ExtendedPublicKey.Fault) {
            return ["xpub": .string(try ExtendedPublicKey(text).descendant(path).text)]
        } catch {
            return ["error": .string(error.rawValue)]
        }
    }

    private static func address(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let (text, path) = (try input.text("xpub"), try input.text("path"))
        let (form, network) = (try input.form("script"), try input.network("network"))
        do throws(ExtendedPublicKey.Fault) {
            let key = try ExtendedPublicKey(text).descendant(path)
            return [
                "address": .string(try key.address(form, network: network).description),
                "pubkey": .string(Hex.encode(key.key.compressed)), "internalKey": .string(Hex.encode(key.key.xOnly)),
            ]
        } catch {
            return ["error": .string(error.rawValue)]
        }
    }

    private static func taproot(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let root = input.json["merkleRoot"] == .null ? nil : try input.hex("merkleRoot")
        guard let key = Secp256k1Schnorr.outputKey(internalKey: try input.hex("internalPubkey"), merkleRoot: root)
        else { return ["error": "key"] }
        let script = BitcoinScript.witness(version: 1, program: key)
        return [
            "tweakedPubkey": .string(Hex.encode(key)), "scriptPubKey": .string(Hex.encode(script.bytes)),
            "address": .string(BitcoinAddress(script, network: .mainnet).description),
        ]
    }
}
