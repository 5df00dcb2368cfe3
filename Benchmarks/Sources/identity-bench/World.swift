import Cryptography
import DataProtection
import HTTP
import Identity
import Kernel
import Logging
import Measuring
import PostgreSQL

/// Customers with sessions, behind an API without a network.
struct World: Sendable {
    /// Customers who sign in.
    private static let customersMax = 64
    /// Tokens that are checked for the first time in a round.
    private static let tokensMax = 2_000
    private static let password = "correct horse staple"

    private let pool: Pool
    private let keys: SigningKeys
    private let quiet: Logger
    private let api: API
    private let tokens: [String]

    init(pool: Pool, keys directory: String, quiet: Logger) async throws {
        (self.pool, self.quiet) = (pool, quiet)
        let threads = WorkerThreads(threads: 1, queuedMax: 1_000)
        keys = try await SigningKeys.open(directory: directory, threads: threads)
        let api = try World.makeAPI(pool, keys, quiet)
        self.api = api
        for number in 0..<World.customersMax {
            let body: JSON = [
                "email": .string(World.email(number)), "username": .string("user\(number)"),
                "password": .string(World.password),
            ]
            _ = try await World.send(api, "/v1/auth/register", body, expecting: 201)
        }
        var tokens: [String] = []
        for number in 0..<World.tokensMax { tokens.append(try await World.signIn(api, number % World.customersMax)) }
        self.tokens = tokens
    }

    /// The rows of tokens and of sign-ins.
    func rows(_ pacing: Pacing) async throws -> [BenchmarkRow] {
        let (api, tokens) = (api, tokens)
        let few = Array(tokens.suffix(World.customersMax))
        let known = Contestant("requests with a token that is known", clients: 4) { seconds in
            try await Callers.atFullSpeed(4, seconds: Double(seconds)) { random in
                try await World.probe(api, "/v1/probe", token: few.randomElement(using: &random))
            }
        }
        let open = Contestant("the same requests without a token", clients: 4) { seconds in
            try await Callers.atFullSpeed(4, seconds: Double(seconds)) { _ in
                try await World.probe(api, "/v1/open", token: nil)
            }
        }
        let new = Contestant("requests with a token that is new", clients: 1) { [self] _ in
            // A process that has just started knows none.
            let fresh = try World.makeAPI(pool, keys, quiet)
            let start = ContinuousClock.now
            var done = 0
            for token in tokens { done += try await World.probe(fresh, "/v1/probe", token: token) }
            return Round(operations: done, seconds: (ContinuousClock.now - start).inSeconds)
        }
        let signIns = Contestant("sign-ins apart from bcrypt", clients: 16) { seconds in
            try await Callers.atFullSpeed(16, seconds: Double(seconds)) { random in
                _ = try await World.signIn(api, Int.random(in: 0..<World.customersMax, using: &random))
                return 1
            }
        }
        let commits = Contestant("transactions of one statement", clients: 16) { [pool] seconds in
            try await Callers.atFullSpeed(16, seconds: Double(seconds)) { random in
                let id = Int64.random(in: 0..<1_000_000, using: &random)
                _ = try await pool.transact { _ in
                    Closing((), last: ["delete from platform.api_requests where attempt = \(id)"])
                }
                return 1
            }
        }
        return [
            try await Contest(known, against: open).run(pacing), try await Contest(new, against: open).run(pacing),
            try await Contest(signIns, against: commits).run(pacing),
        ]
    }

    private static func email(_ number: Int) -> String { "user\(number)@example.com" }

    private static func signIn(_ api: API, _ number: Int) async throws -> String {
        let body: JSON = ["email": .string(email(number)), "password": .string(password)]
        let answer = try await send(api, "/v1/auth/login", body, expecting: 200)
        guard let token = answer["access_token"]?.stringValue else { throw Refused(status: 200, problem: answer) }
        return token
    }

    private static func send(_ api: API, _ path: String, _ body: JSON, expecting status: Int) async throws -> JSON {
        let headers = Headers([(name: "Content-Type", value: "application/json")])
        let answer = await api.respond("POST", path, headers: headers, body: body.serialized())
        let json = try answer.encodedBody().map { try JSON.parse($0.bytes) } ?? .null
        guard answer.status == status else { throw Refused(status: answer.status, problem: json) }
        return json
    }

    private static func probe(_ api: API, _ path: String, token: String?) async throws -> Int {
        let headers = Headers(token.map { [(name: "Authorization", value: "Bearer " + $0)] } ?? [])
        let status = await api.respond("GET", path, headers: headers).status
        guard status == 204 else { throw Refused(status: status, problem: .null) }
        return 1
    }

    private static func makeAPI(_ pool: Pool, _ keys: SigningKeys, _ quiet: Logger) throws -> API {
        var policy = IdentityPolicy()
        policy.sessionsMax = 1_000_000
        // Several clients sign in as the same customer at once, which guesses do too.
        policy.lockout.failuresMax = 1_000
        policy.registrationLimit = RateLimitClass("registration", quota: 1_000_000, windowSeconds: 1, scope: .address)
        policy.signInLimit = RateLimitClass("sign-in", quota: 10_000_000, windowSeconds: 1, scope: .address)
        let masters = try LocalMasterKeys(ring: [(number: 1, key: RandomBytes.make(32))])
        let identity = Identity(
            pool: pool,
            hasher: NoWork(),
            keys: keys,
            personalData: PersonalValues(pool: pool, masters: masters),
            issuer: "https://api.example.com",
            policy: policy
        )
        return API(
            identity.routes + [nothing("/v1/probe", .authenticated), nothing("/v1/open", .public)],
            description: APIDescription(title: "Bench", version: "1", text: ""),
            services: API.Services(authenticator: identity.authenticator, logger: quiet)
        )
    }

    private static func nothing(_ path: PathTemplate, _ access: Access) -> Route {
        Route(
            .get,
            path,
            operationID: access == .public ? "open" : "probe",
            summary: "Nothing",
            tag: "Bench",
            access: access,
            responses: [204: ResponseShape("Nothing.")],
            rateLimit: nil
        ) { _ in .noContent }
    }

    private struct Refused: Error {
        let status: Int
        let problem: JSON
    }
}

/// bcrypt left out: what is measured is everything else.
private struct NoWork: PasswordHashing {
    func hash(_ password: Password) async throws(PasswordError) -> String {
        "$2a$10$" + String(repeating: "a", count: 53)
    }
    func verify(_ text: String, against hash: String) async throws(PasswordError) -> Bool { true }
    func verifyNothing() async throws(PasswordError) {}
    func needsRehash(_ hash: String) -> Bool { false }
    func checkStrength(_ password: Password) async throws(PasswordError) {}
}
