import Cryptography
import Kernel

/// Payments on Solana and Sui: how they are built, and what is read from signed ones.
enum PaymentVectors {
    static let checks: [String: VectorCheck] = [
        "sol_payment": { input throws(VectorInput.Missing) in
            guard let payment = try solana(input) else { return ["error": "payment"] }
            return [
                "message": .string(Hex.encode(payment.transaction.message)),
                "fee": payment.fee.lamports.map { .string(String($0)) } ?? nil,
            ]
        },
        "sol_transaction": { input throws(VectorInput.Missing) in
            guard let signed = try? SignedSolanaTransaction(try input.hex("raw")) else { return ["valid": false] }
            return describe(signed)
        },
        "sui_payment": { input throws(VectorInput.Missing) in
            guard let payment = try sui(input) else { return ["error": "payment"] }
            return [
                "bytes": .string(Hex.encode(payment.bytes)), "digest": .string(Base58.encode(payment.digest)),
                "signingDigest": .string(Hex.encode(payment.signingDigest)),
            ]
        },
        "sui_transaction": { input throws(VectorInput.Missing) in
            let signature = try input.required("signature", Base64.decode(try input.text("signature")))
            guard let payment = try? SuiPayment(try input.hex("bytes")),
                let signed = try? SignedSuiPayment(payment, signature: signature)
            else { return ["valid": false] }
            return [
                "valid": true, "digest": .string(Base58.encode(payment.digest)),
                "sender": .string(payment.sender.description), "recipient": .string(payment.recipient.description),
                "units": .string(String(payment.units)), "budget": .string(String(signed.payment.gas.budget)),
            ]
        },
    ]

    private static func solana(_ input: VectorInput) throws(VectorInput.Missing) -> SolanaPayment? {
        var token: SolanaPayment.Token?
        if input.json["mint"] != nil {
            let decimals = try input.required("decimals", UInt8(exactly: try input.integer("decimals")))
            token = SolanaPayment.Token(mint: try address(input, "mint"), decimals: decimals)
        }
        return SolanaPayment(
            try number(input, "units"),
            of: token,
            from: try address(input, "payer"),
            to: try address(input, "recipient"),
            fee: SolanaPayment.Fee(
                unitLimit: try input.required("unitLimit", UInt32(exactly: try input.integer("unitLimit"))),
                unitPrice: try number(input, "unitPrice")
            ),
            blockhash: try address(input, "blockhash").bytes
        )
    }

    private static func describe(_ signed: SignedSolanaTransaction) -> JSON {
        let known: [JSON.Member] = [.init("valid", true), .init("id", .string(signed.id))]
        guard let payment = try? SolanaPayment(signed.transaction) else {
            return .object(known + [.init("payment", false)])
        }
        var members = known
        members += [
            .init("payer", .string(payment.payer.description)),
            .init("recipient", .string(payment.recipient.description)),
            .init("units", .string(String(payment.units))),
            .init("fee", payment.fee.lamports.map { .string(String($0)) } ?? nil),
        ]
        if let token = payment.token {
            members += [.init("mint", .string(token.mint.description)), .init("decimals", .integer(token.decimals))]
        }
        return .object(members)
    }

    private static func sui(_ input: VectorInput) throws(VectorInput.Missing) -> SuiPayment? {
        SuiPayment(
            try number(input, "units"),
            of: try references(input, "coins"),
            from: try suiAddress(input, "sender"),
            to: try suiAddress(input, "recipient"),
            gas: SuiPayment.Gas(
                payment: try references(input, "gas"),
                price: try number(input, "price"),
                budget: try number(input, "budget")
            ),
            lastEpoch: UInt64(try input.integer("lastEpoch"))
        )
    }

    private static func references(
        _ input: VectorInput,
        _ field: String
    ) throws(VectorInput.Missing) -> [SuiObjectReference] {
        var references: [SuiObjectReference] = []
        for element in try input.elements(field) {
            let entry = VectorInput(json: element)
            let digest = try entry.required("digest", Base58.decode(try entry.text("digest")))
            let reference = SuiObjectReference(
                id: try suiAddress(entry, "id"),
                version: try number(entry, "version"),
                digest: digest
            )
            references.append(try entry.required("digest", reference))
        }
        return references
    }

    private static func number(_ input: VectorInput, _ field: String) throws(VectorInput.Missing) -> UInt64 {
        try input.required(field, UInt64(try input.text(field)))
    }

    private static func address(_ input: VectorInput, _ field: String) throws(VectorInput.Missing) -> SolanaAddress {
        try input.required(field, SolanaAddress(try input.text(field)))
    }

    private static func suiAddress(_ input: VectorInput, _ field: String) throws(VectorInput.Missing) -> SuiAddress {
        try input.required(field, SuiAddress(try input.text(field)))
    }
}
