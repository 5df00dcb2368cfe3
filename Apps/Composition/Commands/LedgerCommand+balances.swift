import ArgumentParser
import DomainKit
import Kernel
import Ledger

extension LedgerTools {
    struct BalanceCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "balance",
            abstract: "Show a user's balances, or what was on an account at an instant."
        )
        @Argument(help: "A user's id, usr_…, or an account's, acct_…") var id: String
        @Option(help: "An instant, 2026-11-20T12:00:00Z, for an account; now unless given.") var asOf: String?
        @Option(help: "The domain.") var domain = "banking"
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            let instant = try asOf.map { text in
                guard let instant = Timestamp(text) else { throw ValidationError("\(text) is no instant in UTC.") }
                return instant
            }
            if let account = ID<LedgerAccount>(wire: id) { return try await show(account, at: instant) }
            guard let user = ID<User>(wire: id) else {
                throw ValidationError("\(id) is neither a user's id nor an account's.")
            }
            guard instant == nil else { throw ValidationError("--as-of needs an account's id, acct_…") }
            let runtime = try await Console.program().runtimes(named: domain)[0]
            let balances = try await runtime.accounts.balances(of: user.value)
            if json {
                for balance in balances { Console.print(balance.json) }
                return
            }
            Console.table(
                ["ACCOUNT", "KIND", "ASSET", "AVAILABLE", "RESERVED", "TOTAL"],
                balances.map {
                    [
                        $0.account.wire, $0.kind, $0.total.asset.code, $0.available.wire, $0.reserved.wire,
                        $0.total.wire,
                    ]
                }
            )
        }

        private func show(_ id: ID<LedgerAccount>, at instant: Timestamp?) async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: domain)[0]
            let account = try await AccountDirectory(schema: runtime.schema, pool: runtime.pool).find(id)
            var total = account.posted
            if let instant {
                let posted = try await runtime.history.posted(on: id, asOf: instant)
                total = Money(minorUnits: posted, account.posted.asset)
            }
            guard json else { return print(total) }
            Console.print([
                "account": .string(id.wire), "asset": .string(total.asset.code), "total": .string(total.wire),
                "as_of": .string((instant ?? program.clock.now()).description),
            ])
        }
    }

    struct Statement: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an account's entries, the newest first."
        )
        @Argument(help: "The account's id, acct_…") var account: String
        @Option(help: "The domain.") var domain = "banking"
        @Option(help: "Only entries before this version: the last one of the page before.") var before: Int64?
        @Option(help: "How many at most.") var limit = 20
        @Flag(help: "Print JSON, a line each.") var json = false

        func validate() throws {
            guard (1...LedgerHistory.pageMax).contains(limit) else {
                throw ValidationError("--limit must be 1 to \(LedgerHistory.pageMax).")
            }
        }

        func run() async throws {
            let id = try LedgerTools.account(account)
            let runtime = try await Console.program().runtimes(named: domain)[0]
            let found = try await AccountDirectory(schema: runtime.schema, pool: runtime.pool).find(id)
            let entries = try await runtime.history.entries(of: id, before: before ?? .max, limit: limit)
            LedgerTools.show(entries, found.posted.asset, json: json)
        }
    }
}

extension Balance {
    /// The balance for programs.
    fileprivate var json: JSON {
        [
            "account": .string(account.wire), "kind": .string(kind), "asset": .string(total.asset.code),
            "available": .string(available.wire), "reserved": .string(reserved.wire), "total": .string(total.wire),
            "frozen_because": frozenBecause.map { .string($0) } ?? .null,
        ]
    }
}
