import Cryptography
import Testing

// Made with OpenSSL through Python's `cryptography`.
@Suite struct Secp256k1Tests {
    private let pem = """
        -----BEGIN PUBLIC KEY-----
        MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEk3fDEhRaWvuRG/nowGe89glMUzYDaHhQ
        31ArYSkLv150K6YH1q4fyC3MyxdufI+b3Hu2Hjq1J87K9hRLZ5d5+w==
        -----END PUBLIC KEY-----
        """
    private let uncompressed =
        "049377c312145a5afb911bf9e8c067bcf6094c533603687850df502b61290bbf5e"
        + "742ba607d6ae1fc82dcccb176e7c8f9bdc7bb61e3ab527cecaf6144b679779fb"
    private let compressed = "039377c312145a5afb911bf9e8c067bcf6094c533603687850df502b61290bbf5e"
    private let lowS =
        "3045022100e106a35869d93c329d5b08fe2483f83eaafc7e8ed86a3460a10ece9b35d73954"
        + "02207048c20b1d91a9f64c1e163f226de43b2f39dd7b265140ae926f7310b50e345d"
    private let highS =
        "3046022100e106a35869d93c329d5b08fe2483f83eaafc7e8ed86a3460a10ece9b35d73954"
        + "0221008fb73df4e26e5609b3e1e9c0dd921bc38b74ff6b88f75f8d2d62eb7c1b280ce4"
    private let message = Array("a message".utf8)

    private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    private func outcome(
        _ signature: [UInt8],
        _ message: [UInt8],
        allowHighS: Bool = false
    ) throws -> Secp256k1ECDSA.Outcome {
        let key = try Secp256k1PublicKey(pem: pem)
        return Secp256k1ECDSA.verify(derSignature: signature, message: message, publicKey: key, allowHighS: allowHighS)
    }

    @Test func `a key is the same in each of its forms`() throws {
        let key = try Secp256k1PublicKey(pem: pem)
        #expect(key.compressed == (try bytes(compressed)))
        #expect(try Secp256k1PublicKey(sec1: bytes(compressed)) == key)
        #expect(try Secp256k1PublicKey(sec1: bytes(uncompressed)) == key)
        let algorithm = "301006072a8648ce3d020106052b8104000a"
        #expect(try Secp256k1PublicKey(spki: bytes("3056" + algorithm + "034200" + uncompressed)) == key)
        #expect(try Secp256k1PublicKey(spki: bytes("3036" + algorithm + "032200" + compressed)) == key)
        #expect(try Secp256k1PublicKey(pem: pem.replacing("\n", with: "\r\n") + "\r\n") == key)
    }

    @Test func `what is no key of this curve is refused`() throws {
        let otherCurve = """
            -----BEGIN PUBLIC KEY-----
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVkLelFRQNLXhMhWCGaP3++Mgv0f
            W+UkIVVKDcPQM+3gwX2okEpyfYrhvza/inkmDQEvANTYCIjR0LtE/aFtpA==
            -----END PUBLIC KEY-----
            """
        #expect(throws: Secp256k1PublicKey.Fault.malformedSPKI) { try Secp256k1PublicKey(pem: otherCurve) }
        for text in [
            "", "x" + pem, pem + pem, pem.replacing("PUBLIC", with: "PRIVATE"), pem.replacing("Ek3", with: "E!3"),
        ] {
            #expect(throws: Secp256k1PublicKey.Fault.malformedPEM) { try Secp256k1PublicKey(pem: text) }
        }
        let offCurve = try bytes(uncompressed).dropLast() + [0xFA]
        let hybrid = try [7] + bytes(uncompressed).dropFirst()
        for point in [[], [2], [UInt8](repeating: 0, count: 33), Array(offCurve), Array(hybrid)] {
            #expect(throws: Secp256k1PublicKey.Fault.notOnCurve) { try Secp256k1PublicKey(sec1: point) }
        }
        let spki = try bytes("3056301006072a8648ce3d020106052b8104000a034200" + uncompressed)
        for wrong in [spki + [0], Array(spki.dropLast()), []] {
            #expect(throws: Secp256k1PublicKey.Fault.malformedSPKI) { try Secp256k1PublicKey(spki: wrong) }
        }
    }

    @Test func `a signature with low s is valid and one with high s only where it is allowed`() throws {
        #expect(try outcome(bytes(lowS), message) == .valid)
        #expect(try outcome(bytes(highS), message) == .highS)
        #expect(try outcome(bytes(highS), message, allowHighS: true) == .valid)
        #expect(try outcome(bytes(lowS), message + [0]) == .invalid)
        #expect(try outcome(bytes(highS), message + [0], allowHighS: true) == .invalid)
    }

    @Test func `anything but strict DER is malformed`() throws {
        let good = try bytes(lowS)
        var longForm = good
        longForm.replaceSubrange(1..<2, with: [0x81, 0x45])
        for wrong in [[], good + [0], Array(good.dropLast()), longForm, Array(good.dropFirst(2))] {
            #expect(try outcome(wrong, message) == .malformed)
        }
    }

    @Test func `no changed bit of a signature is accepted`() throws {
        let good = try bytes(lowS)
        for position in good.indices {
            for bit in 0..<8 {
                var changed = good
                changed[position] ^= 1 << bit
                #expect(try outcome(changed, message, allowHighS: true) != .valid)
            }
        }
    }

    @Test func `r and s of zero or of the order are not valid`() throws {
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        for hex in ["3006020100020100", "3006020101020100", "3026022100\(order)020101", "3026020101022100\(order)"] {
            #expect(try outcome(bytes(hex), message, allowHighS: true) == .invalid)
        }
    }
}
