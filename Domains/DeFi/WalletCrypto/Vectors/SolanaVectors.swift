import Cryptography
import Kernel

/// Addresses and messages of Solana.
enum SolanaVectors {
    static let checks: [String: VectorCheck] = [
        "sol_address_from_pubkey": { input throws(VectorInput.Missing) in
            guard let address = SolanaAddress(bytes: try input.hex("pubkey")) else { return ["error": "key"] }
            return ["address": .string(address.description)]
        },
        "sol_address_validate": { input throws(VectorInput.Missing) in
            guard let address = SolanaAddress(try input.text("address")) else { return ["valid": false] }
            return ["valid": true, "onCurve": .bool(address.isOnCurve), "linkable": .bool(address.isLinkable)]
        },
        "sol_on_curve": { input throws(VectorInput.Missing) in
            ["onCurve": .bool(try address(input, "address").isOnCurve)]
        },
        "sol_pda": { input throws(VectorInput.Missing) in
            let seeds = try input.texts("seeds").compactMap(Hex.decode)
            let program = try address(input, "program")
            guard seeds.count == (try input.texts("seeds").count),
                let (address, bump) = SolanaAddress.derived(seeds: seeds, program: program)
            else { return ["error": "seeds"] }
            return ["address": .string(address.description), "bump": .integer(bump)]
        },
        "sol_token_account": { input throws(VectorInput.Missing) in
            let account = SolanaAddress.tokenAccount(
                owner: try address(input, "owner"),
                mint: try address(input, "mint")
            )
            return ["address": account.map { .string($0.description) } ?? nil]
        },
        "sol_message_verify": { input throws(VectorInput.Missing) in
            SolanaMessage.verify(
                message: try input.text("message"),
                signature: try input.text("signature"),
                address: try input.text("address")
            )
            .vector
        },
        "sol_offchain_verify": { input throws(VectorInput.Missing) in
            let number = UInt8(truncatingIfNeeded: try input.integer("format"))
            return SolanaOffchainMessage.verify(
                message: try input.text("message"),
                format: try input.required("format", SolanaOffchainMessage.Format(rawValue: number)),
                applicationDomain: try input.hex("applicationDomain"),
                signature: try input.text("signature"),
                address: try input.text("address")
            )
            .vector
        },
    ]

    private static func address(_ input: VectorInput, _ field: String) throws(VectorInput.Missing) -> SolanaAddress {
        try input.required(field, SolanaAddress(try input.text(field)))
    }
}
