import Kernel
import Ledger
import MatchingEngine

// What the books answer, and what follows for orders and money.
extension DeskBatch {
    /// Ends what is due in a market, so that what an order needs is reckoned with the book that it will meet.
    mutating func wake(_ market: Int) { run(market) { $0.book.expire(at: $1) } }

    /// Lets a book work and follows everything that happened in it.
    mutating func run(_ market: Int, _ body: (DeskState.Floor, Int64) -> Void) {
        guard let floor = state.floors[market] else { return }
        state.log.removeAll()
        (refused, lastMarket) = (nil, floor.market)
        body(floor, now)
        var concerned: [UInt64] = []
        for position in 0..<state.log.count { follow(state.log[position], floor, &concerned) }
        guard state.log.count > 0 else { return }
        floors.insert(market)
        for number in concerned {
            if let one = state.live[number] {
                trueUp(one, isOver: false)
            } else if let one = ended[number] {
                trueUp(one, isOver: true)
            }
        }
    }

    private mutating func follow(_ event: Event, _ floor: DeskState.Floor, _ concerned: inout [UInt64]) {
        switch event {
        case .accepted(let accepted): touch(accepted.order)
        case .rejected(let rejection): refused = rejection
        case .trade(let trade):
            settle(trade, floor)
            concerned += [trade.taker, trade.maker]
        case .prevented(let prevented):
            prevent(prevented, floor)
            concerned += [prevented.taker, prevented.maker]
        case .rested(let rested):
            touch(rested.order)
            state.live[rested.order]?.order.priority = state.nextPriority
            state.nextPriority += 1
            state.live[rested.order]?.order.remaining = rested.remaining
            concerned.append(rested.order)
        case .amended(let amended):
            touch(amended.order)
            state.live[amended.order]?.order.price = amended.price
            state.live[amended.order]?.order.quantity = amended.total
            state.live[amended.order]?.order.remaining = amended.remaining
            concerned.append(amended.order)
        case .resized(let resized):
            touch(resized.order)
            state.live[resized.order]?.order.remaining = resized.remaining
            concerned.append(resized.order)
        case .triggered(let triggered):
            touch(triggered.order)
            state.live[triggered.order]?.order.isTriggered = true
        case .cancelled(let cancelled):
            touch(cancelled.order)
            finish(cancelled.order, cancelled.reason.status, cancelled.reason.name)
            concerned.append(cancelled.order)
        case .stateChanged(let change): note(change, floor)
        }
    }

    private mutating func settle(_ trade: Trade, _ floor: DeskState.Floor) {
        touch(trade.taker)
        touch(trade.maker)
        guard var taker = state.live[trade.taker], var maker = state.live[trade.maker] else {
            fault = fault ?? DeskFault.refusedByLedger("a trade of an order that isn't live")
            return
        }
        let market = floor.market
        let quote = market.quoteAmount(price: trade.price, lots: trade.quantity)
        let takerFee = taker.order.fee.charge(quote, partsPerBillion: taker.order.rates.taker)
        let makerFee = maker.order.fee.charge(quote, partsPerBillion: maker.order.rates.maker)
        (taker.order.traded, maker.order.traded) = (trade.takerTraded, trade.makerTraded)
        (taker.order.remaining, maker.order.remaining) = (trade.takerRemaining, trade.makerRemaining)
        taker.order.quoteTraded += quote
        maker.order.quoteTraded += quote
        state.live[trade.taker] = taker
        state.live[trade.maker] = maker
        floor.trades += 1
        let record = TradeRecord(
            id: ids.next(),
            market: market.id,
            number: floor.trades,
            price: trade.price,
            quantity: trade.quantity,
            quoteAmount: quote,
            takerSide: trade.takerSide,
            takerOrder: taker.order.id,
            makerOrder: maker.order.id,
            takerAccount: taker.order.account,
            makerAccount: maker.order.account,
            takerFee: takerFee,
            makerFee: makerFee,
            recordedAt: instant,
            takerRule: taker.order.rates.rule(isTaker: true),
            makerRule: maker.order.rates.rule(isTaker: false)
        )
        trades.append(record)
        rows.append(record)
        fills[trade.taker, default: []].append(record.fill(in: market, isTaker: true))
        fills[trade.maker, default: []].append(record.fill(in: market, isTaker: false))
        let takerBuys = trade.takerSide == .buy
        let buyer = (takerBuys ? taker : maker, takerBuys ? takerFee : makerFee)
        let seller = (takerBuys ? maker : taker, takerBuys ? makerFee : takerFee)
        count(record, buyer: buyer, seller: seller)
        pay(record, base: market.baseAmount(lots: trade.quantity), buyer: buyer, seller: seller)
        for (number, isDone) in [(trade.taker, trade.isTakerDone), (trade.maker, trade.isMakerDone)] {
            if isDone { finish(number, .filled, nil) } else { setStatus(number, .partiallyFilled, nil) }
        }
    }

    /// Moves a trade's money: both assets out of what the orders hold, and both fees.
    private mutating func pay(
        _ trade: TradeRecord,
        base: Int128,
        buyer: (order: DeskState.Live, fee: Int128),
        seller: (order: DeskState.Live, fee: Int128)
    ) {
        var commands: [LedgerCommand] = []
        func move(
            _ from: ID<LedgerAccount>,
            _ to: ID<LedgerAccount>,
            _ amount: Int128,
            _ code: String,
            _ funding: NewTransfer.Funding
        ) {
            guard amount > 0 else { return }
            commands.append(
                .transfer(
                    NewTransfer(id: ids.next(), debit: from, credit: to, amount: amount, code: code, funding: funding)
                )
            )
        }
        let (buy, sell) = (buyer.order, seller.order)
        let held = NewTransfer.Funding.reservation(buy.order.reservation)
        let isWithinAccount = buy.quote == sell.quote
        if !isWithinAccount {
            move(buy.quote, sell.quote, trade.quoteAmount, "trade_quote", held)
            move(sell.base, buy.base, base, "trade_base", .reservation(sell.order.reservation))
        }
        // A fee is part of what the buyer's order holds; the seller's comes out of what the trade brought.
        move(buy.quote, buy.income, buyer.fee, "trade_fee", held)
        move(sell.quote, sell.income, seller.fee, "trade_fee", isWithinAccount ? held : .availableDespiteFreeze)
        move(buy.income, buy.quote, -buyer.fee, "trade_rebate", .available)
        move(sell.income, sell.quote, -seller.fee, "trade_rebate", .available)
        if !commands.isEmpty { must(commands, trade.id) }
    }

    private mutating func prevent(_ prevented: Prevented, _ floor: DeskState.Floor) {
        touch(prevented.taker)
        touch(prevented.maker)
        guard let taker = state.live[prevented.taker]?.order, let maker = state.live[prevented.maker]?.order else {
            return
        }
        state.live[prevented.taker]?.order.remaining = prevented.takerRemaining
        state.live[prevented.maker]?.order.remaining = prevented.makerRemaining
        rows.append(
            PreventedRow(
                id: ids.next(),
                market: floor.market.id,
                account: taker.account,
                takerOrder: taker.id,
                makerOrder: maker.id,
                mode: prevented.mode,
                price: prevented.price,
                quantity: prevented.quantity
            )
        )
    }

    // MARK: Orders

    /// The order is another one after this batch; to be called before each change.
    mutating func touch(_ number: UInt64) {
        shown[number] = nil
        guard isTouched.insert(number).inserted else { return }
        touched.append(number)
        state.live[number]?.order.version += 1
        state.live[number]?.order.updatedAt = instant
    }

    private mutating func setStatus(_ number: UInt64, _ status: Order.Status, _ reason: String?) {
        guard let from = state.live[number]?.order.status, from != status else { return }
        state.live[number]?.order.status = status
        statuses[number, default: []].append((from, status, reason))
    }

    private mutating func finish(_ number: UInt64, _ status: Order.Status, _ reason: String?) {
        // What was sized by an amount has done what it was to do if it traded at all.
        var status = status
        if let order = state.live[number]?.order, order.quoteAmount != nil, order.traded > 0,
            reason == "quote_amount_spent"
        {
            status = .filled
        }
        setStatus(number, status, reason)
        guard var one = state.live[number] else { return }
        (one.order.endedAt, one.order.reason) = (instant, status == .filled ? nil : reason)
        if status == .filled { one.order.remaining = 0 }
        state.live[number] = one
        ended[number] = one
        state.remove(number)
        if let clientID = one.order.clientID, !isNew.contains(number) {
            rows.append(ClientOrderIDEndRow(account: one.order.account, clientID: clientID))
        }
    }

    /// Drops an order that never reached the book.
    mutating func drop(_ number: UInt64) {
        guard let one = state.live[number] else { return }
        state.remove(number)
        trueUp(one, isOver: true)
        touched.removeAll { $0 == number }
        isTouched.remove(number)
        isNew.remove(number)
        statuses[number] = nil
    }

    /// Turns the engine's refusal of the last command into the client's, and takes back what was prepared for it.
    mutating func settleRefusal(_ prepared: [UInt64]) throws(Problem) {
        if let refused, let market = lastMarket {
            for number in prepared { drop(number) }
            for number in trueUps { if let one = state.live[number] { trueUp(one, isOver: false) } }
            trueUps = []
            throw OrderRefusal.problem(refused, in: market)
        }
        trueUps = []
    }

    /// An order as it is now, ended in this batch or not.
    func order(_ number: UInt64) -> Order? { state.live[number]?.order ?? ended[number]?.order }

    /// An order on the wire, as it is now.
    mutating func json(_ number: UInt64) -> JSON {
        if let known = shown[number] { return known }
        guard let order = order(number), let floor = state.floors[order.market] else { return .null }
        let json = order.json(in: floor.market)
        shown[number] = json
        return json
    }
}
