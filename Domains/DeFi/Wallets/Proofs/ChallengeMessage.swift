import Kernel
import WalletCrypto

/// What a challenge says, in the form that is signed; it reads back as what it was made of.
enum ChallengeMessage {
    /// The parts of a message that it is bound to.
    struct Binding: Sendable {
        let purpose: Challenge.Purpose
        let user: ID<User>?
        let account: AccountID
        let site: ChallengeSite
        let nonce: String
        let request: String
    }

    /// The exact text, or the JSON of EIP-712, to be signed.
    ///
    /// - Throws: a fault when a part can't stand in such a message, as a domain that is none.
    static func make(
        _ binding: Binding,
        _ form: Challenge.Form,
        issuedAt: Timestamp,
        expiresAt: Timestamp
    ) throws(SignInMessage.Fault) -> String {
        guard let chain = binding.account.chainID.chain else { throw .chain }
        let text = try SignInMessage(
            chain: chain,
            domain: binding.site.domain,
            address: binding.account.address,
            statement: statement(binding.purpose),
            uri: binding.site.uri,
            chainReference: binding.account.chainID.reference,
            nonce: binding.nonce,
            issuedAt: issuedAt,
            expirationTime: expiresAt,
            requestID: binding.request,
            resources: binding.user.map { ["urn:diboas:user:\($0.wire)"] }
        )
        guard form == .typedData else { return text.text }
        return String(decoding: typed(text, binding).serialized(), as: UTF8.self)
    }

    /// Whether a message that is stored still says what a challenge is bound to here and now, part by part in the order
    /// of EIP-4361's checks: grammar, domain, URI, version, chain, address, nonce.
    ///
    /// - Throws: the first difference.
    static func check(_ challenge: Challenge, at site: ChallengeSite) throws(SignInMessage.Fault) {
        switch challenge.form {
        case .text:
            try SignInMessage(parsing: challenge.message).checkBinding(
                domain: site.domain,
                uri: site.uri,
                chainReference: challenge.account.chainID.reference,
                address: challenge.account.address,
                nonce: challenge.nonce
            )
        case .typedData:
            guard let typed = try? TypedMessage(parsing: Array(challenge.message.utf8)) else { throw .malformed }
            func says(_ field: String, _ value: String) -> Bool { typed.message[field]?.stringValue == value }
            guard says("domain", site.domain) else { throw .domain }
            guard says("uri", site.uri) else { throw .uri }
            guard says("account", challenge.account.description) else { throw .address }
            guard says("nonce", challenge.nonce) else { throw .nonce }
        }
    }

    private static func statement(_ purpose: Challenge.Purpose) -> String {
        switch purpose {
        case .linkWallet: "Link this wallet to your diBoaS account. It costs nothing and moves nothing."
        case .signIn: "Sign in to diBoaS with this wallet. It costs nothing and moves nothing."
        }
    }

    private static func typed(_ text: SignInMessage, _ binding: Binding) -> JSON {
        func field(_ name: String, _ type: String) -> JSON { ["name": .string(name), "type": .string(type)] }
        let names = ["purpose", "account", "domain", "uri", "statement", "user", "request", "nonce", "issuedAt"]
        let fields = (names + ["expirationTime"]).map { field($0, "string") }
        return [
            "types": [
                "EIP712Domain": [field("name", "string"), field("version", "string"), field("chainId", "uint256")],
                "Proof": .array(fields),
            ],
            "primaryType": "Proof",
            "domain": ["name": "diBoaS", "version": "1", "chainId": .number(text.chainReference)],
            "message": [
                "purpose": .string(binding.purpose.rawValue), "account": .string(binding.account.description),
                "domain": .string(text.domain), "uri": .string(text.uri),
                "statement": .string(text.statement ?? ""), "user": .string(binding.user?.wire ?? ""),
                "request": .string(binding.request), "nonce": .string(text.nonce),
                "issuedAt": .string(text.issuedAt.text), "expirationTime": .string(text.expirationTime?.text ?? ""),
            ],
        ]
    }
}
