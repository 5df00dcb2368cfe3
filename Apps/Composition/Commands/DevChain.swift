import EmbeddedServers
import Foundation
import Kernel

/// The chain of `diboas dev`: Ethereum's rules on loopback, new with each start.
enum DevChain {
    private static let key = "DIBOAS_ETHEREUM_NODES"

    /// Starts it, unless nodes are given or its programs aren't installed; then everything is served but chains.
    static func start(
        _ environment: [String: String],
        _ home: StateDirectory
    ) async throws -> (server: EmbeddedChain, url: String)? {
        guard DevEnvironment.isOurs(key, environment, home) else { return nil }
        let root = FileManager.default.currentDirectoryPath
        let programs = EmbeddedChain.Programs(
            python: root + "/.build/chains/bin/python",
            directory: root + "/Tests/DevChains"
        )
        guard FileManager.default.isExecutableFile(atPath: programs.python) else {
            Console.say("no local chain: ./run installs it")
            return nil
        }
        Console.say("starting a chain")
        // A block each second, as if others used it too.
        let server = try await EmbeddedChain.start(
            .ethereum,
            programs,
            arguments: ["--block-time", "1"],
            in: StateDirectory(home.path + "/chain")
        )
        guard let url = try JSON.parse(Array(server.ready.utf8))["rpc"]?.stringValue else {
            await server.stop()
            return nil
        }
        return (server, url)
    }
}
