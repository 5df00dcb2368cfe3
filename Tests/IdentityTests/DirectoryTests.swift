import Compliance
import Kernel
import PostgreSQL
import Synchronization
import Testing

@testable import Identity

struct DirectoryTests {
    @Test func `a profile says what domains need`() async throws {
        try await Fixture.with { fixture in
            let (_, id) = try await fixture.customer()
            let profile = try #require(try await fixture.identity.directory.profile(id))
            let expected = UserProfile(id: id, username: "ada", feeTier: 1, identification: .none, isActive: true)
            #expect(profile == expected)
            #expect(try await fixture.identity.directory.profile(ID(5)) == nil)
        }
    }

    @Test(arguments: ["@ada", "@ADA", "ada@example.com", "Ada@Example.COM"])
    func `a payee is found by username or address`(payee: String) async throws {
        try await Fixture.with { fixture in
            let (_, id) = try await fixture.customer()
            #expect(try await fixture.identity.directory.find(payee: payee) == id)
            #expect(try await fixture.identity.directory.find(payee: id.wire) == id)
        }
    }

    @Test(arguments: [
        "", "@", "ada", "@grace", "grace@example.com", "@ada@example.com", "usr_00000000000000000000000001",
        "@ad\u{0}a",
        "@' or true --", "@\u{212A}ada",
    ])
    func `a payee whom nobody is, isn't found`(payee: String) async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.customer()
            #expect(try await fixture.identity.directory.find(payee: payee) == nil)
        }
    }

    @Test func `a change elsewhere counts once the answer is too old`() async throws {
        try await Fixture.with { fixture in
            let (_, id) = try await fixture.customer()
            let directory = fixture.identity.directory
            #expect(try await directory.profile(id)?.feeTier == 1)
            _ = try await fixture.pool.query("update platform.users set fee_tier = 3")
            fixture.clock.advance(seconds: 4)
            #expect(try await directory.profile(id)?.feeTier == 1)
            fixture.clock.advance(seconds: 1)
            #expect(try await directory.profile(id)?.feeTier == 3)
            _ = try await fixture.pool.query("update platform.users set fee_tier = 4")
            directory.forget(id)
            #expect(try await directory.profile(id)?.feeTier == 4)
        }
    }

    @Test func `a username that changes hands is its new owner's at once`() async throws {
        try await Fixture.with { fixture in
            let (token, ada) = try await fixture.customer()
            let directory = fixture.identity.directory
            #expect(try await directory.find(payee: "@ada") == ada)
            let change: JSON = ["username": "countess"]
            _ = try await fixture.send("PATCH", "/v1/me", change, token: token, headers: [("If-Match", "*")])
            #expect(try await directory.find(payee: "@ada") == nil)
            #expect(try await directory.find(payee: "@countess") == ada)
            let (_, other) = try await fixture.customer("ada", email: "other@example.com")
            #expect(try await directory.find(payee: "@ada") == other)
        }
    }

    @Test func `somebody who has just registered is found though they were asked for before`() async throws {
        try await Fixture.with { fixture in
            #expect(try await fixture.identity.directory.find(payee: "@ada") == nil)
            let (_, id) = try await fixture.customer()
            #expect(try await fixture.identity.directory.find(payee: "@ada") == id)
        }
    }
}

struct AgingCacheTests {
    private let now = Timestamp(seconds: 1_000)

    @Test func `an entry counts from when it was read until it is too old`() {
        let cache = AgingCache<Int, String>(entriesMax: 10)
        cache.insert("a", for: 1, from: now, until: now.adding(seconds: 5), readAt: cache.mark())
        #expect(cache.value(for: 1, at: now) == "a")
        #expect(cache.value(for: 1, at: now.adding(seconds: 4)) == "a")
        #expect(cache.value(for: 1, at: now.adding(seconds: 5)) == nil)
        #expect(cache.value(for: 1, at: now.adding(seconds: -1)) == nil)
        #expect(cache.value(for: 2, at: now) == nil)
    }

    @Test func `it holds no more than its bound, and the youngest`() {
        let cache = AgingCache<Int, Int>(entriesMax: 100)
        for key in 0..<10_000 {
            cache.insert(key, for: key, from: now, until: now.adding(seconds: 5), readAt: cache.mark())
            #expect(cache.count <= 100)
        }
        for key in 9_951..<10_000 { #expect(cache.value(for: key, at: now) == key) }
        #expect(cache.value(for: 0, at: now) == nil)
    }

    @Test func `what was read before a removal is not kept`() {
        let cache = AgingCache<Int, String>(entriesMax: 10)
        let mark = cache.mark()
        cache.remove([1])
        cache.insert("old", for: 1, from: now, until: now.adding(seconds: 5), readAt: mark)
        #expect(cache.value(for: 1, at: now) == nil)
        cache.insert("new", for: 1, from: now, until: now.adding(seconds: 5), readAt: cache.mark())
        cache.remove([1])
        #expect(cache.value(for: 1, at: now) == nil)
    }

    @Test func `a removal reaches the older half too`() {
        let cache = AgingCache<Int, Int>(entriesMax: 4)
        for key in 0..<3 { cache.insert(key, for: key, from: now, until: now.adding(seconds: 5), readAt: cache.mark()) }
        #expect(cache.value(for: 0, at: now) == 0)
        cache.remove([0])
        #expect(cache.value(for: 0, at: now) == nil)
    }
}

struct GatheredReadsTests {
    private struct Failure: Error {}

    /// A reader that waits to be let go, and remembers what it was asked.
    private final class Source: Sendable {
        private let state = Mutex<(queries: [[Int]], waiting: [CheckedContinuation<Void, Never>], isOpen: Bool)>(
            ([], [], false)
        )

        var queries: [[Int]] { state.withLock { $0.queries } }

        func read(_ keys: [Int]) async throws -> [Int: String] {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.queries.append(keys)
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            if keys.contains(13) { throw Failure() }
            return Dictionary(uniqueKeysWithValues: keys.filter { $0 >= 0 }.map { ($0, "\($0)") })
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    @Test func `what is asked while queries are under way becomes one query`() async throws {
        let source = Source()
        let reads = GatheredReads<Int, String>(readersMax: 1) { try await source.read($0) }
        try await withThrowingTaskGroup(of: (Int, String?).self) { group in
            group.addTask { (1, try await reads.value(for: 1)) }
            while source.queries.isEmpty { await Task.yield() }
            for key in [3, 4, 5, 5, 3, -1] { group.addTask { (key, try await reads.value(for: key)) } }
            while reads.waiting < 6 { await Task.yield() }
            source.open()
            for try await (key, value) in group { #expect(value == (key >= 0 ? "\(key)" : nil)) }
        }
        #expect(source.queries.count == 2)
        #expect(source.queries.last?.sorted() == [-1, 3, 4, 5])
    }

    @Test func `a query that fails fails for all who wait for it, and the next one is made`() async throws {
        let source = Source()
        let reads = GatheredReads<Int, String>(readersMax: 1) { try await source.read($0) }
        let failures = await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await reads.value(for: 1)) == nil }
            while source.queries.isEmpty { await Task.yield() }
            for key in [12, 13] { group.addTask { (try? await reads.value(for: key)) == nil } }
            while reads.waiting < 2 { await Task.yield() }
            source.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 2)
        #expect(try await reads.value(for: 12) == "12")
    }

    @Test func `thousands of callers are all answered, with few queries`() async throws {
        let queries = Atomic(0)
        let reads = GatheredReads<Int, Int> { keys in
            queries.wrappingAdd(1, ordering: .relaxed)
            #expect(keys.count <= 500)
            await Task.yield()
            return Dictionary(uniqueKeysWithValues: keys.map { ($0, $0 * 2) })
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for key in 0..<5_000 { group.addTask { try await reads.value(for: key) == key * 2 } }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(queries.load(ordering: .relaxed) < 5_000)
        #expect(reads.waiting == 0)
    }
}

struct LockoutPolicyTests {
    @Test(arguments: [(1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1_920), (12, 3_600), (500, 3_600)])
    func `the lock doubles up to its bound`(failure: Int, seconds: Int64) {
        #expect(LockoutPolicy().lockSeconds(failure: failure) == seconds)
    }

    @Test func `the table ends with the longest lock`() {
        #expect(LockoutPolicy().table == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600])
    }

    @Test func `a payer asks for so many names in a while, whether or not somebody has them`() async throws {
        try await Fixture.with { fixture in
            let (_, ada) = try await fixture.customer()
            let directory = fixture.identity.directory
            let payer = ID<User>(1)
            for number in 0..<99 { #expect(try await directory.find(payee: "@nobody\(number)", for: payer) == nil) }
            // The hundredth, and again what was asked for before, in either case of letters.
            for payee in ["@ada", "@ADA", "@nobody7"] {
                #expect(try await directory.find(payee: payee, for: payer) == (payee == "@nobody7" ? nil : ada))
            }
            for payee in ["@nobody100", Fixture.email] {
                let refusal = await #expect(throws: Problem.self) {
                    _ = try await directory.find(payee: payee, for: payer)
                }
                #expect((refusal?.status, refusal?.retryAfterSeconds) == (429, 600))
            }
            #expect(try await directory.find(payee: ada.wire, for: payer) == ada)
            #expect(try await directory.find(payee: Fixture.email, for: ID(2)) == ada)
            fixture.clock.advance(seconds: 600)
            #expect(try await directory.find(payee: Fixture.email, for: payer) == ada)
        }
    }
}
