import Cryptography
import Kernel
import WalletCrypto

/// How Bitcoin Core writes hashes, amounts and scripts.
enum BitcoinText {
    /// Reads 32 bytes as they are printed.
    static func hash(_ json: JSON?, _ what: String) throws(NodeError) -> [UInt8] {
        guard let text = json?.stringValue, let bytes = Hex.decode(text), bytes.count == 32 else {
            throw .malformed(what)
        }
        return bytes
    }

    /// Reads an amount of bitcoin, which is written with eight places or fewer and never with an exponent.
    static func satoshi(_ json: JSON?, _ what: String) throws(NodeError) -> Int64 {
        guard case .number(let text)? = json else { throw .malformed(what) }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        // Digits alone: of "-0.5" the whole part is none below zero.
        guard parts.count <= 2, fraction.utf8.count <= 8, fraction.isEmpty == (parts.count == 1),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), let whole = Int64(parts[0]),
            (0...21_000_000).contains(whole),
            let rest = Int64((fraction + "00000000").prefix(8)),
            whole * 100_000_000 + rest <= BitcoinTransaction.satoshiMax
        else { throw .malformed(what) }
        return whole * 100_000_000 + rest
    }

    /// Reads a height, or the place of an output in its transaction; nil for anything else.
    static func index(_ json: JSON?) -> Int? {
        json?.integerValue.flatMap { (0...0xFFFF_FFFF).contains($0) ? $0 : nil }
    }

    /// Reads the script of an output as its address; nil for one that has none.
    static func address(_ json: JSON?, _ network: BitcoinNetwork) throws(NodeError) -> String? {
        guard let text = json?["hex"]?.stringValue ?? json?.stringValue, let bytes = Hex.decode(text) else {
            throw .malformed("script")
        }
        return BitcoinScript(bytes: bytes).map { BitcoinAddress($0, network: network).description }
    }

    /// The name of an output: the transaction's id as it is printed, and the index.
    static func item(_ id: [UInt8], _ index: Int) -> String { "\(Hex.encode(id)):\(index)" }

    /// The id as it is printed, and the index, of an output's name.
    static func outpoint(_ item: String) -> (id: String, index: Int)? {
        let parts = item.split(separator: ":")
        guard parts.count == 2, parts[0].utf8.count == 64, let index = Int(parts[1]), (0...0xFFFF_FFFF).contains(index)
        else { return nil }
        return (String(parts[0]), index)
    }
}

extension PaymentBlock {
    /// Reads a block of Bitcoin Core's `getblock` at verbosity 3.
    init(bitcoin json: JSON, _ network: BitcoinNetwork) throws(NodeError) {
        guard let height = BitcoinText.index(json["height"]), let time = json["time"]?.integerValue,
            (0...0xFFFF_FFFF).contains(time), let transactions = json["tx"]?.elements
        else { throw .malformed("block") }
        // The first block of all follows none.
        let parent = json["previousblockhash"]
        guard parent != nil || height == 0 else { throw .malformed("parent") }
        var entries: [Entry] = []
        entries.reserveCapacity(transactions.count)
        for transaction in transactions { entries.append(try Entry(bitcoin: transaction, network)) }
        self.init(
            reference: BlockReference(number: Int64(height), hash: try BitcoinText.hash(json["hash"], "hash")),
            parentHash: try parent.map { json throws(NodeError) in try BitcoinText.hash(json, "parent") }
                ?? [UInt8](repeating: 0, count: 32),
            timestamp: Timestamp(seconds: Int64(time)),
            entries: entries
        )
    }
}

extension PaymentBlock.Entry {
    /// Reads a transaction of a block.
    fileprivate init(bitcoin json: JSON, _ network: BitcoinNetwork) throws(NodeError) {
        guard let inputs = json["vin"]?.elements, let outputs = json["vout"]?.elements else {
            throw .malformed("transaction")
        }
        let id = try BitcoinText.hash(json["txid"], "txid")
        var (spends, makes, nets): ([String], [PaymentBlock.Coin], [String: Int128]) = ([], [], [:])
        var fee: Int128 = 0
        let isMinting = inputs.first?["coinbase"] != nil
        for input in inputs where !isMinting {
            let from = try BitcoinText.hash(input["txid"], "input")
            guard let index = BitcoinText.index(input["vout"]), let spent = input["prevout"] else {
                throw .malformed("input")
            }
            let amount = Int128(try BitcoinText.satoshi(spent["value"], "input's amount"))
            spends.append(BitcoinText.item(from, index))
            fee += amount
            if let address = try BitcoinText.address(spent["scriptPubKey"], network) {
                nets[address, default: 0] -= amount
            }
        }
        for output in outputs {
            let amount = Int128(try BitcoinText.satoshi(output["value"], "amount"))
            guard let index = BitcoinText.index(output["n"]) else { throw .malformed("output") }
            fee -= amount
            guard let address = try BitcoinText.address(output["scriptPubKey"], network), amount > 0 else { continue }
            nets[address, default: 0] += amount
            let item = BitcoinText.item(id, index)
            makes.append(PaymentBlock.Coin(item: item, address: address, amount: amount, isMinted: isMinting))
        }
        guard isMinting || fee >= 0 else { throw .malformed("a fee below zero") }
        self.init(
            id: id,
            succeeded: true,
            fee: isMinting ? 0 : fee,
            moves: nets.map { PaymentBlock.Move(address: $0.key, asset: .btc, amount: $0.value) },
            spends: spends,
            makes: makes
        )
    }
}
