import Cryptography
import Kernel

/// Hashes, encodings, and names across chains.
enum EncodingVectors {
    static let checks: [String: VectorCheck] = [
        "hash": hash,
        "base58": { input throws(VectorInput.Missing) in ["encoded": .string(Base58.encode(try input.hex("data")))] },
        "base58check": { input throws(VectorInput.Missing) in
            ["encoded": .string(Base58.encodeChecked(try input.hex("data")))]
        },
        "base58check_decode": { input throws(VectorInput.Missing) in
            ["valid": .bool(Base58.decodeChecked(try input.text("encoded")) != nil)]
        },
        "bech32_string": { input throws(VectorInput.Missing) in
            let variant = try input.required("variant", Bech32.Variant(rawValue: try input.text("variant")))
            return ["valid": .bool(Bech32.decode(try input.text("string"), variant) != nil)]
        },
        "caip2": { input throws(VectorInput.Missing) in ["valid": .bool(ChainID(try input.text("id")) != nil)] },
        "caip10": { input throws(VectorInput.Missing) in ["valid": .bool(AccountID(try input.text("id")) != nil)] },
        "rlp": { input throws(VectorInput.Missing) in
            let value = try input.required("value", rlp(try input.value("value"), depth: 0))
            let encoded = value.encoded()
            // What is written has to read back as itself.
            guard RLP(decoding: encoded) == value else { return ["encoded": nil] }
            return ["encoded": .string(HexText.encode(encoded))]
        },
        "rlp_decode": { input throws(VectorInput.Missing) in
            ["valid": .bool(RLP(decoding: try input.prefixedHex("encoded")) != nil)]
        },
        "private_material": { input throws(VectorInput.Missing) in
            ["found": PrivateMaterial.find(in: try input.value("value")).map { .string($0.rawValue) } ?? nil]
        },
    ]

    private static func hash(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let data = try input.hex("data")
        let digest: [UInt8]
        switch try input.text("algorithm") {
        case "keccak256": digest = Keccak256.of(data)
        case "ripemd160": digest = RIPEMD160.of(data)
        case "blake2b256": digest = BLAKE2b256.of(data)
        case "sha256": digest = SHA256Digest.of(data)
        default: throw VectorInput.Missing(field: "algorithm")
        }
        return ["digest": .string(Hex.encode(digest))]
    }

    private static func rlp(_ json: JSON, depth: Int) -> RLP? {
        if let text = json.stringValue { return HexText.decode(text).map { .bytes($0) } }
        guard let elements = json.elements, depth < Bounds.depthMax else { return nil }
        let values = elements.compactMap { rlp($0, depth: depth + 1) }
        return values.count == elements.count ? .list(values) : nil
    }
}
