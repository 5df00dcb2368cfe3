import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import Metrics

// What orders are held against before they reach a book. All of it is in memory.
extension DeskBatch {
    /// A refusal of an account by a rule is recorded once in so many microseconds.
    private static let recordEvery: Int64 = 3_600_000_000

    /// Holds an order against the rules of its account.
    ///
    /// `excluded` is an order that the new one replaces or shares its money with. Costs what the rules ask for: a limit
    /// on a position looks at the account's open orders. The rules of an account are those of its portfolios too, each
    /// of which is held against them by itself.
    ///
    /// A test isn't recorded.
    ///
    /// - Throws: 422 `account_restricted`, `account_closed`; `risk_…` with the rule, its limit and the value that
    ///   broke it.
    mutating func checkRisk(
        _ order: Order,
        of account: TradingAccount,
        base: ID<LedgerAccount>,
        _ floor: DeskState.Floor,
        without excluded: UInt64? = nil,
        isTest: Bool = false
    ) throws(Problem) {
        if let status = state.standings[account.ruled] ?? state.standings[account.id] {
            throw TradingAccount.refusal(status)
        }
        for rule in state.risk.rules(for: account.ruled, in: order.market) {
            guard let (limit, value, pointer) = breach(rule, order, base, floor, excluded) else { continue }
            if !isTest {
                Counter(label: "investing_risk_refusals_total", dimensions: [("rule", rule.type)]).increment()
            }
            if !isTest, state.risk.records(rule.id, order.account, at: now, every: DeskBatch.recordEvery) {
                recorded.append((rule.id, order.account))
                let details: JSON = [
                    "rule": .string(rule.name), "rule_type": .string(rule.type), "market": .string(floor.market.symbol),
                    "limit": .string(limit), "value": .string(value),
                ]
                let finding = RiskFinding(
                    type: "refused",
                    level: rule.level,
                    account: order.account,
                    rule: rule.id,
                    details: details
                )
                rows += RiskEventRow.rows(finding, ids)
            }
            throw Problem(
                422,
                "risk_\(rule.type)",
                "The rule \"\(rule.name)\" refuses the order. The limit is \(limit), the order has \(value).",
                faults: [
                    Problem.Fault(pointer, "risk_\(rule.type)", limit: limit, value: value, rule: rule.name)
                ]
            )
        }
    }

    /// A rule's limit, the value beyond it, and where in the order that is; nil if the rule is kept.
    private func breach(
        _ rule: RiskRule,
        _ order: Order,
        _ base: ID<LedgerAccount>,
        _ floor: DeskState.Floor,
        _ excluded: UInt64?
    ) -> (limit: String, value: String, pointer: String)? {
        let market = floor.market
        func money(_ asset: Asset, _ max: Int128, _ value: Int128, _ pointer: String) -> (String, String, String)? {
            guard value > max else { return nil }
            return ("\(Money(minorUnits: max, asset))", "\(Money(minorUnits: value, asset))", pointer)
        }
        switch rule.limit {
        case .killSwitch: return ("no orders at present", "an order", "")
        case .orderQuantity(let asset, let max):
            guard asset == market.base else { return nil }
            return money(asset, max, market.baseAmount(lots: lots(order, floor)), "/quantity")
        case .orderNotional(let asset, let max):
            guard asset == market.quote else { return nil }
            return money(asset, max, notional(order, floor), "/quantity")
        case .position(let asset, let max):
            guard asset == market.base, order.side == .buy else { return nil }
            return money(asset, max, position(order, base, floor, excluded), "/quantity")
        case .openOrders(let max):
            let mine = state.orders[order.account] ?? []
            let others = mine.count - (excluded.map { mine.contains($0) ? 1 : 0 } ?? 0)
            // Two legs of a pair are two orders; the first one is there already.
            let isPair = excluded.flatMap { state.live[$0]?.order.list } == order.list && order.list != nil
            let count = others + (isPair ? 2 : 1)
            return count > max ? (String(max), String(count), "") : nil
        case .orderRate(let max, let seconds):
            let count = state.risk.count(of: order.account, since: now - seconds * 1_000_000) + 1
            return count > max ? ("\(max) orders in \(seconds) s", String(count), "") : nil
        case .dailyLoss(let asset, let max):
            guard asset == market.quote else { return nil }
            return money(asset, max, lostToday(order.account, asset), "")
        case .priceCollar(let basisPoints): return collar(basisPoints, order, floor)
        }
    }

    private func collar(
        _ basisPoints: Int64,
        _ order: Order,
        _ floor: DeskState.Floor
    ) -> (limit: String, value: String, pointer: String)? {
        let status = floor.book.status
        guard let price = order.price, let last = status.lastPrice ?? status.referencePrice else { return nil }
        let room = Int128(last) * Int128(basisPoints) / 10_000
        let worst = order.side == .buy ? Int128(last) + room : Int128(last) - room
        guard order.side == .buy ? Int128(price) > worst : Int128(price) < worst else { return nil }
        let limit = Int64(clamping: max(0, worst))
        return (floor.market.wire(price: limit), floor.market.wire(price: price), "/limit_price")
    }

    /// Lots that an order may trade; one that is sized by an amount counts at the best price of the other side.
    private func lots(_ order: Order, _ floor: DeskState.Floor) -> Int64 {
        if let quantity = order.quantity { return quantity }
        let best = floor.book.depth(order.side == .buy ? .sell : .buy, limit: 1).first?.price
        guard let amount = order.quoteAmount, let best else { return 0 }
        return Int64(clamping: amount / (Int128(best) * floor.market.tickValue))
    }

    /// What an order is worth in minor units of the quote asset: at its limit, its bound or trigger, or by the book.
    private func notional(_ order: Order, _ floor: DeskState.Floor) -> Int128 {
        if let amount = order.quoteAmount { return amount }
        let quantity = order.quantity ?? 0
        if let price = order.price ?? order.bound ?? order.stopPrice {
            return floor.market.quoteAmount(price: price, lots: quantity)
        }
        return floor.market.quoteAmount(floor.book.marketCost(order.side, quantity: quantity, bound: nil).quote)
    }

    /// Minor units of the base asset: what is there, what open buys may bring, and the order.
    private func position(
        _ order: Order,
        _ base: ID<LedgerAccount>,
        _ floor: DeskState.Floor,
        _ excluded: UInt64?
    ) -> Int128 {
        var total = state.ledger.core.accounts[base]?.posted ?? 0
        for number in state.orders[order.account] ?? [] where number != excluded {
            guard let one = state.live[number], one.order.side == .buy, one.base == base,
                let market = state.floors[one.order.market]?.market
            else { continue }
            // Of a pair only one leg can trade in full.
            if let other = one.otherLeg, other < number { continue }
            total += market.baseAmount(lots: one.order.remaining)
        }
        let new = order.quantity == nil ? lots(order, floor) : order.remaining
        return total + floor.market.baseAmount(lots: new)
    }

    // MARK: The dead man's switch

    /// Has all orders of the account end in so many seconds unless it asks again; 0 takes that back.
    mutating func cancelAfter(_ seconds: Int, _ request: DeskRequest) -> APIResponse {
        let deadline = seconds == 0 ? nil : instant.adding(seconds: Int64(seconds))
        state.deadlines[request.account.id] = deadline.map { ($0, request.account.number) }
        deadlines.insert(request.account.id)
        rows.append(CancelDeadlineRow(account: request.account.id, cancelAt: deadline))
        return .ok(["cancel_at": deadline.map { .string($0.description) } ?? .null])
    }

    /// Ends the orders of accounts that said nothing in time.
    mutating func runDeadlines() {
        let due = state.deadlines.filter { $0.value.at <= instant }.sorted { $0.key < $1.key }
        for (account, deadline) in due {
            state.deadlines[account] = nil
            deadlines.insert(account)
            rows.append(CancelDeadlineRow(account: account, cancelAt: nil))
            let mine = (state.orders[account] ?? []).compactMap { state.live[$0]?.order.market }
            for market in Set(mine).sorted() {
                run(market) { floor, now in floor.book.cancelAll(owner: deadline.owner, at: now) }
            }
            let initiator = Initiator(system: "system:cancel_after", correlation: account.value)
            let canceled: JSON = ["canceled": .integer(mine.count)]
            audit("order.cancel_after", of: "trading_account", account.value, initiator, canceled)
        }
    }

    // MARK: Rules

    /// Puts a rule into force.
    mutating func setRule(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        let parameters = command.parameters["parameters"] ?? [:]
        let account = try command.text("account").map { text throws(Problem) in
            guard let id = ID<TradingAccount>(wire: text) else {
                throw Problem(422, "no_account_id", "This is no account's id; they look like tacc_….")
            }
            return id
        }
        let market = try command.text("symbol") == nil ? nil : floor(command).market
        let rule = RiskRule(
            id: ids.next(),
            name: try command.require("name"),
            account: account,
            market: market?.id,
            limit: try RiskRule.Limit(try command.require("type"), parameters)
        )
        let description = command.text("reason") ?? ""
        rows.append(RiskRuleRow(rule: rule, parameters: parameters, description: description))
        state.risk.add(rule)
        let shown: JSON = [
            "id": .string(rule.id.wire), "name": .string(rule.name), "type": .string(rule.type),
            "account": account.map { .string($0.wire) } ?? .null, "market": market.map { .string($0.symbol) } ?? .null,
            "parameters": parameters, "reason": .string(description),
        ]
        audit("risk.rule_set", of: "risk_rule", rule.id.value, initiator, shown)
        return shown
    }

    /// Ends rules: one by its id, or kill switches by what they stop.
    mutating func endRules(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        let ended: [RiskRule]
        if let text = command.text("rule") {
            ended = state.risk.all.filter { $0.id.wire == text }
        } else {
            let account = command.text("account")
            let market = try command.text("symbol") == nil ? nil : floor(command).market.id
            ended = state.risk.all.filter {
                $0.limit == .killSwitch && $0.account?.wire == account && $0.market == market
            }
        }
        guard !ended.isEmpty else { throw Problem(404, "rule_not_found", "There is no such rule in force.") }
        for rule in ended {
            state.risk.remove(rule.id)
            rows.append(RiskRuleEndRow(rule: rule.id))
            let reason: JSON = ["reason": .string(command.text("reason") ?? "")]
            audit("risk.rule_ended", of: "risk_rule", rule.id.value, initiator, reason)
        }
        return ["ended": .array(ended.map { .string($0.id.wire) })]
    }
}
