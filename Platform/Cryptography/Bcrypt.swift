import CBotan

/// Botan's bcrypt; each call burns a core for as long as the cost asks.
enum Bcrypt {
    /// `$2a$12$` and 53 characters, as Botan writes it.
    static func hash(_ text: String, cost: Int) -> Result<String, PasswordError> {
        var random: botan_rng_t?
        let opened = botan_rng_init(&random, "system")
        guard opened == 0 else { return .failure(.libraryFailure(code: opened)) }
        defer { botan_rng_destroy(random) }
        var length = 64
        var output = [UInt8](repeating: 0, count: length)
        let code = botan_bcrypt_generate(&output, &length, text, random, cost, 0)
        guard code == 0 else { return .failure(.libraryFailure(code: code)) }
        return .success(String(decoding: output.prefix { $0 != 0 }, as: UTF8.self))
    }

    static func matches(_ text: String, _ hash: String) -> Result<Bool, PasswordError> {
        switch botan_bcrypt_is_valid(text, hash) {
        case 0: .success(true)
        case 1: .success(false)
        case let code: .failure(.libraryFailure(code: code))
        }
    }

    /// The cost in a hash of the form `$2a$NN$…`, or its siblings `$2b$` and `$2y$`; nil for any other text.
    static func cost(of hash: String) -> Int? {
        let bytes = Array(hash.utf8)
        let dollar = UInt8(ascii: "$")
        guard bytes.count == 60, bytes[0] == dollar, bytes[1] == UInt8(ascii: "2"), bytes[3] == dollar,
            bytes[6] == dollar, "aby".utf8.contains(bytes[2]), bytes[4..<6].allSatisfy(isDigit),
            bytes[7...].allSatisfy({ isDigit($0) || isLetter($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
            )
        else { return nil }
        return Int(bytes[4] - UInt8(ascii: "0")) * 10 + Int(bytes[5] - UInt8(ascii: "0"))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
