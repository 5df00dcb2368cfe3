import Foundation
import Kernel
import Settings
import WalletCrypto

/// Which network of a chain is followed, and which tokens are there.
struct TokenDeployment: Hashable, Sendable {
    /// Why a file is none.
    enum Fault: Error, Hashable, Sendable {
        case unreadable(path: String)
        case malformed(String)
    }

    /// A token.
    struct Token: Hashable, Sendable {
        let asset: Asset
        /// Solana's mint, Sui's type of coin.
        let name: String
    }

    let network: ChainNetwork
    let tokens: [Token]
    /// The custodian's account, on Solana; nil where coins aren't kept for customers.
    let custody: String?

    /// What a chain that is followed has; nil for one that isn't.
    ///
    /// - Throws: `Fault`.
    init?(_ settings: Settings.TokenChain, _ chain: Chain) throws {
        guard !settings.nodes.isEmpty, let path = settings.deploymentFile else { return nil }
        try self.init(path: path, chain)
    }

    /// Reads the file that `DIBOAS_SOLANA_DEPLOYMENT` or `DIBOAS_SUI_DEPLOYMENT` names.
    init(path: String, _ chain: Chain) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault.unreadable(path: path) }
        try self.init(try JSON.parse(Array(data)), chain)
    }

    init(_ json: JSON, _ chain: Chain) throws(Fault) {
        guard let network = json["chain"]?.stringValue.flatMap({ ChainID($0) }).flatMap({ ChainNetwork($0) }),
            network.chain == chain
        else { throw .malformed("chain") }
        guard case .object(let members)? = json["tokens"] else { throw .malformed("tokens") }
        var tokens: [Token] = []
        for member in members {
            guard let asset = Asset(code: member.name), let name = member.value.stringValue else {
                throw .malformed("tokens/\(member.name)")
            }
            tokens.append(Token(asset: asset, name: name))
        }
        guard Set(tokens.map(\.asset)).count == tokens.count, Set(tokens.map(\.name)).count == tokens.count else {
            throw .malformed("tokens: one twice")
        }
        // Nobody signs for the house on other chains.
        guard json["custody"] == nil || chain == .solana && json["custody"]?.stringValue != nil else {
            throw .malformed("custody")
        }
        (self.network, self.tokens, custody) = (network, tokens, json["custody"]?.stringValue)
    }
}
