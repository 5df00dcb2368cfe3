import Glibc
import Kernel
import Synchronization
import WalletCrypto

/// A chain that nobody runs contracts on: blocks are made as they are needed, and calls are answered by arithmetic, so
/// that what is measured beside it is the program's and PostgreSQL's.
///
/// It has a token and a vault (ERC-4626), and the state of its newest block alone.
final class SyntheticChain: Sendable {
    /// How often each method was called, in how many requests, and how long that took here.
    struct Statistics: Sendable {
        var calls: [String: Int] = [:]
        var requests = 0
        var busy = Duration.zero

        /// What came since.
        static func - (later: Statistics, earlier: Statistics) -> Statistics {
            Statistics(
                calls: later.calls.merging(earlier.calls) { $0 - $1 },
                requests: later.requests - earlier.requests,
                busy: later.busy - earlier.busy
            )
        }
    }

    struct State: Sendable {
        var newest: SyntheticBlock
        /// The hashes of all, by number.
        var hashes: [Int: String]
        /// Wei and tokens by account, where it isn't what each has at first.
        var coins: [UInt64: UInt64] = [:]
        var tokens: [UInt64: UInt64] = [:]
        /// Accounts below it have a position.
        var positions: UInt64 = 0
        /// What 10^9 shares are worth.
        var sharePrice: UInt64 = 1_000_000_000
        /// How long each request waits before its answer, as on a network.
        var latencyMicroseconds: UInt32 = 0
        var statistics = Statistics()
    }

    static let chain = "eip155:1"
    static let coinsAtFirst: UInt64 = 1_000_000_000_000_000_000
    static let tokensAtFirst: UInt64 = 10_000_000_000
    /// Shares of each position; what went in, too.
    static let shares: UInt64 = 3_000_000_000
    private static let firstNumber = 20_000_000
    private static let secondsBetween: Int64 = 12

    private let state: Mutex<State>
    private let firstSeconds: Int64

    init() {
        firstSeconds = SystemClock().now().seconds
        let parent = "0x" + Text.word(0)
        let first = SyntheticBlock(number: Self.firstNumber, parent: parent, timestamp: firstSeconds, .none)
        state = Mutex(State(newest: first, hashes: [first.number: first.hash]))
    }

    /// What the deployment file says of it.
    static var deployment: JSON {
        [
            "chain": .string(chain), "tokens": ["USDC": .string(Account.token.description)],
            "protocols": [
                [
                    "id": "vault-usdc", "protocol": "erc-4626", "asset": "USDC",
                    "contract": .string(Account.vault.description), "receipt": .string(Account.vault.description),
                ]
            ],
        ]
    }

    var statistics: Statistics { state.withLock { $0.statistics } }
    var head: Int { state.withLock { $0.newest.number } }

    /// Gives each account below a place a position in the vault.
    func open(positions count: Int) { state.withLock { $0.positions = UInt64(count) } }

    func wait(microseconds: UInt32) { state.withLock { $0.latencyMicroseconds = microseconds } }

    /// Adds a block, after which 10^9 shares are worth so much.
    ///
    /// - Returns: when it was there.
    @discardableResult
    func mine(_ traffic: Traffic = .none, sharePrice: UInt64? = nil) -> ContinuousClock.Instant {
        let parent = state.withLock { $0.newest }
        let timestamp = firstSeconds + Int64(parent.number + 1 - Self.firstNumber) * Self.secondsBetween
        let block = SyntheticBlock(number: parent.number + 1, parent: parent.hash, timestamp: timestamp, traffic)
        return state.withLock { state in
            for payment in traffic.payments { Self.move(payment, &state.coins, Self.coinsAtFirst) }
            for transfer in traffic.calls.flatMap(\.transfers) {
                Self.move(transfer, &state.tokens, Self.tokensAtFirst)
            }
            if let sharePrice { state.sharePrice = sharePrice }
            state.newest = block
            state.hashes[block.number] = block.hash
            return ContinuousClock.now
        }
    }

    private static func move(_ payment: Traffic.Payment, _ all: inout [UInt64: UInt64], _ atFirst: UInt64) {
        all[payment.from, default: atFirst] -= payment.wei
        all[payment.to, default: atFirst] += payment.wei
    }

    /// The answer to a request, of one call or of many.
    @Sendable func answer(_ body: [UInt8]) -> [UInt8] {
        let start = ContinuousClock.now
        guard let request = try? JSON.parse(body, limits: JSON.Limits(bytesMax: body.count)) else {
            return Array(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}"#.utf8)
        }
        let (text, latency) = state.withLock { state -> (String, UInt32) in
            state.statistics.requests += 1
            let text =
                request.elements.map { "[" + $0.map { Self.answer($0, &state) }.joined(separator: ",") + "]" }
                ?? Self.answer(request, &state)
            state.statistics.busy += ContinuousClock.now - start
            return (text, state.latencyMicroseconds)
        }
        if latency > 0 { usleep(latency) }
        return Array(text.utf8)
    }

    private static func answer(_ call: JSON, _ state: inout State) -> String {
        let (id, method) = (call["id"]?.integerValue ?? 0, call["method"]?.stringValue ?? "")
        let parameters = call["params"]?.elements ?? []
        let isFull = method == "eth_getBlockByNumber" && parameters.last?.boolValue == true
        state.statistics.calls[isFull ? method + " in full" : method, default: 0] += 1
        guard let result = state.result(of: method, parameters) else {
            return #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32601,"message":"not here: \#(method)"}}"#
        }
        return #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#
    }
}
