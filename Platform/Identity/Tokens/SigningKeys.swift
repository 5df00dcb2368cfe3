public import Cryptography
public import Kernel
import Synchronization

/// The keys of access tokens, read from a directory and read again while the program runs, so that keys can be rotated.
public final class SigningKeys: Sendable {
    struct KeySet: Sendable {
        let signer: SigningKey
        let byID: [String: SigningKey]
        /// The public keys as `/.well-known/jwks.json` shows them, the signing one first.
        let json: JSON
    }

    private struct State {
        var keys: KeySet
        var readAt: Timestamp
    }

    /// How old the keys may be when a token is signed or the set is shown, in seconds.
    static let ageMaxSeconds: Int64 = 60
    /// How old they may be when a token names a key that isn't among them, in seconds.
    static let unknownAgeMaxSeconds: Int64 = 1

    /// How long a key is kept beyond the end of its last token, in seconds.
    static let marginSeconds: Int64 = 3_600

    private let directory: KeyDirectory
    private let threads: WorkerThreads
    private let clock: any WallClock
    private let state: Mutex<State>
    private let reads: GatheredReads<Bool, KeySet>

    /// Reads a directory, making it and a first key when there is none; files are read and written on `threads`.
    ///
    /// - Throws: a `KeyDirectoryError`.
    public static func open(
        directory: String,
        threads: WorkerThreads,
        clock: any WallClock = SystemClock()
    ) async throws -> SigningKeys {
        let directory = KeyDirectory(path: directory)
        let keys = try await read(threads) { () throws(KeyDirectoryError) in try directory.open() }
        return SigningKeys(directory, threads, clock, keys)
    }

    private init(_ directory: KeyDirectory, _ threads: WorkerThreads, _ clock: any WallClock, _ keys: KeySet) {
        (self.directory, self.threads, self.clock) = (directory, threads, clock)
        state = Mutex(State(keys: keys, readAt: clock.now()))
        reads = GatheredReads { _ in
            [true: try await SigningKeys.read(threads) { () throws(KeyDirectoryError) in try directory.read() }]
        }
    }

    /// Adds a new key, which signs from now on here and within a minute in other processes; the others go on verifying.
    ///
    /// - Throws: a `KeyDirectoryError`.
    public func rotate() async throws {
        let directory = directory
        try await threads.run { Result { () throws(KeyDirectoryError) in try directory.addNext() } }.get()
        let keys = try await SigningKeys.read(threads) { () throws(KeyDirectoryError) in try directory.read() }
        state.withLock { $0 = State(keys: keys, readAt: clock.now()) }
    }

    /// Adds a key when the newest is older than a time, and removes those whose last tokens have ended.
    ///
    /// Idempotent; processes that share the directory may all do it.
    ///
    /// - Parameters:
    ///   - lifetimeSeconds: how long a key signs.
    ///   - tokenSeconds: how long a token counts.
    /// - Returns: how many keys came and went.
    /// - Throws: a `KeyDirectoryError`.
    func renew(lifetimeSeconds: Int64, tokenSeconds: Int64) async throws -> KeyRenewal {
        // Others sign with the old key until they look again, and their clocks may be behind.
        let overlapSeconds = tokenSeconds + SigningKeys.ageMaxSeconds + SigningKeys.marginSeconds
        let (directory, now) = (directory, clock.now())
        let renewal = try await threads.run {
            Result { () throws(KeyDirectoryError) in
                try directory.renew(lifetimeSeconds: lifetimeSeconds, overlapSeconds: overlapSeconds, at: now)
            }
        }.get()
        guard renewal != KeyRenewal() else { return renewal }
        let keys = try await SigningKeys.read(threads) { () throws(KeyDirectoryError) in try directory.read() }
        state.withLock { $0 = State(keys: keys, readAt: now) }
        return renewal
    }

    /// The keys to sign with or to show.
    func current() async -> KeySet { await keys(ageMaxSeconds: SigningKeys.ageMaxSeconds) }

    /// The key of a token; nil for one that isn't ours, also after looking again.
    func key(_ id: String) async -> SigningKey? {
        if let key = state.withLock({ $0.keys.byID[id] }) { return key }
        return await keys(ageMaxSeconds: SigningKeys.unknownAgeMaxSeconds).byID[id]
    }

    /// The keys; a directory that can't be read any more leaves those that there are.
    ///
    /// Whoever finds them old waits until they are read anew, so that no token of a new key is refused meanwhile.
    private func keys(ageMaxSeconds: Int64) async -> KeySet {
        let now = clock.now()
        let (present, isOld) = state.withLock { ($0.keys, $0.readAt.adding(seconds: ageMaxSeconds) <= now) }
        guard isOld, let keys = try? await reads.value(for: true) else { return present }
        state.withLock { $0 = State(keys: keys, readAt: now) }
        return keys
    }

    private static func read(
        _ threads: WorkerThreads,
        _ open: @escaping @Sendable () throws(KeyDirectoryError) -> [KeyDirectory.File]
    ) async throws -> KeySet {
        let files = try await threads.run { Result { () throws(KeyDirectoryError) in try open() } }.get()
        var keys: [SigningKey] = []
        for file in files {
            guard let key = await SigningKey.read(pem: file.pem) else {
                throw KeyDirectoryError.notAKey(path: file.path)
            }
            keys.append(key)
        }
        guard let signer = keys.last(where: \.isPrivate) else { throw KeyDirectoryError.noPrivateKey }
        let others = keys.filter { $0.id != signer.id }
        return KeySet(
            signer: signer,
            byID: Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { $1 }),
            json: ["keys": .array([signer.json] + others.reversed().map(\.json))]
        )
    }
}
