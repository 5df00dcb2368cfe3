import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// Two traders of one market: one quotes both sides around a random walk, the other one takes a little now and then.
///
/// Both place orders as any customer does: read, checked, paid for, matched.
struct SimulatedTraders {
    /// Quotes of each side.
    static let depth = 6
    /// Beats after which a quote is taken back.
    private static let ageMax = 20
    /// What each trader is given of an asset, in units; topped up at the start when half is gone.
    private static let purse: Int128 = 1_000_000

    private struct Quote {
        let order: ID<Order>
        let side: Side
        let beat: Int
    }

    let desk: TradingDesk
    let reader: OrderReader
    let accounts: LedgerAccounts
    let ids: IDGenerator
    let demo: DemoMarket
    let stored: StoredMarket
    let maker: TradingAccount
    let taker: TradingAccount
    private var walk: RandomWalk
    private var quotes: [Quote] = []
    private var beat = 0

    init(
        _ parts: InvestingParts,
        _ accounts: LedgerAccounts,
        _ demo: DemoMarket,
        _ stored: StoredMarket,
        maker: TradingAccount,
        taker: TradingAccount,
        seed: UInt64
    ) {
        (desk, reader, ids) = (parts.desk, parts.reader, parts.ids)
        (self.accounts, self.demo, self.stored) = (accounts, demo, stored)
        (self.maker, self.taker) = (maker, taker)
        walk = RandomWalk(demo, seed: seed)
    }

    /// Gives both what they trade with, out of an account that exists for it, and takes back quotes of an earlier run.
    func prepare() async throws {
        for trader in [maker, taker] {
            for asset in [stored.market.base, stored.market.quote] { try await fund(trader, asset) }
            _ = try await desk.submit(.cancelAll(market: stored.market.id, request(trader)))
        }
    }

    /// Moves the price, takes an old quote back, quotes where a side has room, and takes now and then: a few orders.
    mutating func step() async throws {
        beat += 1
        walk.move()
        if let old = quotes.first,
            quotes.count >= 2 * SimulatedTraders.depth || beat - old.beat > SimulatedTraders.ageMax
        {
            quotes.removeFirst()
            // One that has traded meanwhile is gone already; the answer says so and nothing is to be done.
            _ = try await desk.submit(.cancel(old.order, request(maker)))
        }
        for side in [Side.buy, .sell] {
            let missing = SimulatedTraders.depth - quotes.count { $0.side == side }
            // Both sides are filled at the start, afterwards one quote a beat.
            for _ in 0..<(beat == 1 ? missing : min(1, missing)) { try await quote(side) }
        }
        if beat % 3 == 0 { try await take() }
    }

    private mutating func quote(_ side: Side) async throws {
        let away = demo.spacingTicks * walk.pick(1...Int64(SimulatedTraders.depth))
        let price = side == .buy ? walk.price - away : walk.price + away
        let lots = walk.pick(demo.lots...(2 * demo.lots))
        let body: JSON = [
            "side": .string(side.name), "type": "limit", "quantity": .string(stored.market.wire(lots: lots)),
            "limit_price": .string(stored.market.wire(price: price)), "post_only": true,
        ]
        let ticket = try await reader.ticket(body, of: maker, in: stored)
        guard case .answer(let answer) = try await desk.submit(.place(ticket, request(maker))), answer.status == 201
        else { return }
        quotes.append(Quote(order: ticket.order.id, side: side, beat: beat))
    }

    private mutating func take() async throws {
        let side: Side = walk.pick(0...1) == 0 ? .buy : .sell
        let lots = walk.pick((demo.lots / 10)...(demo.lots / 2))
        let body: JSON = [
            "side": .string(side.name), "type": "market", "quantity": .string(stored.market.wire(lots: lots)),
        ]
        let ticket = try await reader.ticket(body, of: taker, in: stored)
        _ = try await desk.submit(.place(ticket, request(taker)))
    }

    private func fund(_ trader: TradingAccount, _ asset: Asset) async throws {
        let purse = SimulatedTraders.purse * Market.unit(of: asset)
        let mine = try await accounts.open(AccountKey(trader.user, trader.ledgerKind, asset))
        let balances = try await accounts.balances(of: trader.user.value)
        let has = balances.first { $0.account == mine }?.total.minorUnits ?? 0
        guard has < purse / 2 else { return }
        let source = try await accounts.open(AccountKey(house: "demo_source", asset), mayGoNegative: true)
        let gift = NewTransfer(id: ids.next(), debit: source, credit: mine, amount: purse - has, code: "demo_funds")
        _ = try await desk.submit(LedgerItem(operation: ids.next(), commands: [.transfer(gift)]))
    }

    private func request(_ trader: TradingAccount) -> DeskRequest {
        let id = ids.next(OrderList.self).value
        return DeskRequest(
            account: trader,
            initiator: Initiator(system: "system:demo", correlation: id),
            key: nil,
            id: id
        )
    }
}
