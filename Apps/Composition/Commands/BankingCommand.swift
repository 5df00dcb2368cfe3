import ArgumentParser
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// `diboas banking`: what operators do with customers' money.
struct BankingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "banking",
        abstract: "Freeze money, set limits, work on review cases and on provider calls that were given up.",
        subcommands: [
            Freeze.self, Unfreeze.self, BankingLimitsCommand.self, BankingCallsCommand.self, BankingCasesCommand.self,
        ]
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
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: "banking")[0]
            let (account, asset) = try await subject.find(runtime)
            guard let amount else {
                try await BankingCommand.apply(
                    .freeze(account, because: reason),
                    runtime,
                    program,
                    asset,
                    reason,
                    acting.actor
                )
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
            try await BankingCommand.apply(.reserve(hold), runtime, program, asset, reason, acting.actor)
            print("\(money) is held by \(hold.id.wire).")
        }
    }

    struct Unfreeze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let outgoing money of an account go again.")
        @OptionGroup var subject: Subject
        @Option(help: "Why; kept in the audit log.") var reason: String
        @OptionGroup var acting: OperatorOptions

        func run() async throws {
            let program = try await Console.program()
            let runtime = try program.runtimes(named: "banking")[0]
            let (account, asset) = try await subject.find(runtime)
            try await BankingCommand.apply(
                .freeze(account, because: nil),
                runtime,
                program,
                asset,
                reason,
                acting.actor
            )
            print("Outgoing money may go.")
        }
    }

    /// Has the ledger do one thing for an operator, with audit entry and event.
    private static func apply(
        _ command: LedgerCommand,
        _ runtime: DomainRuntime,
        _ program: Program,
        _ asset: Asset,
        _ reason: String,
        _ actor: String
    ) async throws {
        let done = Intervention(
            "account.\(command.word)",
            "ledger_account",
            command.account,
            because: reason,
            commands: [command]
        )
        let initiator = Initiator(system: actor, correlation: program.ids.next(Intervention.self).value)
        try await done.apply(to: runtime, by: initiator, ids: program.ids, in: asset)
    }
}

extension LedgerCommand {
    /// The account of a freeze or hold.
    fileprivate var account: ID<LedgerAccount> {
        switch self {
        case .freeze(let account, _, _): account
        case .reserve(let new): new.account
        default: preconditionFailure("no command of an operator")
        }
    }

    fileprivate var word: String {
        switch self {
        case .freeze(_, let because, _): because == nil ? "unfrozen" : "frozen"
        default: "held"
        }
    }
}
