import Kernel
import WalletCrypto

/// Finds in blocks what came to the custodian's account.
///
/// Tokens by their events and coins by transactions that go straight to the account; coins that a contract sends on
/// leave no trace in a block and are found by the reconciliation alone.
struct CustodySightings: Sendable {
    let chain: EthereumChain
    let account: EthereumAddress

    /// What a block brought of some assets, by receipts that all nodes give; `logs` are its events of all tokens, where
    /// they were read already.
    func sightings(
        in block: EthereumBlock,
        _ assets: [Asset],
        among known: [EthereumLog]? = nil
    ) async throws -> [CustodyDeposit.Sighting] {
        var hashes = block.entries
            .filter { $0.to == account && $0.sender != account && !$0.value.isZero }.map(\.hash)
        let tokens = assets.compactMap { asset in chain.deployment.token(asset).map { (asset: asset, contract: $0) } }
        if !tokens.isEmpty {
            let logs = try await transfers(of: tokens.map(\.contract), in: block, among: known)
            guard logs.allSatisfy({ $0.block == block.reference }) else {
                throw NodeError.disagreement("the events of block \(block.number)")
            }
            for log in logs where !hashes.contains(log.transaction) { hashes.append(log.transaction) }
        }
        var found: [CustodyDeposit.Sighting] = []
        for hash in hashes {
            guard let receipt = try await chain.nodes.receipt(hash), receipt.block == block.reference else {
                throw NodeError.disagreement("a receipt of block \(block.number)")
            }
            guard receipt.succeeded else { continue }
            found += coins(receipt, in: block, assets) + events(receipt, tokens)
        }
        return found
    }

    private func transfers(
        of tokens: [EthereumAddress],
        in block: EthereumBlock,
        among known: [EthereumLog]?
    ) async throws -> [EthereumLog] {
        guard let known else { return try await chain.nodes.first.transfers(of: tokens, to: account, in: block.number) }
        return known.filter { tokens.contains($0.contract) && $0.transfer?.to == account }
    }

    private func coins(
        _ receipt: EthereumReceipt,
        in block: EthereumBlock,
        _ assets: [Asset]
    ) -> [CustodyDeposit.Sighting] {
        guard assets.contains(EthereumChain.gasAsset),
            let entry = block.entries.first(where: { $0.hash == receipt.transaction }), entry.to == account,
            entry.sender != account
        else { return [] }
        return [
            sighting(receipt, place: 0, from: entry.sender, EthereumChain.gasAsset, entry.value)
        ].compactMap(\.self)
    }

    private func events(
        _ receipt: EthereumReceipt,
        _ tokens: [(asset: Asset, contract: EthereumAddress)]
    ) -> [CustodyDeposit.Sighting] {
        receipt.logs.enumerated().compactMap { place, log in
            guard let token = tokens.first(where: { log.contract == $0.contract }), let transfer = log.transfer,
                transfer.to == account, transfer.from != account
            else { return nil }
            return sighting(receipt, place: place + 1, from: transfer.from, token.asset, transfer.amount)
        }
    }

    /// Nil for nothing, and for more than there can be of an asset.
    private func sighting(
        _ receipt: EthereumReceipt,
        place: Int,
        from sender: EthereumAddress,
        _ asset: Asset,
        _ value: BigUInt
    ) -> CustodyDeposit.Sighting? {
        guard let units = value.int128, units > 0, units < Money.limit else { return nil }
        return CustodyDeposit.Sighting(
            hash: receipt.transaction,
            place: place,
            sender: sender,
            amount: Money(minorUnits: units, asset),
            block: receipt.block
        )
    }
}

extension EthereumNode {
    /// The transfers of tokens to an account in a block (ERC-20).
    fileprivate func transfers(
        of tokens: [EthereumAddress],
        to account: EthereumAddress,
        in number: Int64
    ) async throws(NodeError) -> [EthereumLog] {
        let recipient = [UInt8](repeating: 0, count: 12) + account.bytes
        let filter: JSON = [
            "fromBlock": At.number(number).json, "toBlock": At.number(number).json,
            "address": .array(tokens.map { EthereumText.data($0.bytes) }),
            "topics": [EthereumText.data(EthereumLog.transferTopic), .null, EthereumText.data(recipient)],
        ]
        guard let entries = try await rpc.call("eth_getLogs", filter).elements else { throw .malformed("logs") }
        var logs: [EthereumLog] = []
        for entry in entries { logs.append(try EthereumLog(entry)) }
        return logs
    }
}
