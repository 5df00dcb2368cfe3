import Cryptography
import Foundation
import Kernel
import Testing
import WalletCrypto

@Suite struct TypedDataTests {
    // The example of EIP-712.
    private static let mail = """
        {"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},\
        {"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],\
        "Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],\
        "Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},{"name":"contents","type":"string"}]},\
        "primaryType":"Mail","domain":{"name":"Ether Mail","version":"1","chainId":1,\
        "verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},\
        "message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},\
        "to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},"contents":"Hello, Bob!"}}
        """

    private func read(_ text: String) throws(TypedMessage.Fault) -> TypedMessage {
        try TypedMessage(parsing: Array(text.utf8))
    }

    private func fault(_ text: String) -> TypedMessage.Fault? {
        do throws(TypedMessage.Fault) {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the standard's example has the standard's digest`() throws {
        let data = try read(Self.mail)
        #expect(Hex.encode(data.digest) == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
        #expect(Hex.encode(data.domainSeparator) == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f")
    }

    @Test func `a domain that isn't declared has the fields that it has`() throws {
        let start = try #require(Self.mail.range(of: #""EIP712Domain":["#)?.lowerBound)
        let end = try #require(Self.mail.range(of: #""Person":["#)?.lowerBound)
        var text = Self.mail
        text.removeSubrange(start..<end)
        #expect(try read(text).digest == read(Self.mail).digest)
    }

    @Test func `numbers may be text, hexadecimal or negative, bytes fixed or not, arrays of arrays`() throws {
        func digest(_ type: String, _ value: String) throws -> [UInt8] {
            try read(
                #"{"types":{"A":[{"name":"a","type":"\#(type)"}]},"primaryType":"A","domain":{},"#
                    + #""message":{"a":\#(value)}}"#
            )
            .structHash
        }
        #expect(try digest("uint8", "255") == digest("uint8", "\"255\""))
        #expect(try digest("uint8", "255") == digest("uint8", "\"0xff\""))
        #expect(try digest("int16", "-1") != digest("int16", "1"))
        let (one, two) = (String(repeating: "0", count: 63) + "1", String(repeating: "0", count: 63) + "2")
        let typeHash = Keccak256.of(Array("A(int8[2][] a)".utf8))
        let inner = Keccak256.of(try #require(Hex.decode(one + two)))
        #expect(try digest("int8[2][]", "[[1,2]]") == Keccak256.of(typeHash + Keccak256.of(inner)))
        for (type, value) in [
            ("uint8", "256"), ("uint8", "-1"), ("uint8", "1.0"), ("uint8", "1e2"), ("uint8", "\"0x\""), ("int8", "128"),
            ("int8", "-129"), ("bytes4", "\"0x112233\""), ("bytes", "\"112233\""), ("bool", "1"), ("bool", "\"true\""),
            ("string", "1"), ("address", "\"0x11\""), ("int8[2]", "[1]"), ("int8[]", "1"), ("A", "null"),
        ] {
            #expect(throws: TypedMessage.Fault.self, "\(type) \(value)") { try digest(type, value) }
        }
    }

    @Test func `what is signed and what is shown are the same fields`() {
        let hidden = Self.mail.replacing(#""contents":"Hello, Bob!""#, with: #""contents":"Hello, Bob!","more":1"#)
        #expect(fault(hidden) == .field("Mail"))
        let missing = Self.mail.replacing(#","contents":"Hello, Bob!""#, with: "")
        #expect(fault(missing) == .field("Mail"))
        let other = Self.mail.replacing(#""contents":"Hello"#, with: #""content":"Hello"#)
        #expect(fault(other) == .field("contents"))
        #expect(fault(Self.mail.replacing(#""primaryType":"Mail""#, with: #""primaryType":"Mule""#)) == .type("Mule"))
        #expect(fault(Self.mail.replacing(#""type":"Person""#, with: #""type":"Parson""#)) == .type("Parson"))
        #expect(fault(Self.mail.replacing(#""Person":"#, with: #""uint8":"#)) == .type("uint8"))
        #expect(fault(Self.mail.replacing(#""primaryType""#, with: #""extra":1,"primaryType""#)) == .format)
        #expect(fault("[]") == .format && fault("") == .format)
    }

    @Test(arguments: [
        "uint", "uint7", "uint264", "bytes0", "bytes33", "(uint8)", "uint8[0]", "uint8[01]", "uint8[", "uint8]", "",
    ])
    func `a type that is none is refused`(type: String) {
        let text = #"{"types":{"A":[{"name":"a","type":"\#(type)"}]},"primaryType":"A","domain":{},"message":{"a":1}}"#
        #expect(fault(text) == .type(type))
    }

    @Test func `depth and size are bounded`() {
        let deep = String(repeating: "[]", count: 40)
        let text =
            #"{"types":{"A":[{"name":"a","type":"uint8\#(deep)"}]},"primaryType":"A","domain":{},"message":{"a":[]}}"#
        #expect(fault(text) == .type("uint8" + deep))
        var nested = #"{"a":[]}"#
        for _ in 0..<20 { nested = #"{"a":[\#(nested)]}"# }
        let list = #"{"types":{"A":[{"name":"a","type":"A[]"}]},"primaryType":"A","domain":{},"message":\#(nested)}"#
        #expect(fault(list) == .format)
        let long = Self.mail.replacing("Hello", with: String(repeating: "a", count: Bounds.bytesMax))
        #expect(fault(long) == .format)
        let types = (0...TypedMessage.typesMax).map { #""T\#($0)":[]"# }.joined(separator: ",")
        #expect(fault(#"{"types":{\#(types)},"primaryType":"T0","domain":{},"message":{}}"#) == .format)
    }
}
