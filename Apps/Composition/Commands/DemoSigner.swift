import Cryptography
import WalletCrypto

/// A wallet of the demo: signs with a key that is printed, on a chain that exists on this machine alone.
///
/// Nothing else of the program can sign. It takes no care of its key, whose owner is everybody: its time depends on it.
struct DemoSigner: Sendable {
    let address: EthereumAddress
    private let secret: BigUInt

    /// A key of 32 bytes; nil for one that is none.
    init?(secret bytes: [UInt8]) {
        let secret = BigUInt(bigEndian: bytes)
        guard bytes.count == 32, !secret.isZero, secret < Curve.order, let point = Curve.multiply(Curve.base, secret),
            let (x, y) = point.affine, let xBytes = x.bytes(count: 32), let yBytes = y.bytes(count: 32),
            let key = try? Secp256k1PublicKey(sec1: [4] + xBytes + yBytes)
        else { return nil }
        (self.secret, address) = (secret, EthereumAddress(key: key))
    }

    /// r, s and v over a digest of 32 bytes (SEC 1, §4.1.3), s the smaller one of two (EIP-2).
    func sign(_ digest: [UInt8]) -> [UInt8]? {
        // What is signed once with a number is never signed with it again: it follows from key and digest.
        let seed = (secret.bytes(count: 32) ?? []) + digest
        let number = BigUInt(bigEndian: Keccak256.of(seed)).modulo(Curve.order)
        guard !number.isZero, let point = Curve.multiply(Curve.base, number), let (x, y) = point.affine else {
            return nil
        }
        let r = x.modulo(Curve.order)
        let hash = BigUInt(bigEndian: digest)
        let inverse = number.power(Curve.order - BigUInt(2), modulo: Curve.order)
        var s = (inverse * (hash + r * secret)).modulo(Curve.order)
        var isOdd = y.quotientAndRemainder(dividingBy: BigUInt(2)).remainder == .one
        if s + s > Curve.order { (s, isOdd) = (Curve.order - s, !isOdd) }
        guard !r.isZero, !s.isZero, let rBytes = r.bytes(count: 32), let sBytes = s.bytes(count: 32) else { return nil }
        return rBytes + sBytes + [isOdd ? 28 : 27]
    }
}

/// secp256k1 (SEC 2, §2.4.1): y² = x³ + 7.
private enum Curve {
    static let prime = number("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
    static let order = number("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
    static let base = Point(
        x: number("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
        y: number("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
        z: .one
    )

    /// A point in Jacobian coordinates; z is 0 at infinity.
    struct Point {
        let x: BigUInt
        let y: BigUInt
        let z: BigUInt

        /// x and y; nil at infinity.
        var affine: (x: BigUInt, y: BigUInt)? {
            guard !z.isZero else { return nil }
            let inverse = z.power(prime - BigUInt(2), modulo: prime)
            let square = (inverse * inverse).modulo(prime)
            return ((x * square).modulo(prime), (y * (square * inverse).modulo(prime)).modulo(prime))
        }
    }

    static func multiply(_ point: Point, _ scalar: BigUInt) -> Point? {
        var result: Point?
        for byte in scalar.minimalBytes {
            for bit in (0..<8).reversed() {
                result = result.map(double)
                if byte >> bit & 1 == 1 { result = result.map { add($0, point) } ?? point }
            }
        }
        return result
    }

    // "dbl-2009-l" of the Explicit-Formulas Database.
    private static func double(_ point: Point) -> Point {
        let a = (point.x * point.x).modulo(prime)
        let b = (point.y * point.y).modulo(prime)
        let c = (b * b).modulo(prime)
        let sum = point.x + b
        let d = (minus(minus((sum * sum).modulo(prime), a), c) * BigUInt(2)).modulo(prime)
        let e = (a * BigUInt(3)).modulo(prime)
        let x = minus((e * e).modulo(prime), (d * BigUInt(2)).modulo(prime))
        let y = minus((e * minus(d, x)).modulo(prime), (c * BigUInt(8)).modulo(prime))
        return Point(x: x, y: y, z: (point.y * point.z * BigUInt(2)).modulo(prime))
    }

    // "add-2007-bl"; the two are never the same, for the number is below the order.
    private static func add(_ left: Point, _ right: Point) -> Point {
        let (z1, z2) = ((left.z * left.z).modulo(prime), (right.z * right.z).modulo(prime))
        let (u1, u2) = ((left.x * z2).modulo(prime), (right.x * z1).modulo(prime))
        let s1 = (left.y * (z2 * right.z).modulo(prime)).modulo(prime)
        let s2 = (right.y * (z1 * left.z).modulo(prime)).modulo(prime)
        let (h, r) = (minus(u2, u1), minus(s2, s1))
        let square = (h * h).modulo(prime)
        let cube = (square * h).modulo(prime)
        let v = (u1 * square).modulo(prime)
        let x = minus(minus((r * r).modulo(prime), cube), (v * BigUInt(2)).modulo(prime))
        let y = minus((r * minus(v, x)).modulo(prime), (s1 * cube).modulo(prime))
        return Point(x: x, y: y, z: ((left.z * right.z).modulo(prime) * h).modulo(prime))
    }

    private static func minus(_ left: BigUInt, _ right: BigUInt) -> BigUInt {
        left < right ? left + prime - right : left - right
    }

    private static func number(_ digits: String) -> BigUInt {
        BigUInt(bigEndian: HexText.decode("0x" + digits) ?? [])
    }
}

extension BigUInt {
    fileprivate func modulo(_ divisor: BigUInt) -> BigUInt { quotientAndRemainder(dividingBy: divisor).remainder }

    fileprivate func power(_ exponent: BigUInt, modulo divisor: BigUInt) -> BigUInt {
        var result = BigUInt.one
        for byte in exponent.minimalBytes {
            for bit in (0..<8).reversed() {
                result = (result * result).modulo(divisor)
                if byte >> bit & 1 == 1 { result = (result * self).modulo(divisor) }
            }
        }
        return result
    }
}
