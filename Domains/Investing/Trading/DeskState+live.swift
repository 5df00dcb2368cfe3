import Kernel
import Ledger

extension DeskState {
    /// Who trades, and between which balances: the same for all orders of an account in a market.
    final class Seat: Sendable {
        /// By which the matching engine knows them.
        let owner: UInt32
        let user: ID<User>
        let kind: TradingAccount.Kind
        /// Who is told of the orders: their account, or the one that this is a portfolio of.
        let told: ID<TradingAccount>
        let base: ID<LedgerAccount>
        let quote: ID<LedgerAccount>
        let income: ID<LedgerAccount>

        init(
            owner: UInt32,
            user: ID<User>,
            kind: TradingAccount.Kind,
            told: ID<TradingAccount>,
            base: ID<LedgerAccount>,
            quote: ID<LedgerAccount>,
            income: ID<LedgerAccount>
        ) {
            (self.owner, self.user, self.kind, self.told) = (owner, user, kind, told)
            (self.base, self.quote, self.income) = (base, quote, income)
        }
    }

    /// An order that may still trade, with what settling it needs.
    ///
    /// The order lies outside, so that a table of a million of these is small and grows fast. It is copied where two
    /// have it and one changes it, so that each is a value of its own.
    struct Live {
        private final class Place {
            var order: Order

            init(_ order: Order) { self.order = order }
        }

        private var place: Place
        let seat: Seat
        var otherLeg: UInt64?

        init(_ order: Order, of seat: Seat) { (place, self.seat) = (Place(order), seat) }

        var order: Order {
            get { place.order }
            _modify {
                if !isKnownUniquelyReferenced(&place) { place = Place(place.order) }
                yield &place.order
            }
        }

        var owner: UInt32 { seat.owner }
        var user: ID<User> { seat.user }
        var kind: TradingAccount.Kind { seat.kind }
        var told: ID<TradingAccount> { seat.told }
        var base: ID<LedgerAccount> { seat.base }
        var quote: ID<LedgerAccount> { seat.quote }
        var income: ID<LedgerAccount> { seat.income }
    }
}
