import Glibc

/// A chain of our own on loopback, gone with its process: it keeps nothing.
///
/// The directory holds `ready.json`, which the chain writes once it serves: its URL, its funded accounts and contracts.
public final class EmbeddedChain: Sendable {
    /// A chain that there is a program for in `Tests/DevChains`.
    public enum Kind: String, Sendable, CaseIterable {
        /// Ethereum's rules and JSON-RPC.
        case ethereum = "devchain.py"
        /// Solana's.
        case solana = "soldev.py"
        /// Bitcoin's.
        case bitcoin = "btcdev.py"
        /// A stand-in for a node of Sui: its GraphQL over coins alone.
        case sui = "suidev.py"
    }

    /// What is run: a Python that has the packages of `requirements.txt`, and the directory of the programs.
    public struct Programs: Hashable, Sendable {
        /// The Python.
        public let python: String
        /// Where `devchain.py` and the others are.
        public let directory: String

        /// Programs by their places.
        public init(python: String, directory: String) { (self.python, self.directory) = (python, directory) }
    }

    /// What the chain says of itself: the contents of `ready.json`.
    public let ready: String

    private let child: Child
    private let directory: StateDirectory
    private let isTemporary: Bool
    // Whoever sweeps up after processes that were killed leaves it alone.
    private let lock: DirectoryLock

    private static let readySecondsMax = 60
    private static let pollMilliseconds = 20
    private static let shutdownSecondsMax = 5

    private init(ready: String, child: Child, directory: StateDirectory, isTemporary: Bool, lock: DirectoryLock) {
        (self.ready, self.child, self.directory, self.isTemporary) = (ready, child, directory, isTemporary)
        self.lock = lock
    }

    /// Starts a chain on a free port and waits until it serves; `arguments` are the program's own.
    ///
    /// - Throws: `EmbeddedServerError`, or `CancellationError`; the chain is then stopped again.
    public static func start(
        _ kind: Kind,
        _ programs: Programs,
        arguments: [String] = [],
        in directory: StateDirectory
    ) async throws -> EmbeddedChain {
        try directory.create(mode: 0o700)
        return try await start(kind, programs, arguments, in: directory, isTemporary: false)
    }

    /// Starts a chain in a new temporary directory, which goes with it.
    public static func startTemporary(
        _ kind: Kind,
        _ programs: Programs,
        arguments: [String] = []
    ) async throws -> EmbeddedChain {
        let directory = try await TemporaryServers.makeDirectory()
        let chain = try await start(kind, programs, arguments, in: directory, isTemporary: true)
        TemporaryServers.endAtExit(chain.child, signal: SIGTERM, directory: directory)
        return chain
    }

    /// Where the deployment that `DIBOAS_ETHEREUM_DEPLOYMENT` takes is written; chains of Ethereum only.
    public var deploymentPath: String { directory.file("deployment.json") }

    /// Ends the chain and waits until it is gone; idempotent.
    public func stop() async {
        child.signal(SIGTERM)
        child.signal(SIGKILL, afterSeconds: Self.shutdownSecondsMax)
        _ = await child.ended()
        if isTemporary { directory.remove() }
        lock.release()
    }

    private static func start(
        _ kind: Kind,
        _ programs: Programs,
        _ arguments: [String],
        in directory: StateDirectory,
        isTemporary: Bool
    ) async throws -> EmbeddedChain {
        guard access(programs.python, X_OK) == 0 else {
            throw EmbeddedServerError.programMissing(path: programs.python, package: "python3-venv")
        }
        let lock = try DirectoryLock(directory)
        let ready = directory.file("ready.json")
        unlink(ready)
        let log = ServerLog(path: directory.file("chain.log"))
        var line = [programs.directory + "/" + kind.rawValue, "--port", "0", "--ready-file", ready] + arguments
        if kind == .ethereum { line += ["--deployment-file", directory.file("deployment.json")] }
        let child = try await Child.start(
            Command(program: programs.python, arguments: line, outputPath: log.path, deathSignal: "TERM")
        )
        do {
            let said = try await said(by: child, in: directory, log: log)
            return EmbeddedChain(ready: said, child: child, directory: directory, isTemporary: isTemporary, lock: lock)
        } catch {
            child.signal(SIGKILL)
            _ = await child.ended()
            if isTemporary { directory.remove() }
            throw error
        }
    }

    private static func said(by child: Child, in directory: StateDirectory, log: ServerLog) async throws -> String {
        for _ in 0..<(readySecondsMax * 1_000 / pollMilliseconds) {
            if let text = directory.read("ready.json") { return text }
            if let exit = child.hasEnded {
                throw EmbeddedServerError.ended(program: "chain", status: exit.description, lastLines: log.lastLines)
            }
            try await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
        throw EmbeddedServerError.notReady(
            program: "chain",
            afterSeconds: readySecondsMax,
            lastLines: log.lastLines
        )
    }
}
