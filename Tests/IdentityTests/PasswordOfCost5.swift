import Cryptography

/// The hash of `Fixture.password` at another cost than the tests' own.
enum PasswordOfCost5 {
    static var hash: String {
        get async throws {
            let hasher = PasswordHasher(cost: 5, threads: WorkerThreads(threads: 1, queuedMax: 1))
            return try await hasher.hash(Password(Fixture.password))
        }
    }
}
