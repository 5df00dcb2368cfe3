import ArgumentParser
import Banking
import Kernel
import Ledger

/// `diboas banking limits`: the most that an account may do.
struct BankingLimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Show the limits of an account, and give it limits of its own.",
        subcommands: [Show.self, Set.self, Clear.self]
    )

    struct Subject: ParsableArguments {
        @Argument(help: "The user's id, usr_…") var user: String
        @Argument(help: "The asset: USD.") var asset: String
        @Argument(help: "deposit, withdrawal, payment or transfer.") var operation: String
        @Option(help: "The account: checking or savings.") var account = "checking"

        func found() throws -> (subject: BankingOperations.LimitSubject, asset: Asset) {
            guard let user = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
            guard let asset = Asset(code: asset) else { throw ValidationError("There is no asset \(asset).") }
            let subject = BankingOperations.LimitSubject(
                user: user,
                account: account,
                operation: operation,
                asset: asset
            )
            guard let subject else { throw ValidationError("There is no \(operation) of an account \(account).") }
            return (subject, asset)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show limits and what is used of them.")
        @Argument(help: "The user's id, usr_…") var user: String
        @Option(help: "The account: checking or savings.") var account = "checking"
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            guard let id = ID<User>(wire: user) else { throw ValidationError("\(user) is no user's id.") }
            let operations = try await Console.program().banking()
            Console.show(
                try await operations.limits(of: id, account: account),
                [
                    "operation", "asset", "per_transaction", "per_day", "per_month", "used_today", "used_this_month",
                    "is_own",
                ],
                asJSON: json
            )
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account limits of its own, wider or narrower than the usual ones."
        )
        @OptionGroup var subject: Subject
        @Option(help: "The most at once.") var perTransaction: String
        @Option(help: "The most of a calendar day in UTC.") var perDay: String
        @Option(help: "The most of a calendar month in UTC.") var perMonth: String
        @Option(help: "Why.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let (subject, asset) = try subject.found()
            func units(_ text: String) throws -> Int128 {
                do { return try Money(wire: text, asset).minorUnits } catch {
                    throw ValidationError("\(text) is no amount: \(error).")
                }
            }
            let limits = AccountLimits(
                perTransaction: try units(perTransaction),
                perDay: try units(perDay),
                perMonth: try units(perMonth)
            )
            guard let limits else {
                throw ValidationError(
                    "Limits are above zero; a day's isn't less than one transaction's, nor a month's "
                        + "than a day's."
                )
            }
            let operations = try await Console.program().banking()
            try await operations.setLimits(limits, of: subject, because: reason, by: operations.console(by))
            print("From now on: \(perTransaction) at once, \(perDay) a day, \(perMonth) a month.")
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an account the usual limits again.")
        @OptionGroup var subject: Subject
        @Option(help: "Why.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let operations = try await Console.program().banking()
            let subject = try subject.found().subject
            try await operations.setLimits(nil, of: subject, because: reason, by: operations.console(by))
            print("The usual limits hold again.")
        }
    }
}
