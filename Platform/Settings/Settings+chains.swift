extension Settings {
    /// The chains that are followed; one without nodes is not.
    public struct Chains: Sendable {
        /// Nodes of Ethereum, one or two; with two, what they don't agree on holds a transaction.
        public let ethereumNodes: [String]
        /// File with the chain's id, its tokens and the protocols on it.
        public let ethereumDeploymentFile: String?
        /// Blocks that must stand on a transaction's, its own included, until it counts as final.
        public let ethereumConfirmations: Int
        /// Between two looks at the chain's newest block, in milliseconds.
        public let pollMilliseconds: Int
        /// The most that gas may cost per unit, in gwei.
        public let ethereumGasCeilingGwei: Int
        /// Bitcoin.
        public let bitcoin: Bitcoin
        /// Solana.
        public let solana: TokenChain
        /// Sui.
        public let sui: TokenChain

        init(_ reader: inout SettingsReader) {
            ethereumNodes =
                reader.optional(
                    "DIBOAS_ETHEREUM_NODES",
                    .webURLs(countMax: 2),
                    "JSON-RPC of one or two Ethereum nodes; what two don't agree on holds a transaction."
                ) ?? []
            ethereumDeploymentFile = reader.optional(
                "DIBOAS_ETHEREUM_DEPLOYMENT",
                .absolutePath,
                "JSON file with the chain's id, its tokens and the protocols on it."
            )
            ethereumConfirmations = reader.value(
                "DIBOAS_ETHEREUM_CONFIRMATIONS",
                .integer(1...256),
                default: "12",
                "Blocks from a transaction's own on until it counts as final."
            )
            pollMilliseconds = reader.value(
                "DIBOAS_CHAIN_POLL_MILLISECONDS",
                .integer(50...60_000),
                default: "1000",
                "Between two looks at a chain's newest block."
            )
            ethereumGasCeilingGwei = reader.value(
                "DIBOAS_ETHEREUM_GAS_CEILING_GWEI",
                .integer(1...10_000),
                default: "200",
                "The most that a unit of gas may cost; what needs more is not built."
            )
            bitcoin = Bitcoin(&reader)
            solana = TokenChain(&reader, "SOLANA", nodes: "JSON-RPC of one or two nodes of Solana.")
            sui = TokenChain(&reader, "SUI", nodes: "GraphQL of one or two nodes of Sui.")
            if !ethereumNodes.isEmpty, ethereumDeploymentFile == nil {
                reader.contradict("DIBOAS_ETHEREUM_NODES", "needs DIBOAS_ETHEREUM_DEPLOYMENT beside it")
            }
        }
    }
}
