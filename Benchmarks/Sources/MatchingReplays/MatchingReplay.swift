public import ArgumentParser
import MatchingEngine

/// Replays files of operations on the matching engine, and makes such files.
public struct MatchingReplay: ParsableCommand {
    /// Its name and what it can do.
    public static let configuration = CommandConfiguration(
        commandName: "matching-replay",
        abstract: "Replay a file of operations on the matching engine, or make one.",
        subcommands: [Replay.self, Generate.self, Memory.self],
        defaultSubcommand: Replay.self
    )

    /// The command without a word of its own; `main()` is where a program starts.
    public init() {}
}

/// The name of a mode as files and options have it.
struct ModeName: ExpressibleByArgument {
    static let names: [String: SelfTradePrevention] = [
        "none": .none, "expire_taker": .expireTaker, "expire_maker": .expireMaker, "expire_both": .expireBoth,
        "decrement": .decrement,
    ]

    let mode: SelfTradePrevention

    init?(argument: String) {
        guard let mode = ModeName.names[argument] else { return nil }
        self.mode = mode
    }

    static var allValueStrings: [String] { names.keys.sorted() }
}

/// Replays a file.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replay a file and print how fast it went.",
        discussion: """
            Throughput and latencies come from rounds of their own; the rounds of the engines alternate. Latencies are \
            less what an interval takes in which nothing is done. docs/matching-semantics.md says what each operation \
            does.
            """
    )

    @Argument(help: "The file.")
    var file: String

    @Option(help: "Where to write the trades as CSV: op_index,symbol,taker_id,maker_id,price,quantity.")
    var trades: String?

    @Option(help: "How often each engine replays the file for throughput.")
    var rounds = 3

    @Option(help: "Self-trade prevention for every operation: \(ModeName.allValueStrings.joined(separator: ", ")).")
    var stp: ModeName?

    @Flag(help: "Measure a plain book of objects and dictionaries beside the engine.")
    var baseline = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is from 1 to 1000.") }
    }

    func run() throws {
        for line in try lines() { print(line) }
    }

    /// Replays the file; what is to be said of it, an engine a line.
    func lines() throws -> [String] {
        var workload = try Workload(path: file)
        if let stp {
            for index in workload.operations.indices { workload.operations[index].force(stp.mode) }
        }
        if let trades { try TradeList.write(workload, to: trades) }
        var (bare, full, plain) = (Measurement(), Measurement(), Measurement())
        for _ in 0..<rounds {
            bare.addRate(of: BareEngine.self, workload)
            full.addRate(of: FullEngine.self, workload)
            if baseline { plain.addRate(of: PlainEngine.self, workload) }
        }
        bare.addLatencies(of: BareEngine.self, workload)
        full.addLatencies(of: FullEngine.self, workload)
        let lines = [bare.line(BareEngine.name, workload), full.line(FullEngine.name, workload)]
        guard baseline else { return lines }
        plain.addLatencies(of: PlainEngine.self, workload)
        return lines + [plain.line(PlainEngine.name, workload)]
    }
}

/// Makes a file.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a file of operations; the same seed makes the same."
    )

    @Argument(help: "The file.")
    var file: String

    @Option(help: "How many operations.")
    var operations = 5_000_000

    @Option(help: "How many symbols.")
    var symbols = 1

    @Option(help: "The seed.")
    var seed: UInt64 = 1

    @Option(help: "Live orders of a symbol, about; 10,000 for one symbol and 1,500 for several unless given.")
    var live: Int?

    @Option(help: "How many ticks from the middle orders rest at most.")
    var spread = 64

    func validate() throws {
        guard (1...Int(Workload.operationsMax)).contains(operations) else {
            throw ValidationError("--operations is from 1 to \(Workload.operationsMax).")
        }
        guard (1...Workload.symbolsMax).contains(symbols) else {
            throw ValidationError("--symbols is from 1 to \(Workload.symbolsMax).")
        }
        guard (1...10_000_000).contains(live ?? 1) else { throw ValidationError("--live is from 1 to 10,000,000.") }
        guard (1...1_000_000_000).contains(spread) else {
            throw ValidationError("--spread is from 1 to 1,000,000,000.")
        }
    }

    func run() throws {
        let live = live ?? (symbols == 1 ? 10_000 : 1500)
        var generator = Generator(symbols: symbols, live: live, spread: spread, seed: seed)
        try generator.make(operations).write(to: file)
    }
}
