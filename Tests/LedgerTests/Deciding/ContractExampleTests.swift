import Kernel
import Testing

@testable import Ledger

/// The worked examples of how money moves, in cents.
@Suite struct ContractExampleTests {
    private static let (customer, friend) = (ID<LedgerAccount>(1), ID<LedgerAccount>(2))
    private static let (clearing, payable) = (ID<LedgerAccount>(3), ID<LedgerAccount>(4))
    private static let (income, variance) = (ID<LedgerAccount>(5), ID<LedgerAccount>(6))
    private static let (payout, suspense) = (ID<LedgerAccount>(7), ID<LedgerAccount>(8))
    private static let receivable = ID<LedgerAccount>(9)
    private static let reservation = ID<Reservation>(50)

    private static func ledger(customer posted: Int128, at instant: Timestamp = CoreFixture.now) -> LedgerCore {
        let house = [clearing, payable, variance, payout, suspense, receivable].map {
            AccountState(id: $0, asset: "USD", mayGoNegative: true)
        }
        return LedgerCore(
            at: instant,
            accounts: [
                AccountState(id: customer, asset: "USD", posted: posted), AccountState(id: friend, asset: "USD"),
                AccountState(id: income, asset: "USD"),
            ] + house
        )
    }

    private static func pay(
        _ number: UInt128,
        _ amount: Int128,
        _ debit: ID<LedgerAccount>,
        _ credit: ID<LedgerAccount>,
        _ funding: NewTransfer.Funding = .available
    ) -> LedgerCommand {
        CoreFixture.pay(amount, debit, credit, funding, id: CoreFixture.transfer(number))
    }

    private func expect(
        _ core: LedgerCore,
        _ balances: [ID<LedgerAccount>: Int128],
        _ location: SourceLocation = #_sourceLocation
    ) {
        for (account, balance) in balances {
            #expect(core.accounts[account]?.posted == balance, sourceLocation: location)
        }
    }

    @Test func `a card deposit of 100 with its fees, and the provider's report`() throws {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 0)
        try core.done(
            E.pay(1, 96_30, E.clearing, E.customer),
            E.pay(2, 50, E.clearing, E.income),
            E.pay(3, 3_20, E.clearing, E.payable)
        )
        expect(core, [E.clearing: -100_00, E.customer: 96_30, E.income: 50, E.payable: 3_20])
        try core.done(E.pay(4, 2, E.payable, E.variance))
        expect(core, [E.payable: 3_18, E.variance: 2])
    }

    @Test func `a payment of 20 to a friend with its fee`() throws {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 20_10)
        try core.done(E.pay(1, 20_00, E.customer, E.friend), E.pay(2, 10, E.customer, E.income))
        expect(core, [E.customer: 0, E.friend: 20_00, E.income: 10])
    }

    @Test func `a payment whose fee can't be paid moves nothing`() {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 20_09)
        let refusal = core.refusal(E.pay(1, 20_00, E.customer, E.friend), E.pay(2, 10, E.customer, E.income))
        #expect(refusal == .insufficientFunds(account: E.customer, available: 9, requested: 10))
        expect(core, [E.customer: 20_09, E.friend: 0, E.income: 0])
    }

    private func reserved() throws -> LedgerCore {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 60_00)
        try core.done(CoreFixture.reserve(51_00, on: E.customer, id: E.reservation))
        return core
    }

    private func at(_ later: Timestamp, _ core: LedgerCore) -> LedgerCore {
        LedgerCore(at: later, accounts: Array(core.accounts.values), reservations: Array(core.reservations.values))
    }

    @Test func `a withdrawal of 50 is reserved, extended and captured`() throws {
        typealias E = ContractExampleTests
        var core = try reserved()
        #expect(core.accounts[E.customer]?.available == 9_00)
        try core.done(.extend(E.reservation, of: E.customer, until: CoreFixture.now.adding(seconds: 7_200)))
        core = at(CoreFixture.now.adding(seconds: 3_600), core)
        try core.done(
            E.pay(1, 50_00, E.customer, E.payout, .reservation(E.reservation)),
            E.pay(2, 1_00, E.customer, E.income, .reservation(E.reservation))
        )
        expect(core, [E.customer: 9_00, E.payout: 50_00, E.income: 1_00])
        #expect(core.accounts[E.customer]?.reserved == 0)
        #expect(core.reservations[E.reservation]?.phase == .captured)
    }

    @Test func `a withdrawal that the provider declined is released`() throws {
        typealias E = ContractExampleTests
        var core = try reserved()
        try core.done(.release(E.reservation, of: E.customer, reason: "declined"))
        #expect(core.accounts[E.customer]?.available == 60_00)
    }

    @Test func `a withdrawal that succeeds after its reservation expired is a new transfer if the money is there`()
        throws
    {
        typealias E = ContractExampleTests
        var core = at(CoreFixture.now.adding(seconds: 1_800), try reserved())
        #expect(
            core.refusal(E.pay(1, 50_00, E.customer, E.payout, .reservation(E.reservation)))
                == .reservationExpired(E.reservation)
        )
        try core.done(
            E.pay(1, 50_00, E.customer, E.payout, .settlingLate(E.reservation)),
            E.pay(2, 1_00, E.customer, E.income, .settlingLate(E.reservation))
        )
        expect(core, [E.customer: 9_00, E.payout: 50_00, E.income: 1_00])
        #expect(core.reservations[E.reservation]?.phase == .expired)
    }

    @Test func `a withdrawal that succeeds when the money is gone is posted to suspense`() throws {
        typealias E = ContractExampleTests
        var core = at(CoreFixture.now.adding(seconds: 1_800), try reserved())
        try core.done(.expire(E.reservation, of: E.customer), E.pay(1, 55_00, E.customer, E.friend))
        #expect(
            core.refusal(E.pay(2, 50_00, E.customer, E.payout, .settlingLate(E.reservation)))
                == .insufficientFunds(account: E.customer, available: 5_00, requested: 50_00)
        )
        #expect(core.reservations[E.reservation]?.settledBy == nil, "it can be settled when money comes")
        try core.done(E.pay(3, 50_00, E.suspense, E.payout), .freeze(E.customer, because: "unfunded payout"))
        expect(core, [E.customer: 5_00, E.suspense: -50_00, E.payout: 50_00])
        #expect(core.refusal(E.pay(4, 1, E.customer, E.friend)) == .accountFrozen(E.customer))
    }

    @Test func `a chargeback takes what is there, the rest is owed and paid back by later credits`() throws {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 30_00)
        let collection = NewCollection(
            id: CoreFixture.transfer(1),
            shortfallID: CoreFixture.transfer(2),
            debit: E.customer,
            receivable: E.receivable,
            credit: E.clearing,
            amount: 100_00,
            code: "chargeback"
        )
        try core.done(.collect(collection), .freeze(E.customer, because: "chargeback"))
        expect(core, [E.customer: 0, E.receivable: -70_00, E.clearing: 100_00])
        for (number, credit, owed) in [(3, Int128(40_00), Int128(-30_00)), (5, 50_00, 0), (7, 10_00, 0)] {
            let ids = (UInt128(number), UInt128(number + 1))
            try core.done(
                E.pay(ids.0, credit, E.clearing, E.customer),
                .repay(NewRepayment(id: CoreFixture.transfer(ids.1), debit: E.customer, receivable: E.receivable))
            )
            expect(core, [E.receivable: owed])
        }
        expect(core, [E.customer: 30_00, E.clearing: 0])
    }

    @Test func `a chargeback of what is there owes nothing`() throws {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 100_00)
        let collection = NewCollection(
            id: CoreFixture.transfer(1),
            shortfallID: CoreFixture.transfer(2),
            debit: E.customer,
            receivable: E.receivable,
            credit: E.clearing,
            amount: 100_00,
            code: "chargeback"
        )
        try core.done(.collect(collection))
        #expect(core.transfers.map(\.id) == [CoreFixture.transfer(1)])
    }

    @Test func `money in transit comes back when the other domain refuses it`() throws {
        typealias E = ContractExampleTests
        var core = E.ledger(customer: 10_00)
        try core.done(E.pay(1, 10_00, E.customer, E.payout))
        let legs = TransferLegs(id: CoreFixture.transfer(1), debit: E.customer, credit: E.payout, amount: 10_00)
        core = LedgerCore(at: CoreFixture.now, accounts: Array(core.accounts.values), originals: [legs: false])
        try core.done(.reverse(NewReversal(id: CoreFixture.transfer(2), of: legs)))
        expect(core, [E.customer: 10_00, E.payout: 0])
        #expect(core.transfers.last?.reverses == legs.id)
    }
}
