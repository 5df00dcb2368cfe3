extension Settings {
    /// Solana or Sui, where it is followed.
    public struct TokenChain: Sendable {
        /// Nodes, one or two; none where it isn't followed.
        public let nodes: [String]
        /// File with the network and the tokens on it; not nil where there are nodes.
        public let deploymentFile: String?

        init(_ reader: inout SettingsReader, _ name: String, nodes meaning: String) {
            nodes = reader.optional("DIBOAS_\(name)_NODES", .webURLs(countMax: 2), meaning) ?? []
            deploymentFile = reader.optional(
                "DIBOAS_\(name)_DEPLOYMENT",
                .absolutePath,
                "JSON file with the network that they follow, and the tokens on it."
            )
            if !nodes.isEmpty, deploymentFile == nil {
                reader.contradict("DIBOAS_\(name)_NODES", "needs DIBOAS_\(name)_DEPLOYMENT beside it")
            }
        }
    }
}
