import Kernel
import WalletCrypto

/// What happens in a block.
struct Traffic: Sendable {
    /// Coins that one account pays another.
    struct Payment: Sendable {
        let from: UInt64
        let to: UInt64
        let wei: UInt64
    }

    /// A transaction that moves tokens, once or more often.
    struct TokenCall: Sendable {
        let sender: UInt64
        let transfers: [Payment]
    }

    var payments: [Payment] = []
    var calls: [TokenCall] = []

    /// Nothing.
    static let none = Traffic()

    /// About what an Ethereum block has: 200 transactions, 60 of which pay coins, and 200 transfers of a token.
    ///
    /// A third of the payments and a fifth of the transfers go to accounts below `followed`, drawn by lot; and ten of
    /// the transactions come from there.
    static func usual(followed: Int, using random: inout some RandomNumberGenerator) -> Traffic {
        var traffic = Traffic()
        func stranger(_ random: inout some RandomNumberGenerator) -> UInt64 {
            Account.strangers + UInt64.random(in: 0..<1_000_000, using: &random)
        }
        func one(_ isFollowed: Bool, _ random: inout some RandomNumberGenerator) -> UInt64 {
            isFollowed ? UInt64.random(in: 0..<UInt64(followed), using: &random) : stranger(&random)
        }
        for place in 0..<60 {
            let (from, to) = (one(place.isMultiple(of: 12), &random), one(place % 3 == 1, &random))
            traffic.payments.append(Payment(from: from, to: to, wei: 1_000_000_000))
        }
        for place in 0..<140 {
            let sender = one(place.isMultiple(of: 28), &random)
            var transfers: [Payment] = []
            for turn in 0..<(place < 60 ? 2 : 1) {
                let to = one((place + turn).isMultiple(of: 5), &random)
                transfers.append(Payment(from: turn == 0 ? sender : stranger(&random), to: to, wei: 1_000))
            }
            traffic.calls.append(TokenCall(sender: sender, transfers: transfers))
        }
        return traffic
    }
}

/// A block, with its answers as they go over the wire.
struct SyntheticBlock: Sendable {
    let number: Int
    let hash: String
    /// With all transactions, and with their hashes alone.
    let full: String
    let header: String
    let logs: String
    /// By the transaction's hash.
    let receipts: [String: String]

    static let baseFee: UInt64 = 8_000_000_000
    static let tip: UInt64 = 1_000_000_000
    private static let transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

    /// Makes a block out of what happens in it.
    init(number: Int, parent: String, timestamp: Int64, _ traffic: Traffic) {
        let hash = Self.hash(number, 0)
        let block = #""blockHash":"\#(hash)","blockNumber":"\#(Text.quantity(number))""#
        var (transactions, hashes, logs): ([String], [String], [String]) = ([], [], [])
        var receipts: [String: String] = [:]
        func add(from: UInt64, to: EthereumAddress, value: UInt64, input: String, _ transfers: [Traffic.Payment]) {
            let place = transactions.count
            let id = Self.hash(number, place + 1)
            let about = #""transactionHash":"\#(id)","transactionIndex":"\#(Text.quantity(place))",\#(block)"#
            let own = transfers.enumerated().map { Self.log($1, at: logs.count + $0, about) }
            transactions.append(
                Self.transaction(id, place, block, from: from, to: to, value: value, input: input)
            )
            hashes.append(#""\#(id)""#)
            logs += own
            let gas = Text.quantity(input == "0x" ? 21_000 : 65_000)
            receipts[id] =
                #"{\#(about),"status":"0x1","type":"0x2","gasUsed":"\#(gas)","effectiveGasPrice":"#
                + #""\#(Text.quantity(Self.baseFee + Self.tip))","contractAddress":null,"logs":[\#(list(own))]}"#
        }
        for payment in traffic.payments {
            add(from: payment.from, to: Account.address(payment.to), value: payment.wei, input: "0x", [])
        }
        for call in traffic.calls {
            let first = call.transfers.first
            let input = "0xa9059cbb" + Text.word(Account.address(first?.to ?? 0)) + Text.word(first?.wei ?? 0)
            add(from: call.sender, to: Account.token, value: 0, input: input, call.transfers)
        }
        let head = Self.head(number, hash, parent: parent, timestamp)
        (self.number, self.hash, self.receipts) = (number, hash, receipts)
        full = "{" + head + #","transactions":["# + list(transactions) + "]}"
        header = "{" + head + #","transactions":["# + list(hashes) + "]}"
        self.logs = "[" + list(logs) + "]"
    }

    /// 32 bytes that nothing else has.
    private static func hash(_ number: Int, _ place: Int) -> String {
        // Spread as hashes are, so that indices and tables aren't flattered.
        let first = (UInt64(number) << 20 | UInt64(place)) &* 0x9E37_79B9_7F4A_7C15
        return "0x" + Text.word(first).suffix(16) + Text.word(number).suffix(24) + Text.word(place).suffix(24)
    }

    private static func head(_ number: Int, _ hash: String, parent: String, _ timestamp: Int64) -> String {
        #""number":"\#(Text.quantity(number))","hash":"\#(hash)","parentHash":"\#(parent)","timestamp":"#
            + #""\#(Text.quantity(timestamp))","baseFeePerGas":"\#(Text.quantity(baseFee))","gasLimit":"0x1c9c380","#
            + #""gasUsed":"0xe4e1c0","miner":"0x\#(Text.hex(Account.vault))","extraData":"0x","nonce":"0x0","#
            + #""stateRoot":"\#(hash)","logsBloom":"0x\#(String(repeating: "0", count: 512))","uncles":[]"#
    }

    private static func transaction(
        _ id: String,
        _ place: Int,
        _ block: String,
        from: UInt64,
        to: EthereumAddress,
        value: UInt64,
        input: String
    ) -> String {
        #"{\#(block),"hash":"\#(id)","transactionIndex":"\#(Text.quantity(place))","type":"0x2","chainId":"0x1","#
            + #""from":"0x\#(Text.hex(Account.address(from)))","to":"0x\#(Text.hex(to))","nonce":"0x1f","#
            + #""value":"\#(Text.quantity(value))","input":"\#(input)","gas":"0x186a0","#
            + #""gasPrice":"\#(Text.quantity(baseFee + tip))","maxFeePerGas":"\#(Text.quantity(2 * baseFee + tip))","#
            + #""maxPriorityFeePerGas":"\#(Text.quantity(tip))","accessList":[],"v":"0x1","yParity":"0x1","#
            + #""r":"\#(id)","s":"\#(id)"}"#
    }

    private static func log(_ transfer: Traffic.Payment, at place: Int, _ about: String) -> String {
        let (from, to) = (Account.address(transfer.from), Account.address(transfer.to))
        return #"{\#(about),"address":"0x\#(Text.hex(Account.token))","logIndex":"\#(Text.quantity(place))","#
            + #""removed":false,"data":"0x\#(Text.word(transfer.wei))","topics":["\#(transferTopic)","#
            + #""0x\#(Text.word(from))","0x\#(Text.word(to))"]}"#
    }
}

private func list(_ items: [String]) -> String { items.joined(separator: ",") }
