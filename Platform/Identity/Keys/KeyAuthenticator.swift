import Cryptography
import HTTP
import Kernel

/// Holds signed requests against the keys that they name.
struct KeyAuthenticator: Sendable {
    let keys: LiveKeys
    let requests: SignedRequests
    let windowSeconds: Int64
    let handOver: HandOver

    /// The user whose key signed a request, once.
    ///
    /// What a stranger can find out is whether the time counts; all else needs the key's signature first.
    func principal(_ signature: RequestSignature, _ request: APIRequest) async throws -> Principal {
        guard abs(request.now.milliseconds - signature.milliseconds) <= windowSeconds * 1_000 else {
            throw KeyAuthenticator.outOfWindow
        }
        guard let id = ID<APIKey>(wire: signature.key), let bytes = Base64.decodeURLSafe(signature.signature),
            let key = try await keys.find(id), request.now < key.expiresAt
        else { throw Problem.unauthenticated }
        let text = signature.signedText(of: request)
        guard key.accepts(bytes, of: text) else { throw Problem.unauthenticated }
        // The process that handed it on has looked at the rest.
        guard !handOver.isMarked(request) else { return key.principal }
        guard key.addresses.isEmpty || key.addresses.contains(where: { $0.contains(request.remoteAddress) }) else {
            throw KeyAuthenticator.addressNotAllowed
        }
        guard try await requests.admit(SHA256Digest.of(Array(id.wire.utf8) + text)) else {
            throw KeyAuthenticator.replayed
        }
        try await keys.note(id)
        return key.principal
    }

    private static let outOfWindow = Problem(
        401,
        "timestamp_out_of_window",
        "The time of the signature is too far from ours. Set your clock by `Date`, then sign anew."
    )
    private static let addressNotAllowed = Problem(
        403,
        "address_not_allowed",
        "The key doesn't count from this address."
    )
    private static let replayed = Problem(
        401,
        "signature_replayed",
        "A request with this signature came before. Sign each request anew, with its own time."
    )
}

extension LiveKey {
    /// Whether a signature is the key's over a text.
    fileprivate func accepts(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        switch algorithm {
        case .hmacSHA256: ConstantTime.equal(signature, HMACSHA256.code(over: text, key: material))
        case .ed25519: Ed25519.verify(signature: signature, message: text, publicKey: material)
        }
    }
}
