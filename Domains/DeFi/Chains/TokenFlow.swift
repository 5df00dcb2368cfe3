import WalletCrypto

/// What came to an account and left it of a token, by the events of one transaction.
struct TokenFlow: Hashable, Sendable {
    var received = BigUInt.zero
    var paid = BigUInt.zero

    /// Counts an event if it is about that token and account.
    mutating func add(_ log: EthereumLog, of token: EthereumAddress, _ account: EthereumAddress) {
        guard log.contract == token, let transfer = log.transfer else { return }
        if transfer.to == account { received = received + transfer.amount }
        if transfer.from == account { paid = paid + transfer.amount }
    }
}

extension EthereumLog {
    /// `Transfer(address,address,uint256)` (ERC-20).
    static let transferTopic = topic("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
    /// `WithdrawalClaimed(uint256,address,address,uint256)` (Lido's queue).
    static let claimedTopic = topic("0x6ad26c5e238e7d002799f9a5db07e81ef14e37386ae03496d7a7ef04713e145b")

    /// What moved, if it says that a token did.
    var transfer: (from: EthereumAddress, to: EthereumAddress, amount: BigUInt)? {
        guard topics.count == 3, topics[0] == Self.transferTopic, data.count == 32,
            let from = Self.address(topics[1]), let to = Self.address(topics[2])
        else { return nil }
        return (from, to, BigUInt(bigEndian: data))
    }

    /// The coins that a queue paid to an account, if it says so.
    func claimed(by account: EthereumAddress) -> BigUInt? {
        guard topics.count == 4, topics[0] == Self.claimedTopic, data.count == 32,
            Self.address(topics[3]) == account
        else { return nil }
        return BigUInt(bigEndian: data)
    }

    private static func address(_ topic: [UInt8]) -> EthereumAddress? {
        guard topic.count == 32, topic.prefix(12).allSatisfy({ $0 == 0 }) else { return nil }
        return EthereumAddress(bytes: Array(topic[12...]))
    }

    private static func topic(_ text: String) -> [UInt8] { HexText.decode(text) ?? [] }
}
