@testable import DeFi
import HTTP
import Kernel
import Logging
import PostgreSQL
import Synchronization
import Testing
import WalletSigners

/// What must not come in, by any part of any request, and what may although it looks alike.
@Suite struct PrivateMaterialTests {
    // Of published test vectors (BIP-32, BIP-39, BIP-84, WIF of the private key 1, Sui's documentation).
    private static let secrets = [
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRB"
            + "eJgk33yuGBxrMPHi",
        "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiU"
            + "m8aunE96BBa4Kei5",
        "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
        "suiprivkey1qzwant3kaegmjy4qxex93s0jzvemekkjmyv3r2sjwgnv2y479pgsywhveae",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth us"
            + "eful legal winner "
            + "thank year wave sausage worth title",
    ]

    /// An API that keeps what it is given, as handlers do.
    private struct Keeper: Sendable {
        let kept = Kept()
        let api: API

        final class Kept: Sendable {
            let count = Atomic(0)
        }

        struct Anybody: Authenticator {
            func principal(bearer token: String, request: APIRequest) async throws -> Principal {
                Principal(user: ID(1), permissions: [])
            }
        }

        init() {
            let kept = kept
            @Sendable func answer(_ request: APIRequest) -> APIResponse {
                kept.count.add(1, ordering: .relaxed)
                return .noContent
            }
            let note = JSONSchema.object([
                .optional("note", .nullable(.anyString)), .optional("list", .array(of: .any, count: 0...1_000)),
                .optional("more", .map(of: .any, countMax: 100)),
            ])
            api = API(
                [
                    Route(
                        .post,
                        "/notes/{name}",
                        operationID: "keep",
                        summary: "Keeps a note",
                        tag: "Test",
                        access: .authenticated,
                        isIdempotent: true,
                        parameters: [.path("name", .anyString, "Name."), .query("q", .anyString, "Query.")],
                        body: .json(note),
                        responses: [204: ResponseShape("Kept.")],
                        handler: { answer($0) }
                    ),
                    Route(
                        .post,
                        "/raw",
                        operationID: "keepRaw",
                        summary: "Keeps bytes",
                        tag: "Test",
                        access: .public,
                        body: .raw(mediaType: "application/json"),
                        responses: [204: ResponseShape("Kept.")],
                        handler: { answer($0) }
                    ),
                ],
                description: APIDescription(title: "Test", version: "1", text: ""),
                services: API.Services(
                    authenticator: Anybody(),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    privateMaterial: PrivateMaterialScreen()
                )
            )
        }

        var count: Int { kept.count.load(ordering: .relaxed) }

        func send(
            _ target: String = "/notes/a",
            body: [UInt8] = Array("{}".utf8),
            headers more: [(String, String)] = []
        ) async -> (status: Int, text: String) {
            var fields = [("Authorization", "Bearer a"), ("Content-Type", "application/json")]
            if !more.contains(where: { $0.0 == "Idempotency-Key" }) { fields.append(("Idempotency-Key", "k1")) }
            let headers = Headers((fields + more).map { (name: $0.0, value: $0.1) })
            let response = await api.respond("POST", target, headers: headers, body: body)
            return (response.status, String(decoding: response.encodedBody()?.bytes ?? [], as: UTF8.self))
        }
    }

    private func encoded(_ text: String) -> String { text.replacing(" ", with: "%20") }

    private func body(_ json: JSON) -> [UInt8] { json.serialized() }

    @Test(arguments: secrets) func `it is refused in every part of a request, and not echoed`(_ secret: String) async {
        let keeper = Keeper()
        let text = JSON.string(secret)
        let nested: JSON = ["more": ["a": [["b": [text]]]]]
        var answers: [(status: Int, text: String)] = []
        for json: JSON in [
            ["note": text], ["list": [.integer(1), text]], nested, .object([JSON.Member(secret, true)]),
            ["more": .object([JSON.Member(secret, true)])], ["note": .string("key: \(secret).")],
        ] {
            answers.append(await keeper.send(body: body(json)))
        }
        answers.append(await keeper.send("/notes/\(encoded(secret))"))
        answers.append(await keeper.send("/notes/a?q=\(encoded(secret))"))
        answers.append(await keeper.send("/notes/a?q=\(secret.replacing(" ", with: "+"))"))
        answers.append(await keeper.send("/notes/a?\(encoded(secret))=1"))
        answers.append(await keeper.send(headers: [("Idempotency-Key", secret)]))
        answers.append(await keeper.send(headers: [("If-Match", secret)]))
        answers.append(await keeper.send(headers: [("User-Agent", secret)]))
        answers.append(await keeper.send("/raw", body: Array(secret.utf8)))
        answers.append(await keeper.send("/raw", body: body(["event": ["key": text]])))
        let escaped = secret.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
        answers.append(await keeper.send("/raw", body: Array("{\"key\":\"\(escaped)\"}".utf8)))
        answers.append(await keeper.send(body: Array("{\"note\":\"\(escaped)\"}".utf8)))
        for (place, answer) in answers.enumerated() {
            #expect(answer.status == 422, "\(place)")
            #expect(answer.text.contains("\"code\":\"private_material\""), "\(place)")
            #expect(!answer.text.contains(secret.prefix(12)), "\(place)")
        }
        #expect(keeper.count == 0)
    }

    @Test func `a phrase is found word by word, numbered, in capitals and on several lines`() async {
        let keeper = Keeper()
        let words = Self.secrets[4].split(separator: " ").map(String.init)
        let numbered = words.enumerated().map { "\($0 + 1). \($1.uppercased())" }.joined(separator: "\n")
        for json: JSON in [
            ["list": .array(words.map { .string($0) })], ["note": .string(numbered)],
            ["note": .string(words.joined(separator: "\n"))], ["note": .string(words.joined(separator: ", "))],
            ["more": .object(words.enumerated().map { JSON.Member("word\($0)", .string($1)) })],
        ] {
            #expect(await keeper.send(body: body(json)).status == 422)
        }
        #expect(keeper.count == 0)
    }

    @Test func `a secret key of Solana is refused in each of its forms`() async throws {
        let keeper = Keeper()
        let secret = try #require(try TestWallet.make("solana").solanaSecret)
        #expect(await keeper.send(body: body(["note": .string(secret)])).status == 422)
        let bytes = try #require(Base58Text.decode(secret))
        let numbers = JSON.array(bytes.map { .integer(Int($0)) })
        #expect(await keeper.send(body: body(["list": numbers])).status == 422)
        let text = String(decoding: numbers.serialized(), as: UTF8.self)
        #expect(await keeper.send(body: body(["note": .string(text)])).status == 422)
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(await keeper.send(body: body(["note": .string(hex)])).status == 422)
        #expect(await keeper.send(body: body(["note": .string("0x" + hex)])).status == 422)
        #expect(keeper.count == 0)
    }

    @Test(arguments: [
        // Texts of twelve words and more, passwords, hashes, addresses, public keys, signatures.
        "please send the rent to my landlord before the first of the month",
        "this is what you have to know about the new kitchen and the old table",
        "Thank you all for dinner, we will have to do that again in summer, maybe at the lake with the d"
            + "og and the boat",
        "will you ever have enough time before winter to visit us again, asked the old friend",
        "correct horse battery staple", "Tr0ub4dor&3-and-a-few-more-characters-to-make-it-long",
        "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
        "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a",
        "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "0x0000000000000000000000000000000000000000000000000000000000000002",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7u"
            + "sUDFdp6W1EGMcet8",
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDt"
            + "KsAYz2oz2AGutZYs",
        "3AhUUuoRfjQwLPmkN6aL5jXaEe9vT2FZ4X3S7d6Q1Vq6iXvJtNnHqKQJ7aQ5pQn7vG4sT8u2cYb3wMZ5hDkE9rBz",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon",
    ])
    func `what only looks alike may pass`(_ text: String) async {
        let keeper = Keeper()
        #expect(await keeper.send(body: body(["note": .string(text)])).status == 204)
        #expect(await keeper.send("/raw", body: Array(text.utf8)).status == 204)
        #expect(await keeper.send("/notes/a?q=\(encoded(text).replacing("&", with: "%26"))").status == 204)
        #expect(keeper.count == 3)
    }

    @Test func `behind more look-alikes than are looked at, a secret isn't let through`() async throws {
        let keeper = Keeper()
        let secret = try #require(try TestWallet.make("solana").solanaSecret)
        // As long as keys in wallet import format, with checksums that aren't theirs.
        let looksAlike = JSON.string(String(repeating: "5", count: 51))
        let many = [JSON](repeating: looksAlike, count: 256)
        #expect(await keeper.send(body: body(["list": .array(many)])).status == 204)
        #expect(await keeper.send(body: body(["list": .array(many + [.string(secret)])])).status == 422)
        #expect(await keeper.send(body: body(["list": .array(many + [looksAlike])])).status == 422)
        #expect(keeper.count == 1)
    }

    @Test func `signatures of every chain pass where they belong`() async throws {
        let keeper = Keeper()
        for chain in TestWallet.chains {
            for number in 0..<50 {
                let signature = try TestWallet.make(chain).sign("message \(number)")
                #expect(await keeper.send(body: body(["note": .string(signature)])).status == 204)
            }
        }
    }

    @Test func `a secret in place of a signature is refused before its challenge is used`() async throws {
        try await WalletWorld.with { world in
            let (wallet, ada) = (try TestWallet.make("solana"), ID<User>(1))
            let id = try await world.add(wallet, for: ada)
            let challenge = try await world.challenge(id, for: ada)
            let secret = try #require(wallet.solanaSecret)
            #expect(try await world.verify(id, challenge.text("id"), secret, for: ada).code == "private_material")
            let used: Int = try await world.value("select count(consumed_at) from defi.wallet_challenges")
            #expect(used == 0)
            let signature = try wallet.sign(challenge.text("message"))
            #expect(try await world.verify(id, challenge.text("id"), signature, for: ada).status == 200)
        }
    }

    @Test func `a password may be strong words, but no recovery phrase`() async throws {
        try await WalletWorld.with { world in
            func register(_ username: String, _ password: String) async throws -> Answer {
                try await world.send(
                    "POST",
                    "/v1/auth/register",
                    [
                        "email": .string("\(username)@example.com"), "username": .string(username),
                        "password": .string(password),
                    ]
                )
            }
            #expect(try await register("ada", "correct horse staple lunar").status == 201)
            #expect(try await register("bob", "Tr0ub4dor&3 9f8e7d6c5b4a3f2e1d0c").status == 201)
            let phrase = try await register("eve", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong")
            #expect(phrase.code == "private_material")
        }
    }
}

/// Base 58 as it is defined, slowly.
private enum Base58Text {
    private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")

    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for character in text {
            guard var carry = alphabet.firstIndex(of: character) else { return nil }
            for place in bytes.indices.reversed() {
                carry += Int(bytes[place]) * 58
                bytes[place] = UInt8(carry & 255)
                carry >>= 8
            }
            while carry > 0 {
                bytes.insert(UInt8(carry & 255), at: 0)
                carry >>= 8
            }
        }
        return [UInt8](repeating: 0, count: text.prefix { $0 == "1" }.count) + bytes
    }
}
