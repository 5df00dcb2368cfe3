import Cryptography
import Foundation
import Kernel
import Testing
import WalletCrypto
import WalletSigners

/// Private material of every kind, offered to a server in every part of a request.
struct SecretOffers {
    let client: WireClient
    let token: String

    /// Keys and phrases that hold nothing anywhere: of published test vectors (BIP-32, BIP-38, BIP-39, BIP-84, Sui's
    /// documentation), of no test but this one, or made here.
    private static func secrets() throws -> [String] {
        let pair = try #require(try TestWallet.make("solana").solanaSecret.flatMap(Base58.decode))
        let other = try #require(try TestWallet.make("solana").solanaSecret)
        let key = Base64.encode(
            [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20] + pair.prefix(32)
        )
        return [
            "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYe"
                + "SvkzY7d2bhkJ7",
            "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8a"
                + "unE96BBa4Kei5",
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
            "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
            "suiprivkey1qzwant3kaegmjy4qxex93s0jzvemekkjmyv3r2sjwgnv2y479pgsywhveae",
            other, Base64.encode(pair), Hex.encode(pair),
            "[" + pair.map { String($0) }.joined(separator: ",") + "]",
            "-----BEGIN PRIVATE KEY-----\n\(key)\n-----END PRIVATE KEY-----",
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
            "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis "
                + "maple dilemma loan word shrug inflict delay length",
        ]
    }

    /// Offers all of them; answers with the ways in which something may have kept them.
    func all() async throws -> [String] {
        let secrets = try Self.secrets()
        for (place, secret) in secrets.enumerated() {
            for (request, answer) in try await offers(of: secret, from: "127.0.7.\(place + 1)") {
                // What no route takes is taken by nobody, whatever is in it.
                let (status, code) = request == "no route" ? (404, "not_found") : (422, "private_material")
                #expect(answer.status == status, "secret \(place) \(request): \(answer.readable)")
                #expect(answer.text("code") == code, "secret \(place) \(request)")
            }
        }
        return secrets.flatMap(Self.spellings)
    }

    /// As it is, as a target has it, as JSON has it, and as a dump writes bytes.
    private static func spellings(_ secret: String) -> [String] {
        let json = String(decoding: JSON.string(secret).serialized().dropFirst().dropLast(), as: UTF8.self)
        return Array(Set([secret, encoded(secret), json, Hex.encode(Array(secret.utf8))]))
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    private func offers(of secret: String, from source: String) async throws -> [(String, Answer)] {
        var client = client
        client.source = source
        let bearer = [("Authorization", "Bearer \(token)")]
        var answers: [(String, Answer)] = []
        func ask(
            _ name: String,
            _ method: String,
            _ path: String,
            _ headers: [(String, String)] = [],
            _ body: [UInt8]? = nil
        ) async throws {
            let json = body == nil ? [] : [("Content-Type", "application/json")]
            answers.append((name, try await client.send(method, path, headers: bearer + json + headers, body: body)))
        }
        let text = JSON.string(secret)
        let bodies: [(String, JSON)] = [
            ("member", ["label": text]), ("nested", ["account": ["a": [["b": text]], "c": true]]),
            ("name", .object([.init(secret, true)])), ("amid", ["label": .string("mine: \(secret).")]),
        ]
        for (name, body) in bodies { try await ask(name, "POST", "/v1/defi/wallets", [], body.serialized()) }
        let word = Self.encoded(secret)
        try await ask("path", "GET", "/v1/defi/wallets/\(word)")
        try await ask("query", "GET", "/v1/defi/wallets?cursor=\(word)")
        try await ask("query's name", "GET", "/v1/defi/wallets?\(word)=1")
        try await ask("no route", "GET", "/v1/nothing/\(word)")
        let line = secret.replacing("\n", with: " ")
        for header in ["Idempotency-Key", "User-Agent", "X-Anything"] {
            try await ask(header, "GET", "/v1/defi/wallets", [(header, line)])
        }
        try await ask("webhook", "POST", "/v1/webhooks/sandbox", [], Array(secret.utf8))
        try await ask("sign-in", "POST", "/v1/auth/login", [], (["password": text] as JSON).serialized())
        return answers
    }
}
