import HTTP
import Kernel
import WalletCrypto

extension Wallet {
    /// The wallet as its user sees it, with what came and went where that was asked for.
    func json(_ totals: [WalletTotals]? = nil) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("id", .string(id.wire)), JSON.Member("account", .string(account.description)),
            JSON.Member("chain", .string(chain.rawValue)), JSON.Member("network", .string(network.kind.rawValue)),
            JSON.Member("address", .string(address)), JSON.Member("type", .string(kind.rawValue)),
            JSON.Member("label", .string(label)), JSON.Member("status", .string(status.rawValue)),
            JSON.Member("is_primary", .bool(status == .verified)),
            JSON.Member("extended_key", derivation.map { .string($0.key.text) } ?? .null),
            JSON.Member("verified_at", verifiedAt.map { .string($0.description) } ?? .null),
            JSON.Member("revoked_at", revokedAt.map { .string($0.description) } ?? .null),
            JSON.Member("version", .integer(version)), JSON.Member("created_at", .string(createdAt.description)),
        ]
        if let totals { members.append(JSON.Member("totals", .array(totals.map(\.json)))) }
        return .object(members)
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Wallet.self)), .required("account", .string(.account), "CAIP-10."),
            .required("chain", .oneOf(Chain.self)), .required("network", .oneOf(ChainNetwork.Kind.self)),
            .required("address", .anyString, "Of a whole account, the first of its addresses."),
            .required("type", .oneOf(Kind.self)), .required("label", .anyString),
            .required("status", .oneOf(Status.self)),
            .required("is_primary", .bool, "Whether it is the one that the user acts with on this chain."),
            .required("extended_key", .nullable(.anyString), "The public key of a whole account on Bitcoin."),
            .required("verified_at", .nullable(.instant)), .required("revoked_at", .nullable(.instant)),
            .required("version", .integer(1...Int.max)), .required("created_at", .instant),
            .optional(
                "totals",
                .array(of: WalletTotals.schema, count: 0...Asset.all.count),
                "What came and went since it was linked, where one wallet is asked for."
            ),
        ],
        named: "Wallet"
    )
}

extension WalletTotals {
    var json: JSON {
        [
            "asset": .string(asset.code), "received": .string(Money(minorUnits: received, asset).wire),
            "sent": .string(Money(minorUnits: sent, asset).wire),
        ]
    }

    static let schema = JSONSchema.object(
        [.required("asset", .asset), .required("received", .amount), .required("sent", .amount)],
        named: "WalletTotals"
    )
}

extension Format {
    /// An account's name across chains (CAIP-10), of the chains that are served.
    static let account = Format(
        "account",
        pattern: "^(bip122|eip155|solana|sui):[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}$",
        length: 7...170,
        description: "An account's name across chains (CAIP-10).",
        example: "eip155:1:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
    ) { text in
        AccountID(text)?.chainID.chain == nil ? "bad_format" : nil
    }

    /// What a wallet answers: Base 58, Base 64 or hexadecimal.
    static let signature = Format.ascii(
        "signature",
        pattern: "^[0-9A-Za-z+/=]{1,33000}$",
        length: 1...33_000,
        description: "A signature in the form that the chain's wallets give it: Base 58, Base 64 or `0x…`."
    ) { byte, _ in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+/=".utf8.contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
