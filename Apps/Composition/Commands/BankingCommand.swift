import ArgumentParser
import Audit
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// `diboas banking`: what operators do with customers' money.
struct BankingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "banking",
        abstract: "Freeze money and accounts, and work on review cases.",
        subcommands: [Freeze.self, Unfreeze.self, Cases.self, CloseCase.self]
    )

    struct Subject: ParsableArguments {
        @Argument(help: "The user's id, usr_…") var user: String
        @Argument(help: "The asset: USD.") var asset: String
        @Option(help: "The account: checking or savings.") var account = "checking"

        /// The ledger account, which must exist.
        func find(_ runtime: DomainRuntime) async throws -> (id: ID<LedgerAccount>, asset: Asset) {
            guard let user = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
            guard let asset = Asset(code: asset) else { throw ValidationError("There is no asset \(asset).") }
            let key = AccountKey(user, account, asset)
            guard let id = try await runtime.accounts.find([key])[key] else {
                throw ValidationError("This user has no \(account) account in \(asset.code).")
            }
            return (id, asset)
        }
    }

    struct Freeze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop all outgoing money of an account, or hold an amount of it, until it is released.",
            discussion: "An amount becomes a reservation without expiry; `diboas reservations release` ends it."
        )
        @OptionGroup var subject: Subject
        @Option(help: "Hold this amount only; everything unless given.") var amount: String?
        @Option(help: "Why; shown to operators and kept.") var reason: String

        func run() async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: "banking")[0]
            let (account, asset) = try await subject.find(runtime)
            guard let amount else {
                try await BankingCommand.apply(.freeze(account, because: reason), runtime, program, asset, reason)
                print("Outgoing money is stopped.")
                return
            }
            let money: Money
            do { money = try Money(wire: amount, asset) } catch {
                throw ValidationError("\(amount) is no amount: \(error).")
            }
            let hold = NewReservation(
                id: program.ids.next(),
                account: account,
                amount: money.minorUnits,
                kind: "manual_freeze",
                lifetime: .unlimited,
                reason: reason
            )
            try await BankingCommand.apply(.reserve(hold), runtime, program, asset, reason)
            print("\(money) is held by \(hold.id.wire).")
        }
    }

    struct Unfreeze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let outgoing money of an account go again.")
        @OptionGroup var subject: Subject
        @Option(help: "Why; kept in the audit log.") var reason: String

        func run() async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: "banking")[0]
            let (account, asset) = try await subject.find(runtime)
            try await BankingCommand.apply(.freeze(account, because: nil), runtime, program, asset, reason)
            print("Outgoing money may go.")
        }
    }

    struct Cases: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List open review cases, the oldest first.")

        func run() async throws {
            let runtime = try (try await Console.program()).runtimes(named: "banking")[0]
            let rows = try await runtime.pool.query(
                """
                select id, transaction, kind, opened_at from banking.review_cases where closed_at is null
                order by opened_at limit 500
                """
            )
            Console.table(
                ["CASE", "KIND", "TRANSACTION", "OPENED"],
                try rows.map {
                    let (id, transaction): (UInt128, UInt128) = (try $0["id"], try $0["transaction"])
                    let opened: Timestamp = try $0["opened_at"]
                    return [
                        ID<User>(id).description, try $0["kind"], ID<User>(transaction).description, opened.description,
                    ]
                }
            )
        }
    }

    struct CloseCase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close a review case.")
        @Argument(help: "Its id.") var id: String
        @Option(help: "Who closes it.") var by: String
        @Option(help: "What was found and done.") var note: String

        func run() async throws {
            guard let id = ID<User>(uuid: id) else { throw ValidationError("\(id) is no case's id.") }
            let runtime = try (try await Console.program()).runtimes(named: "banking")[0]
            let closed = try await runtime.pool.query(
                """
                update banking.review_cases set closed_at = clock_timestamp(), closed_by = \(by), note = \(note)
                where id = \(id) and closed_at is null
                """
            )
            guard closed.affected == 1 else { throw ValidationError("There is no open case \(id).") }
            print("Closed.")
        }
    }

    /// Has the ledger do one thing for an operator, with its entry in the audit log.
    private static func apply(
        _ command: LedgerCommand,
        _ runtime: DomainRuntime,
        _ program: Program,
        _ asset: Asset,
        _ reason: String
    ) async throws {
        let (audit, operation): (ID<AuditEntry>, ID<Operation>) = (program.ids.next(), program.ids.next())
        let item = LedgerItem(operation: operation, commands: [command]) { decision, _ in
            guard case .success = decision else { return LedgerItem.Finish() }
            let entry = AuditEntry(
                id: audit,
                actor: "operator:console",
                action: "ledger.\(command.word)",
                entity: "ledger_account",
                entityID: command.account.value,
                after: ["reason": .string(reason)]
            )
            return LedgerItem.Finish(rows: [entry])
        }
        guard case .refused(let refusal, _) = try await runtime.ledger.submit(batch: [item])[0] else { return }
        throw refusal.problem(in: asset)
    }
}

extension LedgerCommand {
    /// The account of a freeze or hold.
    fileprivate var account: ID<LedgerAccount> {
        switch self {
        case .freeze(let account, _): account
        case .reserve(let new): new.account
        default: preconditionFailure("no command of an operator")
        }
    }

    fileprivate var word: String {
        switch self {
        case .freeze(_, let because): because == nil ? "unfrozen" : "frozen"
        default: "held"
        }
    }
}
