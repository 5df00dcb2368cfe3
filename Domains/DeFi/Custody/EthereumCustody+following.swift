import Kernel
import WalletCrypto

/// Tokens are sighted by their events and coins by transactions that go straight to the account; coins that a contract
/// sends on leave no trace in a block and are found by the reconciliation alone.
extension EthereumCustody {
    func look(at reference: BlockReference, _ assets: [Asset], having read: ReadBlock?) async throws -> CustodyBlock? {
        var (known, logs): (EthereumBlock?, [EthereumLog]?) = (nil, nil)
        if case .ethereum(let block, let events)? = read, block.reference == reference {
            (known, logs) = (block, events)
        } else {
            known = try await chain.nodes.block(reference.number)
        }
        // Another block in its place is for who follows the chain to find.
        guard let block = known, block.reference == reference else { return nil }
        var own: [CustodyBlock.Own] = []
        for entry in block.entries where entry.sender == address {
            let receipt = try await receipt(entry.hash, in: block)
            let value = receipt.succeeded ? entry.value : .zero
            own.append(
                CustodyBlock.Own(
                    hash: entry.hash,
                    succeeded: receipt.succeeded,
                    coins: Int128(clamping: receipt.gasCost + value)
                )
            )
        }
        return CustodyBlock(sightings: try await sightings(in: block, assets, among: logs), own: own)
    }

    func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws(NodeError) {
        let receipt = try await chain.nodes.receipt(hash)
        guard let receipt, receipt.block == block, receipt.succeeded == succeeded else {
            throw .disagreement("the receipt of a transaction that becomes final")
        }
    }

    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool { try await chain.nodes.knows(hash) }

    func holdings(of assets: [Asset], at number: Int64) async throws -> [Int128] {
        let node = chain.nodes.first
        let tokens = assets.compactMap { chain.deployment.token($0) }
        var answers = try await node.views(tokens.map { .balance(of: address, in: $0) }, at: .number(number))[...]
        var holdings: [Int128] = []
        for asset in assets {
            if chain.deployment.token(asset) == nil {
                holdings.append(Int128(clamping: try await node.balance(of: address, at: .number(number))))
            } else {
                guard let answer = answers.popFirst() ?? nil else {
                    throw NodeError.malformed("balance of \(asset.code)")
                }
                holdings.append(Int128(clamping: BigUInt(bigEndian: answer)))
            }
        }
        return holdings
    }

    private func receipt(_ hash: [UInt8], in block: EthereumBlock) async throws(NodeError) -> EthereumReceipt {
        guard let receipt = try await chain.nodes.receipt(hash), receipt.block == block.reference else {
            throw .disagreement("a receipt of block \(block.number)")
        }
        return receipt
    }

    /// What a block brought of some assets, by receipts that all nodes give; `logs` are its events of all tokens, where
    /// they were read already.
    private func sightings(
        in block: EthereumBlock,
        _ assets: [Asset],
        among known: [EthereumLog]?
    ) async throws -> [CustodyDeposit.Sighting] {
        var hashes = block.entries
            .filter { $0.to == address && $0.sender != address && !$0.value.isZero }.map(\.hash)
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
            let receipt = try await receipt(hash, in: block)
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
        guard let known else { return try await chain.nodes.first.transfers(of: tokens, to: address, in: block.number) }
        return known.filter { tokens.contains($0.contract) && $0.transfer?.to == address }
    }

    private func coins(
        _ receipt: EthereumReceipt,
        in block: EthereumBlock,
        _ assets: [Asset]
    ) -> [CustodyDeposit.Sighting] {
        guard assets.contains(EthereumChain.gasAsset),
            let entry = block.entries.first(where: { $0.hash == receipt.transaction }), entry.to == address,
            entry.sender != address
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
                transfer.to == address, transfer.from != address
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
            sender: sender.description,
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
