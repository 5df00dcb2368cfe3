import ArgumentParser
import Investing
import Kernel

/// `diboas investing risk`: the rules that orders are held against, kill switches, and what was found.
struct InvestingRiskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "risk",
        abstract: "Set and end rules, stop and allow trading, work on findings.",
        subcommands: [Rules.self, Set.self, End.self, Kill.self, Revive.self, Findings.self, Resolve.self],
        defaultSubcommand: Rules.self
    )

    struct Scope: ParsableArguments {
        @Option(help: "Only for that account, tacc_…; all unless given.") var account: String?
        @Option(help: "Only in that market; all unless given.") var market: String?
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func members(_ more: [JSON.Member] = []) -> JSON {
            let texts = [("account", account), ("symbol", market), ("reason", reason)]
            return .object(more + texts.compactMap { name, text in text.map { JSON.Member(name, .string($0)) } })
        }
    }

    struct Rules: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the rules in force.")
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            Console.show(
                try await Console.program().investing().rules(),
                ["id", "type", "parameters", "account", "market", "name", "reason"],
                asJSON: json
            )
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a rule into force.",
            discussion: """
                An account's own rule of a type replaces the general ones. Types and parameters:
                  order_quantity  {"asset": "BTC", "max": "5"}        order_rate    {"max": 100, "seconds": 10}
                  order_notional  {"asset": "USDC", "max": "50000"}   price_collar  {"basis_points": 500}
                  position        {"asset": "BTC", "max": "20"}       open_orders   {"max": 200}
                  daily_loss      {"asset": "USDC", "max": "1000"}
                """
        )
        @Argument(help: "Its type.") var type: String
        @Argument(help: "Its parameters, as JSON.") var parameters: String
        @Option(help: "What it is called in refusals; its type unless given.") var name: String?
        @OptionGroup var scope: Scope

        func run() async throws {
            guard let parameters = try? JSON.parse(Array(parameters.utf8)) else {
                throw ValidationError("\(parameters) is no JSON.")
            }
            let rule = scope.members([
                JSON.Member("type", .string(type)), JSON.Member("name", .string(name ?? type)),
                JSON.Member("parameters", parameters),
            ])
            let set = try await Console.program().investing().setRule(rule, by: scope.by)
            print("\(set["id"]?.stringValue ?? "The rule") is in force.")
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a rule.")
        @Argument(help: "Its id, rule_…") var id: String
        @Option(help: "Why; kept in the audit log.") var reason: String
        @Option(help: "Who decides it.") var by = OperatorOptions.systemUser

        func run() async throws {
            let rule: JSON = ["rule": .string(id), "reason": .string(reason)]
            _ = try await Console.program().investing().endRules(rule, by: by)
            print("\(id) is no longer in force.")
        }
    }

    struct Kill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take no orders of an account, in a market, or at all; cancels still pass."
        )
        @OptionGroup var scope: Scope

        func run() async throws {
            let rule = scope.members([
                JSON.Member("type", "kill_switch"), JSON.Member("name", "kill switch"), JSON.Member("parameters", [:]),
            ])
            _ = try await Console.program().investing().setRule(rule, by: scope.by)
            print("No orders are taken \(scope.account ?? scope.market ?? "at all").")
        }
    }

    struct Revive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the kill switch of an account, a market, or all."
        )
        @OptionGroup var scope: Scope

        func run() async throws {
            _ = try await Console.program().investing().endRules(scope.members(), by: scope.by)
            print("Orders are taken again.")
        }
    }

    struct Findings: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List open findings, the newest first.")
        @Flag(help: "Resolved ones, too.") var all = false
        @Option(help: "How many at most.") var limit = 50
        @Flag(help: "Print JSON, a line each.") var json = false

        func run() async throws {
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more.") }
            Console.show(
                try await Console.program().investing().findings(includingResolved: all, limit: limit),
                ["id", "level", "type", "account", "created_at", "status", "details"],
                asJSON: json
            )
        }
    }

    struct Resolve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Resolve a finding.")
        @Argument(help: "Its id, risk_…") var id: String
        @Option(help: "What was found out.") var reason: String
        @Option(help: "Who resolves it.") var by = OperatorOptions.systemUser

        func run() async throws {
            try await Console.program().investing().resolve(id, because: reason, by: by)
            print("Resolved.")
        }
    }
}
