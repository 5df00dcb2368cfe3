import Crypto
public import Kernel

/// Time-based one-time codes (RFC 6238) with HMAC-SHA-1, the algorithm that every authenticator app knows.
public struct TOTP: Sendable {
    /// How many steps before and after the present one a caller may ask to accept.
    public static let driftStepsMax = 10

    private let secret: [UInt8]
    private let digits: Int
    private let periodSeconds: Int64

    /// Codes of a shared secret.
    ///
    /// The caller guarantees 16 bytes at least (RFC 4226 §4), 6 to 8 digits, a positive period.
    public init(secret: [UInt8], digits: Int = 6, periodSeconds: Int64 = 30) {
        precondition(secret.count >= 16, "a TOTP secret below 128 bits")
        precondition((6...8).contains(digits) && periodSeconds > 0, "TOTP digits outside 6...8 or no period")
        (self.secret, self.digits, self.periodSeconds) = (secret, digits, periodSeconds)
    }

    /// Codes of a secret as it is typed into an authenticator app; nil for what isn't one of 16 bytes at least.
    public init?(secretText: String) {
        guard let secret = Base32Secret.decode(secretText), secret.count >= 16 else { return nil }
        self.init(secret: secret)
    }

    /// A new secret of 20 bytes, the length of the HMAC (RFC 4226 §4).
    public static func makeSecret() -> [UInt8] { RandomBytes.make(20) }

    /// The number of the step that an instant is in.
    public func step(at instant: Timestamp) -> Int64 {
        let (quotient, remainder) = instant.seconds.quotientAndRemainder(dividingBy: periodSeconds)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The code of a step, with leading zeros.
    public func code(step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret))
        )
        // Dynamic truncation, RFC 4226 §5.3.
        let offset = Int(mac[19] & 15)
        let word = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { result, _ in result * 10 }
        let text = String(word % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The step whose code this is, within `driftSteps` of the present one; nil if there is none.
    ///
    /// Steps up to `lastUsedStep` don't match, so that a caller who stores what this returns accepts no code twice
    /// (RFC 6238 §5.2). All steps of the window are compared, in constant time. `driftSteps` is 0 to 10.
    public func matchingStep(
        of code: String,
        at now: Timestamp,
        driftSteps: Int = 1,
        after lastUsedStep: Int64? = nil
    ) -> Int64? {
        precondition((0...TOTP.driftStepsMax).contains(driftSteps), "a TOTP window outside 0...10 steps")
        let given = Array(code.utf8)
        let present = step(at: now)
        var match: Int64?
        for candidate in (present - Int64(driftSteps))...(present + Int64(driftSteps)) {
            let equal = ConstantTime.equal(given, Array(self.code(step: candidate).utf8))
            if equal, candidate > lastUsedStep ?? .min, match == nil { match = candidate }
        }
        return match
    }

    /// The secret as it is typed into an authenticator app: base 32 without padding.
    public var secretText: String { Base32Secret.encode(secret) }

    /// The address that authenticator apps read from a QR code (`otpauth://totp/…`).
    public func provisioningURI(issuer: String, account: String) -> String {
        let issuer = TOTP.percentEncoded(issuer)
        return "otpauth://totp/\(issuer):\(TOTP.percentEncoded(account))?secret=\(Base32Secret.encode(secret))"
            + "&issuer=\(issuer)&algorithm=SHA1&digits=\(digits)&period=\(periodSeconds)"
    }

    // RFC 3986 §2.3: everything but the unreserved characters.
    private static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return result
    }
}
