import Cryptography
import Testing

@Suite struct SealingKeysTests {
    private let old: (id: UInt32, key: [UInt8]) = (7, [UInt8](repeating: 9, count: 32))
    private let new: (id: UInt32, key: [UInt8]) = (8, [UInt8](repeating: 1, count: 32))
    private let context = Array("user 1".utf8)

    // Made with OpenSSL through Python's `cryptography`: key 7, nonce 00…0b, plaintext "secret".
    private let foreign = "0100000007000102030405060708090a0b9934f8b0593bb79ff0df51bb9c4f84286f4052983d21"

    @Test func `what was sealed opens with the same context`() throws {
        let keys = try SealingKeys(current: old)
        for count in [0, 1, 1000] {
            let secret = RandomBytes.make(count)
            let envelope = keys.seal(secret, associatedData: context)
            #expect(envelope.count == count + SealingKeys.overheadBytes)
            #expect(try keys.open(envelope, associatedData: context) == secret)
        }
    }

    @Test func `an envelope made elsewhere opens`() throws {
        let envelope = try #require(Hex.decode(foreign))
        #expect(try SealingKeys(current: old).open(envelope, associatedData: context) == Array("secret".utf8))
    }

    @Test func `each changed byte and another context is noticed`() throws {
        let keys = try SealingKeys(current: old)
        let envelope = keys.seal(Array("secret".utf8), associatedData: context)
        for position in envelope.indices {
            var changed = envelope
            changed[position] ^= 1
            #expect(throws: SealingError.self) { try keys.open(changed, associatedData: context) }
        }
        #expect(throws: SealingError.notAuthentic) { try keys.open(envelope, associatedData: []) }
        #expect(throws: SealingError.malformed) { try keys.open(Array(envelope.prefix(32)), associatedData: context) }
        #expect(throws: SealingError.malformed) { try keys.open([2] + envelope.dropFirst(), associatedData: context) }
    }

    @Test func `the same secret is sealed differently each time`() throws {
        let keys = try SealingKeys(current: old)
        #expect(keys.seal([1], associatedData: []) != keys.seal([1], associatedData: []))
    }

    @Test func `after a rotation old envelopes open and want to be sealed anew`() throws {
        let before = try SealingKeys(current: old)
        let after = try SealingKeys(current: new, previous: [old])
        let envelope = before.seal([1, 2], associatedData: context)
        #expect(try after.open(envelope, associatedData: context) == [1, 2])
        #expect(after.needsResealing(envelope))
        let renewed = after.seal([1, 2], associatedData: context)
        #expect(!after.needsResealing(renewed))
        #expect(throws: SealingError.unknownKey(id: 8)) { try before.open(renewed, associatedData: context) }
    }

    @Test func `a ring of impossible keys is refused`() {
        #expect(throws: SealingError.keyLength) { try SealingKeys(current: (1, [UInt8](repeating: 0, count: 16))) }
        #expect(throws: SealingError.duplicateKeyID) { try SealingKeys(current: old, previous: [old]) }
    }
}
