import Compliance
import HTTP
import Kernel
import Ledger

/// What two people post by hand: sides that balance, and the case that it belongs to where a customer is concerned.
struct ManualPosting: Sendable {
    /// One side of it.
    struct Side: Hashable, Sendable {
        let account: AccountKey
        let amount: Money
    }

    /// Domains whose ledgers take postings by hand; Investing's has one writer, which keeps its balances.
    static let domains = ["banking", "defi"]
    /// Accounts of each side.
    static let accountsMax = 10

    let domain: String
    let debits: [Side]
    let credits: [Side]
    /// The compliance case of the customer; nil where only the house's accounts are concerned.
    let caseID: ID<ComplianceCase>?

    var asset: Asset { debits[0].amount.asset }
    var accounts: [AccountKey] { (debits + credits).map(\.account) }
    /// The customers whose accounts they are.
    var customers: Set<ID<User>> { Set(accounts.filter { $0.owner != AccountKey.house }.map { ID<User>($0.owner) }) }

    /// Reads a proposal's payload, whose form was checked.
    ///
    /// - Throws: 422 `posting_unbalanced`, `posting_repeats_account`, `posting_needs_case`; 400 for a member that can't
    ///   be read.
    init(_ payload: JSON) throws(Problem) {
        guard let asset = payload["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/payload/asset")
        }
        domain = payload["domain"]?.stringValue ?? ""
        debits = try Self.sides(payload, "debit", asset)
        credits = try Self.sides(payload, "credit", asset)
        caseID = payload["case"]?.stringValue.flatMap { ID(wire: $0) }
        func sum(_ sides: [Side]) -> Int128 { sides.reduce(0) { $0 + $1.amount.minorUnits } }
        guard sum(debits) == sum(credits) else {
            throw Problem(422, "posting_unbalanced", "Debits and credits must come to the same.")
        }
        guard Set(accounts).count == accounts.count else {
            throw Problem(422, "posting_repeats_account", "Each account stands in a posting once.")
        }
        guard customers.isEmpty || caseID != nil else {
            throw Problem(422, "posting_needs_case", "A customer's account is posted to for a compliance case only.")
        }
        guard customers.count <= 1 else {
            throw Problem(422, "posting_needs_case", "A posting for a case is about its customer alone.")
        }
    }

    private static func sides(_ payload: JSON, _ name: String, _ asset: Asset) throws(Problem) -> [Side] {
        var sides: [Side] = []
        for (place, side) in (payload[name]?.elements ?? []).enumerated() {
            let amount = try Money(
                positive: side["amount"]?.stringValue ?? "",
                asset,
                at: "/payload/\(name)/\(place)/amount"
            )
            let kind = side["account"]?.stringValue ?? ""
            let owner = side["owner"]?.stringValue.flatMap { ID<User>(wire: $0) }
            let key = owner.map { AccountKey($0, kind, asset) } ?? AccountKey(house: kind, asset)
            sides.append(Side(account: key, amount: amount))
        }
        guard !sides.isEmpty else { throw Problem(422, "posting_unbalanced", "Each side has an account.") }
        return sides
    }

    /// What the ledger does: each debit in turn pays the credits in turn, so that there are few transfers.
    ///
    /// The first has the id given, by which it is known whether all of it is posted.
    func transfers(
        _ found: [AccountKey: ID<LedgerAccount>],
        first: ID<Transfer>,
        _ ids: IDGenerator
    ) throws(LedgerFault) -> [LedgerCommand] {
        var (commands, credits): ([LedgerCommand], ArraySlice<Side>) = ([], credits[...])
        var owed = credits.first?.amount.minorUnits ?? 0
        for debit in debits {
            var left = debit.amount.minorUnits
            while left > 0, let credit = credits.first {
                let amount = min(left, owed)
                guard let from = found[debit.account] else { throw .accountVanished(debit.account) }
                guard let to = found[credit.account] else { throw .accountVanished(credit.account) }
                let transfer = NewTransfer(
                    id: commands.isEmpty ? first : ids.next(),
                    debit: from,
                    credit: to,
                    amount: amount,
                    code: "manual",
                    funding: .availableDespiteFreeze
                )
                commands.append(.transfer(transfer))
                (left, owed) = (left - amount, owed - amount)
                guard owed == 0 else { continue }
                credits.removeFirst()
                owed = credits.first?.amount.minorUnits ?? 0
            }
        }
        return commands
    }

    private static let side = JSONSchema.object(
        [
            .required("account", .text(1...100), "Its kind: `provider_clearing:stripe`, `checking`."),
            .optional("owner", .id(of: User.self), "The customer; the house unless given."),
            .required("amount", .positiveAmount),
        ],
        named: "PostingSide"
    )

    static let schema = JSONSchema.object(
        [
            .required("domain", .oneOf(domains)), .required("asset", .asset),
            .required("debit", .array(of: side, count: 1...accountsMax), "What has less afterwards."),
            .required("credit", .array(of: side, count: 1...accountsMax), "What has more afterwards."),
            .optional("case", .id(of: ComplianceCase.self), "The customer's case, where a customer is concerned."),
        ],
        named: "ManualPosting"
    )
}
