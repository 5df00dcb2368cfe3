import HTTP
import WalletCrypto

/// Texts of chains. Each is a form of its own, for free text is looked through for numbers of cards, which digits of a
/// transaction may look like.
extension Format {
    /// An address of any chain; what it is of that chain is looked at later.
    static let chainAddress = Format.ascii(
        "chain_address",
        pattern: "^[0-9A-Za-z]{26,90}$",
        length: 26...90,
        description: "An address as its chain writes it; on Ethereum with or without the checksum of EIP-55.",
        example: "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
    ) { byte, _ in isAlphanumeric(byte) }

    /// A signed transaction.
    static let signedTransaction = Format.ascii(
        "signed_transaction",
        pattern: "^[0-9A-Za-z+/]{6,87382}={0,2}$",
        length: 6...87_384,
        description: """
            A signed transaction as the wallet gives it: in hexadecimal behind `0x`, or in Base 64, as a PSBT is.
            """,
        example: "0x02abcdef"
    ) { byte, _ in isAlphanumeric(byte) || "+/=".utf8.contains(byte) }

    /// A whole number of a token's smallest units.
    static let units = Format.ascii(
        "units",
        pattern: "^[1-9][0-9]{0,37}$",
        length: 1...38,
        description: "A whole number of a token's smallest units.",
        example: "1000000000000000000"
    ) { byte, index in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) && (index > 0 || byte != UInt8(ascii: "0"))
    }

    /// A fraction below one.
    static let fraction = Format.ascii(
        "fraction",
        pattern: "^0[.][0-9]{1,9}$",
        length: 3...11,
        description: "A fraction below one, of up to nine places.",
        example: "0.05"
    ) { byte, index in
        switch index {
        case 0: byte == UInt8(ascii: "0")
        case 1: byte == UInt8(ascii: ".")
        default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
