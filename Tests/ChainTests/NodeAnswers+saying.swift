import Cryptography
import Kernel

@testable import DeFi

extension NodeAnswers {
    /// What an answer says, in the words of what is read of it: found as simply as can be, whatever else is wrong.
    func said(_ json: JSON) -> JSON {
        switch self {
        case .block, .receipt: json
        case .fees: Self.fees(json)
        case .bitcoin: Self.replacing(json, "tx", by: .array((json["tx"]?.elements ?? []).map(Self.bitcoin)))
        case .solana:
            Self.replacing(json, "transactions", by: .array((json["transactions"]?.elements ?? []).map(Self.solana)))
        case .sui:
            Self.replacing(
                json,
                "nodes",
                by: .array((json["transactions"]?["nodes"]?.elements ?? []).map(Self.sui))
            )
        }
    }

    private static func replacing(_ json: JSON, _ name: String, by value: JSON) -> JSON {
        guard case .object(let members) = json else { return json }
        return .object(members.filter { $0.name != name } + [JSON.Member(name, value)])
    }

    private static func fees(_ json: JSON) -> JSON {
        let (fees, rewards) = (json["baseFeePerGas"]?.elements ?? [], json["reward"]?.elements ?? [])
        let used = json["gasUsedRatio"]?.elements ?? []
        guard rewards.count == used.count, fees.count == used.count + 1, let next = fees.last else { return .null }
        let tips = zip(rewards, used).filter { number($0.1) != 0 }.map(\.0)
        return ["nextBaseFee": next, "tips": .array(tips)]
    }

    private static func number(_ json: JSON?) -> Double? {
        guard case .number(let text)? = json else { return nil }
        return Double(text)
    }

    private static func satoshi(_ json: JSON?) -> Int64? {
        guard let amount = number(json), (0...21_000_000).contains(amount), amount.sign == .plus else { return nil }
        return Int64((amount * 100_000_000).rounded())
    }

    private static func bitcoin(_ json: JSON) -> JSON {
        let (inputs, outputs) = (json["vin"]?.elements ?? [], json["vout"]?.elements ?? [])
        let isNew = inputs.first?["coinbase"] != nil
        let spent = isNew ? [] : inputs
        let id = json["txid"]?.stringValue?.lowercased() ?? ""
        let spends = spent.map { input -> JSON in
            let index = input["vout"]?.integerValue ?? -1
            return .string("\(input["txid"]?.stringValue ?? ""):\(index)")
        }
        let makes = outputs.compactMap { output -> JSON? in
            guard let index = output["n"]?.integerValue, let amount = satoshi(output["value"]), amount > 0,
                let script = output["scriptPubKey"]?["hex"]?.stringValue?.lowercased(), hasAddress(script)
            else { return nil }
            return .array([.string("\(id):\(index)"), .integer(amount)])
        }
        let paid = spent.map { satoshi($0["prevout"]?["value"]) } + outputs.map { satoshi($0["value"]).map { -$0 } }
        let fee = paid.reduce(Int64(0)) { $0 + ($1 ?? .min / 8) }
        let told: JSON = isNew ? .integer(0) : fee >= 0 ? .integer(fee) : .null
        return ["txid": .string(id), "spends": .array(spends), "makes": .array(makes), "fee": told]
    }

    private static func hasAddress(_ script: String) -> Bool {
        let forms = [("76a914", 50, "88ac"), ("a914", 46, "87"), ("0014", 44, ""), ("0020", 68, ""), ("5120", 68, "")]
        if forms.contains(where: { script.hasPrefix($0.0) && script.utf8.count == $0.1 && script.hasSuffix($0.2) }) {
            return true
        }
        // Versions of witnesses to come: their number, a length from 2 to 40, and so many bytes.
        guard let bytes = Hex.decode(script), bytes.count >= 4, (0x51...0x60).contains(bytes[0]) else { return false }
        return (2...40).contains(Int(bytes[1])) && bytes.count == Int(bytes[1]) + 2
    }

    private static func solana(_ json: JSON) -> JSON {
        let meta = json["meta"]
        let (before, after) = (meta?["preBalances"]?.elements ?? [], meta?["postBalances"]?.elements ?? [])
        var lamports: [String: Int128] = [:]
        for (place, key) in (json["transaction"]?["accountKeys"]?.elements ?? []).enumerated()
        where place < before.count && place < after.count {
            let change = Int128(after[place].integerValue ?? 0) - Int128(before[place].integerValue ?? 0)
            lamports[key["pubkey"]?.stringValue ?? "", default: 0] += change
        }
        var units: [String: Int128] = [:]
        for (name, sign) in [("preTokenBalances", Int128(-1)), ("postTokenBalances", 1)] {
            for balance in meta?[name]?.elements ?? [] {
                guard let owner = balance["owner"]?.stringValue else { continue }
                let place = owner + " " + (balance["mint"]?.stringValue ?? "")
                units[place, default: 0] += sign * (Int128(balance["uiTokenAmount"]?["amount"]?.stringValue ?? "") ?? 0)
            }
        }
        return [
            "signature": json["transaction"]?["signatures"]?.elements?.first ?? .null,
            "succeeded": .bool(meta?["err"] == .null), "fee": meta?["fee"] ?? .null,
            "lamports": .array(lamports.values.filter { $0 != 0 }.sorted().map { .integer($0) }),
            "units": .array(units.values.filter { $0 != 0 }.sorted().map { .integer($0) }),
        ]
    }

    private static func sui(_ json: JSON) -> JSON {
        let effects = json["effects"]
        let gas = effects?["gasEffects"]?["gasSummary"]
        let costs = ["computationCost", "storageCost", "storageRebate"].map { Int64(gas?[$0]?.integerValue ?? 0) }
        let spends = (effects?["objectChanges"]?["nodes"]?.elements ?? []).compactMap { change -> JSON? in
            guard let before = change["inputState"], before != .null else { return nil }
            return .string("\(change["address"]?.stringValue ?? ""):\(before["version"]?.integerValue ?? -1)")
        }
        return [
            "digest": json["digest"] ?? .null, "status": effects?["status"] ?? .null,
            "fee": .integer(costs[0] + costs[1] - costs[2]), "moves": effects?["balanceChangesJson"] ?? .null,
            "spends": .array(spends),
        ]
    }
}
