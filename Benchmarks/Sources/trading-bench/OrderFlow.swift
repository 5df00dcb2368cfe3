import Kernel
import Measuring
import Synchronization

/// What callers do with orders.
final class OrderFlow: Sendable {
    /// Which orders they place.
    enum Kind: Sendable {
        /// Orders that nobody meets.
        case resting
        /// A sale, then a purchase of the same at the same price: each order trades.
        case trading
        /// Six of ten rest, three are cancels of one's own, and one takes what is there.
        case mixed
    }

    private static let middle: Int64 = 60_000
    private static let runs = Atomic(0)

    private let crowd: Crowd
    private let kind: Kind
    private let run = OrderFlow.runs.add(1, ordering: .relaxed).newValue
    private let number = Atomic(0)
    /// Orders of each user that may still be open.
    private let open: Mutex<[[String]]>

    init(_ crowd: Crowd, _ kind: Kind) {
        (self.crowd, self.kind) = (crowd, kind)
        open = Mutex(Array(repeating: [], count: crowd.users.count))
    }

    /// One call: it does one thing with one order.
    func call(_ random: inout SplitMix) async throws -> Int {
        let number = number.add(1, ordering: .relaxed).newValue
        switch kind {
        case .resting: try await rest(number, &random)
        case .trading:
            let price = OrderFlow.middle + Int64(number / 2 % 16)
            try await place(number, number % 2 == 0 ? "sell" : "buy", "0.0010", at: price)
        case .mixed:
            let user = number % crowd.users.count
            switch Int.random(in: 0..<10, using: &random) {
            case 0: try await take(number, &random)
            case 1...3: try await cancel(user, number, &random)
            default: try await rest(number, &random)
            }
        }
        return 1
    }

    private func rest(_ number: Int, _ random: inout SplitMix) async throws {
        let distance = Int64.random(in: 1...400, using: &random)
        let isBuy = Bool.random(using: &random)
        let price = OrderFlow.middle + (isBuy ? -distance : distance)
        let id = try await place(number, isBuy ? "buy" : "sell", "0.0010", at: price)
        guard kind == .mixed else { return }
        open.withLock { $0[number % crowd.users.count].append(id) }
    }

    private func take(_ number: Int, _ random: inout SplitMix) async throws {
        let side = Bool.random(using: &random) ? "buy" : "sell"
        let body: JSON = [
            "symbol": .string(Venue.symbol), "side": .string(side), "type": "market", "quantity": "0.0015",
            "time_in_force": "ioc", "self_trade_prevention": "none",
        ]
        // With nobody on the other side it is refused, at the start of a run.
        _ = await crowd.venue.respond("POST", "/v1/investing/orders", as: user(number), body, key: key(number))
    }

    private func cancel(_ user: Int, _ number: Int, _ random: inout SplitMix) async throws {
        let picked = open.withLock { all in
            all[user].isEmpty ? nil : all[user].remove(at: Int.random(in: all[user].indices, using: &random))
        }
        guard let picked else { return try await rest(number, &random) }
        // One that has traded meanwhile is refused.
        _ = await crowd.venue.respond("DELETE", "/v1/investing/orders/\(picked)", as: crowd.users[user])
    }

    @discardableResult
    private func place(_ number: Int, _ side: String, _ quantity: String, at price: Int64) async throws -> String {
        let body: JSON = [
            "symbol": .string(Venue.symbol), "side": .string(side), "type": "limit", "quantity": .string(quantity),
            "limit_price": .string(String(price)), "self_trade_prevention": "none",
        ]
        let order = try await crowd.venue.ask(
            "POST",
            "/v1/investing/orders",
            as: user(number),
            body,
            key: key(number),
            expecting: 201
        )
        return order["id"]?.stringValue ?? ""
    }

    private func user(_ number: Int) -> ID<User> { crowd.users[number % crowd.users.count] }
    private func key(_ number: Int) -> String { "bench-\(run)-\(number)" }
}
