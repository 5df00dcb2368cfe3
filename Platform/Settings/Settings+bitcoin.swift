extension Settings {
    /// Bitcoin, where it is followed.
    public struct Bitcoin: Sendable {
        /// A network by the addresses on it.
        public enum Network: String, Sendable, CaseIterable {
            /// Real money.
            case mainnet
            /// A public network whose money is worth nothing.
            case testnet
            /// A chain of one's own.
            case local
        }

        /// Nodes, one or two; none where it isn't followed.
        public let nodes: [String]
        /// What they say they follow.
        public let network: Network
        /// `user:password` for the nodes' RPC; nil where they ask for none.
        public let credentials: Secret?
        /// Blocks that must stand on a transaction's, its own included, until it counts as final.
        public let confirmations: Int
        /// The most that a virtual byte may cost, in satoshi.
        public let feeCeiling: Int
        /// The address of the custodian that keeps bitcoin for customers; nil where none does.
        public let custody: String?

        init(_ reader: inout SettingsReader) {
            nodes =
                reader.optional(
                    "DIBOAS_BITCOIN_NODES",
                    .webURLs(countMax: 2),
                    "RPC of one or two nodes of Bitcoin (Core 28 or newer, txindex=1)."
                ) ?? []
            network = reader.value(
                "DIBOAS_BITCOIN_NETWORK",
                .choice,
                default: "mainnet",
                "The network that they follow: mainnet, testnet or local."
            )
            credentials = reader.optional(
                "DIBOAS_BITCOIN_CREDENTIALS",
                .secret(bytes: 3...200),
                "user:password for their RPC."
            )
            confirmations = reader.value(
                "DIBOAS_BITCOIN_CONFIRMATIONS",
                .integer(1...100),
                default: "6",
                "Blocks from a transaction's own on until it counts as final."
            )
            feeCeiling = reader.value(
                "DIBOAS_BITCOIN_FEE_CEILING",
                .integer(1...10_000),
                default: "500",
                "The most that a virtual byte may cost, in satoshi; what needs more is not built."
            )
            custody = reader.optional(
                "DIBOAS_BITCOIN_CUSTODY",
                .word,
                "The custodian's address, on a chain of one's own whose node signs for it."
            )
        }
    }
}
