import ArgumentParser
import DomainKit
import Kernel
import Ledger
import PostgreSQL

extension LedgerTools {
    struct TrialBalances: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trial-balance",
            abstract: "Show the sums per asset; each adds up to zero.",
            discussion: "Exits with 1 when one doesn't."
        )
        @Option(help: "Only of this domain.") var domain: String?
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let program = try await Console.program()
            var isBalanced = true
            var lines: [(domain: String, asset: Asset, cells: [String])] = []
            for runtime in try program.runtimes(named: domain) {
                for line in try await runtime.history.trialBalance() {
                    guard let asset = Asset(code: line.asset) else { throw LedgerFault.unknownAsset(line.asset) }
                    let cells = [line.credit, line.debit, line.sum, line.reserved].map {
                        Money(minorUnits: $0, asset).wire
                    }
                    isBalanced = isBalanced && line.sum == 0
                    lines.append((runtime.schema.name, asset, cells))
                }
            }
            let head = ["credit", "debit", "sum", "reserved"]
            if json {
                for line in lines {
                    let place = [("domain", line.domain), ("asset", line.asset.code)]
                    Console.print(.object((place + zip(head, line.cells)).map { .init($0.0, .string($0.1)) }))
                }
            } else {
                Console.table(
                    (["domain", "asset"] + head).map { $0.uppercased() },
                    lines.map { [$0.domain, $0.asset.code] + $0.cells }
                )
            }
            if !isBalanced { throw ExitCode(1) }
        }
    }

    struct Accounts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts, or show one.")
        @Argument(help: "An account's id, acct_…; all unless given.") var account: String?
        @Option(help: "Only of this owner: a user's id, usr_…, or house.") var owner: String?
        @Option(help: "The domain.") var domain = "banking"
        @Option(help: "Only accounts after this one, acct_…") var after: String?
        @Option(help: "How many at most.") var limit = 100
        @Flag(help: "Print JSON, a line each.") var json = false

        func validate() throws {
            guard (1...AccountDirectory.listMax).contains(limit) else {
                throw ValidationError("--limit must be 1 to \(AccountDirectory.listMax).")
            }
        }

        func run() async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: domain)[0]
            let directory = AccountDirectory(schema: runtime.schema, pool: runtime.pool)
            let found: [AccountDirectory.Found]
            if let account {
                found = [try await directory.find(try LedgerTools.account(account))]
            } else {
                found = try await directory.list(
                    of: try owner.map(LedgerTools.owner),
                    after: try after.map(LedgerTools.account),
                    limit: limit
                )
            }
            if json {
                for account in found { Console.print(account.json) }
                return
            }
            Console.table(
                ["ACCOUNT", "OWNER", "KIND", "ASSET", "TOTAL", "RESERVED", "FROZEN"],
                found.map {
                    [
                        $0.id.wire, $0.ownerText, $0.kind, $0.posted.asset.code, $0.posted.wire, $0.reserved.wire,
                        $0.frozenBecause ?? "",
                    ]
                }
            )
        }
    }

    struct TransferCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "transfer",
            abstract: "Show a transfer: both accounts, before and after."
        )
        @Argument(help: "Its id, tfr_…") var transfer: String
        @Option(help: "The domain.") var domain = "banking"
        @Flag(help: "Print JSON, a line for each of the two entries.") var json = false

        func run() async throws {
            guard let id = ID<Transfer>(wire: transfer) else {
                throw ValidationError("\(transfer) is no transfer's id.")
            }
            let program = try await Console.program()
            let runtime = try program.runtimes(named: domain)[0]
            let entries = try await runtime.history.entries(of: [id])
            guard let first = entries.first else {
                throw Problem(404, "not_found", "There is no transfer \(transfer).")
            }
            let directory = AccountDirectory(schema: runtime.schema, pool: runtime.pool)
            LedgerTools.show(entries, try await directory.find(first.account).posted.asset, json: json)
        }
    }

    static func account(_ text: String) throws -> ID<LedgerAccount> {
        guard let id = ID<LedgerAccount>(wire: text) else { throw ValidationError("\(text) is no account's id.") }
        return id
    }

    static func owner(_ text: String) throws -> UInt128 {
        if text == "house" { return AccountKey.house }
        guard let id = ID<User>(wire: text) else { throw ValidationError("\(text) is no user's id, nor house.") }
        return id.value
    }

    /// Prints entries that are all of one asset.
    static func show(_ entries: [LedgerEntry], _ asset: Asset, json: Bool) {
        func money(_ minorUnits: Int128) -> String { Money(minorUnits: minorUnits, asset).wire }
        if json {
            for entry in entries { Console.print(entry.json(asset)) }
            return
        }
        Console.table(
            ["AT", "TRANSFER", "CODE", "ACCOUNT", "VERSION", "BEFORE", "AMOUNT", "AFTER"],
            entries.map {
                [
                    $0.recordedAt.description, $0.transfer.wire, $0.code, $0.account.wire, String($0.version),
                    money($0.balanceBefore), money($0.amount), money($0.balanceAfter),
                ]
            }
        )
    }
}

extension AccountDirectory.Found {
    /// The customer's id on the wire, or `house`.
    var ownerText: String { owner == AccountKey.house ? "house" : ID<User>(owner).wire }

    /// The account for programs.
    var json: JSON {
        [
            "id": .string(id.wire), "owner": .string(ownerText), "kind": .string(kind),
            "asset": .string(posted.asset.code), "total": .string(posted.wire), "reserved": .string(reserved.wire),
            "entries": .integer(version), "frozen_because": frozenBecause.map { .string($0) } ?? .null,
        ]
    }
}

extension LedgerEntry {
    /// The entry for programs, its amounts in the asset's units.
    func json(_ asset: Asset) -> JSON {
        func money(_ minorUnits: Int128) -> JSON { .string(Money(minorUnits: minorUnits, asset).wire) }
        return [
            "account": .string(account.wire), "version": .integer(version), "asset": .string(asset.code),
            "before": money(balanceBefore), "amount": money(amount), "after": money(balanceAfter),
            "transfer": .string(transfer.wire), "operation": .string(operation.wire), "code": .string(code),
            "other_account": .string(otherAccount.wire),
            "reservation": reservation.map { .string($0.wire) } ?? .null,
            "recorded_at": .string(recordedAt.description),
        ]
    }
}
