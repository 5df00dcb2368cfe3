import Kernel
import WalletCrypto

extension SyntheticChain.State {
    /// The result of a call as JSON text; nil for what isn't answered here.
    func result(of method: String, _ parameters: [JSON]) -> String? {
        let first = parameters.first
        return switch method {
        case "eth_chainId": #""0x1""#
        case "eth_blockNumber": quantity(newest.number)
        case "eth_getBlockByNumber": block(first, isFull: parameters.last?.boolValue == true)
        case "eth_getLogs": logs(first)
        case "eth_getTransactionReceipt": newest.receipts[first?.stringValue ?? ""] ?? "null"
        case "eth_getTransactionByHash": "null"
        case "eth_getTransactionCount": #""0x0""#
        case "eth_getCode": #""0x""#
        case "eth_getBalance": quantity(balance(of: first, in: coins, SyntheticChain.coinsAtFirst))
        case "eth_call": view(first)
        case "eth_estimateGas": quantity(120_000)
        case "eth_feeHistory":
            feeHistory(blocks: number(first) ?? 1, percentiles: parameters.last?.elements?.count ?? 0)
        default: nil
        }
    }

    private func quantity(_ number: some BinaryInteger) -> String { #""\#(Text.quantity(number))""# }

    private func number(_ json: JSON?) -> Int? { json?.stringValue.flatMap { Int($0.dropFirst(2), radix: 16) } }

    private func balance(of address: JSON?, in balances: [UInt64: UInt64], _ atFirst: UInt64) -> UInt64 {
        guard let bytes = address?.stringValue.flatMap({ HexText.decode($0) }) else { return 0 }
        return balance(of: bytes, in: balances, atFirst)
    }

    private func balance(of address: some Collection<UInt8>, in all: [UInt64: UInt64], _ atFirst: UInt64) -> UInt64 {
        guard let place = Account.place(address) else { return 0 }
        return all[place] ?? atFirst
    }

    /// The newest in full or not; of those before it, by what they are known.
    private func block(_ asked: JSON?, isFull: Bool) -> String? {
        guard let number = number(asked) else { return nil }
        if number == newest.number { return isFull ? newest.full : newest.header }
        guard let hash = hashes[number] else { return "null" }
        return isFull ? nil : #"{"number":"\#(Text.quantity(number))","hash":"\#(hash)"}"#
    }

    /// Those of the newest block, all of which are the token's.
    private func logs(_ filter: JSON?) -> String? {
        filter?["blockHash"]?.stringValue == newest.hash ? newest.logs : nil
    }

    private func feeHistory(blocks: Int, percentiles: Int) -> String {
        let row = "[" + repeated(quantity(SyntheticBlock.tip), percentiles) + "]"
        return #"{"oldestBlock":"0x1","baseFeePerGas":[\#(repeated(quantity(SyntheticBlock.baseFee), blocks + 1))],"#
            + #""gasUsedRatio":[\#(repeated("0.5", blocks))],"reward":[\#(repeated(row, blocks))]}"#
    }

    private func repeated(_ text: String, _ count: Int) -> String {
        [String](repeating: text, count: count).joined(separator: ",")
    }

    // MARK: Contracts

    private static let selectors = (
        balanceOf: selector("balanceOf(address)"), worth: selector("convertToAssets(uint256)"),
        redeemed: selector("previewRedeem(uint256)"),
        maxRedeem: selector("maxRedeem(address)"), maxDeposit: selector("maxDeposit(address)")
    )

    private static func selector(_ signature: String) -> [UInt8] {
        guard let function = ContractFunction(signature) else { preconditionFailure("no function: \(signature)") }
        return function.selector
    }

    private func view(_ call: JSON?) -> String? {
        guard let to = call?["to"]?.stringValue.flatMap({ HexText.decode($0) }),
            let data = call?["data"]?.stringValue.flatMap({ HexText.decode($0) }), data.count == 36
        else { return nil }
        let (selector, argument) = (Array(data[..<4]), data[4...])
        let selectors = Self.selectors
        if to == Account.token.bytes, selector == selectors.balanceOf {
            return word(balance(of: argument.suffix(20), in: tokens, SyntheticChain.tokensAtFirst))
        }
        guard to == Account.vault.bytes else { return nil }
        switch selector {
        case selectors.balanceOf, selectors.maxRedeem:
            let place = Account.place(argument.suffix(20)) ?? .max
            return word(place < positions ? SyntheticChain.shares : 0)
        case selectors.worth, selectors.redeemed:
            // Shares here are below 2^64, so that the product fits.
            let shares = argument.suffix(8).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            return word(shares * UInt128(sharePrice) / 1_000_000_000)
        case selectors.maxDeposit: return word(UInt64.max)
        default: return nil
        }
    }

    private func word(_ number: some BinaryInteger) -> String { #""0x\#(Text.word(number))""# }
}
