import Cryptography
import Kernel

/// What a vector puts in, field by field.
struct VectorInput {
    /// A field that isn't there or has another kind.
    struct Missing: Error {
        let field: String
    }

    let json: JSON

    func text(_ field: String) throws(Missing) -> String { try required(field, json[field]?.stringValue) }

    func integer(_ field: String) throws(Missing) -> Int {
        let value = try required(field, json[field]?.integerValue)
        guard value >= 0 else { throw Missing(field: field) }
        return value
    }

    func truth(_ field: String) throws(Missing) -> Bool { try required(field, json[field]?.boolValue) }

    func elements(_ field: String) throws(Missing) -> [JSON] { try required(field, json[field]?.elements) }

    func texts(_ field: String) throws(Missing) -> [String] {
        let elements = try elements(field)
        let texts = elements.compactMap(\.stringValue)
        guard texts.count == elements.count else { throw Missing(field: field) }
        return texts
    }

    func value(_ field: String) throws(Missing) -> JSON { try required(field, json[field]) }

    func hex(_ field: String) throws(Missing) -> [UInt8] { try required(field, Hex.decode(try text(field))) }

    func prefixedHex(_ field: String) throws(Missing) -> [UInt8] {
        try required(field, HexText.decode(try text(field)))
    }

    func number(_ field: String) throws(Missing) -> BigUInt { try required(field, BigUInt(try text(field))) }

    func decimal(_ field: String) throws(Missing) -> Fixed18 { try required(field, Fixed18(try text(field))) }

    func network(_ field: String) throws(Missing) -> BitcoinNetwork {
        try required(field, BitcoinNetwork(rawValue: try text(field)))
    }

    func form(_ field: String) throws(Missing) -> BitcoinScript.SingleKey {
        try required(field, BitcoinScript.SingleKey(rawValue: try text(field)))
    }

    func input(_ field: String) throws(Missing) -> VectorInput { VectorInput(json: try value(field)) }

    func required<Value>(_ field: String, _ value: Value?) throws(Missing) -> Value {
        guard let value else { throw Missing(field: field) }
        return value
    }
}

/// Computes what a vector's input leads to: an object with the fields that may be expected.
typealias VectorCheck = @Sendable (VectorInput) throws(VectorInput.Missing) -> JSON

/// The checks by kind.
enum VectorChecks {
    static let all: [String: VectorCheck] =
        [
            EncodingVectors.checks, BitcoinVectors.checks, BitcoinKeyVectors.checks, EthereumVectors.checks,
            EthereumTransactionVectors.checks, SolanaVectors.checks, SuiVectors.checks, SignInVectors.checks,
            YieldVectors.checks, PaymentVectors.checks,
        ]
        .reduce(into: [:]) { all, checks in all.merge(checks) { first, _ in first } }
}

extension ProofVerdict {
    /// As vectors have it: true, false, or `unsupported`.
    var vector: JSON {
        switch self {
        case .valid: ["valid": true]
        case .invalid(let fault): ["valid": false, "fault": .string(fault.rawValue)]
        case .unsupported: ["valid": "unsupported"]
        }
    }
}
