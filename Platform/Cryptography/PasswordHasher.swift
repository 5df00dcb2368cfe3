/// Hashes and checks passwords with bcrypt, on threads of its own.
public struct PasswordHasher: Sendable {
    /// The costs that may be asked for, in rounds of 2^cost.
    ///
    /// A stored hash above them is refused, as it would burn for minutes.
    public static let costs = 4...15
    /// Where Debian's `cracklib-runtime` keeps its word list, without the suffix of its files.
    public static let dictionaryPath = "/var/cache/cracklib/cracklib_dict"

    private let cost: Int
    private let dictionaryPath: String
    private let breached: BreachedPasswords?
    private let threads: WorkerThreads

    /// A hasher of one cost (about 0.25 s at 12 on a server of 2020); the caller guarantees it in `costs`.
    ///
    /// New passwords are held against the word list and, where there is one, the file of breached ones.
    public init(
        cost: Int = 12,
        threads: WorkerThreads,
        dictionaryPath: String = PasswordHasher.dictionaryPath,
        breached: BreachedPasswords? = nil
    ) {
        precondition(PasswordHasher.costs.contains(cost), "a bcrypt cost outside 4...15")
        (self.cost, self.threads) = (cost, threads)
        (self.dictionaryPath, self.breached) = (dictionaryPath, breached)
    }

    /// A new hash with a salt of its own, 60 characters: `$2a$12$…`.
    ///
    /// - Throws: `overloaded`, `libraryFailure`.
    public func hash(_ password: Password) async throws(PasswordError) -> String {
        let cost = cost
        return try await run { Bcrypt.hash(password.text, cost: cost) }
    }

    /// Whether a text that someone typed is the password of a hash.
    ///
    /// A text that can't be any password (too long, with NUL) isn't, after the same work.
    ///
    /// - Throws: `malformedHash`, `overloaded`, `libraryFailure`.
    public func verify(_ text: String, against hash: String) async throws(PasswordError) -> Bool {
        guard let stored = Bcrypt.cost(of: hash), PasswordHasher.costs.contains(stored) else { throw .malformedHash }
        let usable = text.utf8.count <= Password.bytesMax && !text.utf8.contains(0)
        let typed = usable ? text : ""
        return try await run { Bcrypt.matches(typed, hash).map { $0 && usable } }
    }

    /// Does the work of one `verify` and no more: for a user who doesn't exist, so that the time doesn't tell.
    ///
    /// - Throws: `overloaded`, `libraryFailure`.
    public func verifyNothing() async throws(PasswordError) {
        let cost = cost
        _ = try await run { Bcrypt.hash("", cost: cost) }
    }

    /// Whether a hash was made with another cost than this hasher's, or isn't bcrypt's at all.
    public func needsRehash(_ hash: String) -> Bool { Bcrypt.cost(of: hash) != cost }

    /// Refuses what is in the word list, or near it, or too simple, or known from a breach.
    ///
    /// - Throws: `weak`, `dictionaryUnavailable`, `overloaded`.
    public func checkStrength(_ password: Password) async throws(PasswordError) {
        let (path, breached) = (dictionaryPath, breached)
        let objection = try await run {
            PasswordDictionary.objection(to: password.text, path: path).flatMap { objection in
                guard objection == nil, let breached else { return .success(objection) }
                return breached.objection(to: password.text)
            }
        }
        if let objection { throw .weak(reason: objection) }
    }

    private func run<Output: Sendable>(
        _ work: @escaping @Sendable () -> Result<Output, PasswordError>
    ) async throws(PasswordError) -> Output {
        let result: Result<Output, PasswordError>
        do throws(WorkerThreads.QueueFull) {
            result = try await threads.run(work)
        } catch {
            throw .overloaded
        }
        return try result.get()
    }
}
