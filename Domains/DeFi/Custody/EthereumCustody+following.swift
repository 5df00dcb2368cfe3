import Kernel
import WalletCrypto

/// Tokens are sighted by their events and coins by transactions that go straight to the account; coins that a contract
/// sends on leave no trace in a block and are found by the reconciliation alone.
extension EthereumCustody {
    func look(at reference: BlockReference, _ assets: [Asset], having read: ReadBlock?) async throws -> CustodyBlock? {
        let tokens = assets.compactMap { asset in chain.deployment.token(asset).map { (asset: asset, contract: $0) } }
        let (block, events): (EthereumBlock, BlockEvents)
        if case .ethereum(let known, let told)? = read, known.reference == reference {
            (block, events) = (known, told)
        } else {
            // Another block in its place is for who follows the chain to find.
            guard let known = try await chain.nodes.block(reference.number), known.reference == reference else {
                return nil
            }
            let told = try await chain.nodes.events(in: reference, of: tokens.map(\.contract))
            (block, events) = (known, told)
        }
        let paid = Set(
            events.all.filter { log in
                tokens.contains { $0.contract == log.contract } && log.transfer?.to == address
            }.map(\.transaction)
        )
        // What is in no block by the word of all isn't asked about, whatever events a node tells.
        let asked = block.entries.filter { entry in
            entry.sender == address || paid.contains(entry.hash) || entry.to == address && !entry.value.isZero
        }
        return found(in: block, asked, try await chain.nodes.receipts(asked.map(\.hash)), assets, tokens)
    }

    /// What transactions did to the account by the receipts that all nodes give; events only say whom to ask about.
    private func found(
        in block: EthereumBlock,
        _ entries: [EthereumBlock.Entry],
        _ receipts: EthereumNodes.Answers<EthereumReceipt>,
        _ assets: [Asset],
        _ tokens: [(asset: Asset, contract: EthereumAddress)]
    ) -> CustodyBlock {
        var found = CustodyBlock()
        for (place, entry) in entries.enumerated() {
            guard let receipt = receipts.answers[place], receipt.block == block.reference else {
                if receipts.disputed.contains(place) { found.unclear.append(entry.hash) } else { found.isEarly = true }
                continue
            }
            if entry.sender == address {
                let value = receipt.succeeded ? entry.value : .zero
                found.own.append(
                    CustodyBlock.Own(
                        hash: entry.hash,
                        succeeded: receipt.succeeded,
                        coins: Int128(clamping: receipt.gasCost + value)
                    )
                )
            }
            guard receipt.succeeded else { continue }
            found.sightings += coins(receipt, of: entry, assets) + self.events(receipt, tokens)
        }
        return found
    }

    func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws(NodeError) {
        let receipt = try await chain.nodes.receipt(hash)
        guard let receipt, receipt.block == block, receipt.succeeded == succeeded else {
            throw .disagreement("the receipt of a transaction that becomes final")
        }
    }

    func block(of hash: [UInt8]) async throws(NodeError) -> BlockReference? {
        try await chain.nodes.receipt(hash)?.block
    }

    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool { try await chain.nodes.knows(hash) }

    func holdings(of assets: [Asset], at number: Int64) async throws -> [Int128] {
        let tokens = assets.compactMap { chain.deployment.token($0) }
        let coins = try await chain.nodes.balances(of: [address], at: .number(number))
        let said = try await chain.nodes.views(tokens.map { .balance(of: address, in: $0) }, at: .number(number))
        guard coins.disputed.isEmpty, said.disputed.isEmpty else { throw NodeError.disagreement("what there is") }
        var answers = said.answers[...]
        return try assets.map { asset throws(NodeError) in
            let units =
                chain.deployment.token(asset) == nil
                ? coins.answers[0] : (answers.popFirst() ?? nil).map { BigUInt(bigEndian: $0) }
            guard let units else { throw .malformed("balance of \(asset.code)") }
            return Int128(clamping: units)
        }
    }

    private func coins(
        _ receipt: EthereumReceipt,
        of entry: EthereumBlock.Entry,
        _ assets: [Asset]
    ) -> [CustodyDeposit.Sighting] {
        guard assets.contains(EthereumChain.gasAsset), entry.to == address, entry.sender != address else { return [] }
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
