import Kernel

/// Sign-in texts of all chains.
enum SignInVectors {
    static let checks: [String: VectorCheck] = [
        "siwe_parse": { input throws(VectorInput.Missing) in
            guard let message = try? SignInMessage(parsing: try input.text("message")) else {
                return ["valid": false]
            }
            return ["valid": true, "fields": fields(message)]
        },
        "siwe_verify": verify, "siws_verify": verify, "siwx_verify": verify,
    ]

    private static func verify(_ input: VectorInput) throws(VectorInput.Missing) -> JSON {
        let expect = try input.input("expect")
        let now = try input.required("now", SignInMessage.Instant(try expect.text("now"))).timestamp
        let (text, signature) = (try input.text("message"), try input.text("signature"))
        let chain = expect.json["chainId"].flatMap { $0.stringValue ?? $0.integerValue.map(String.init) }
        do throws(SignInMessage.Fault) {
            let message = try SignInMessage(parsing: text)
            try message.checkBinding(
                domain: expect.json["domain"]?.stringValue,
                uri: expect.json["uri"]?.stringValue,
                chainReference: chain,
                address: input.json["address"]?.stringValue,
                nonce: expect.json["nonce"]?.stringValue
            )
            try message.checkWindow(now: now)
            return WalletProof.verify(
                message: text,
                signature: signature,
                address: message.address,
                chain: message.chain
            )
            .vector
        } catch {
            return ["valid": false, "fault": .string(error.rawValue)]
        }
    }

    private static func fields(_ message: SignInMessage) -> JSON {
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? nil }
        let reference: JSON =
            message.chain == .ethereum ? .number(message.chainReference) : .string(message.chainReference)
        return [
            "scheme": text(message.scheme), "domain": text(message.domain), "address": text(message.address),
            "statement": text(message.statement), "uri": text(message.uri), "version": "1", "chainId": reference,
            "nonce": text(message.nonce), "issuedAt": text(message.issuedAt.text),
            "expirationTime": text(message.expirationTime?.text), "notBefore": text(message.notBefore?.text),
            "requestId": text(message.requestID),
            "resources": message.resources.map { .array($0.map { .string($0) }) } ?? nil,
        ]
    }
}
