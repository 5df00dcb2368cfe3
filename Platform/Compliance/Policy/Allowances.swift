import Kernel
import Synchronization

/// What customers may pay in small amounts without a look at their history: a part of what their limits leave, claimed
/// as a whole before, so that no other process counts on it.
final class Allowances: Sendable {
    /// An allowance of one customer.
    struct Allowance: Sendable {
        /// The claim that it stands for.
        let id: UInt128
        /// What is left of it.
        var left: Outflow
        let until: Timestamp
        /// What was let leave of it.
        var used: [OutgoingClaim] = []
    }

    /// For so long an allowance may be used.
    static let seconds: Int64 = 60
    /// Of what a limit leaves, the part that is given at once.
    static let part = 8
    /// The most that is given at once: movements, and units in multiples of what counts as small.
    ///
    /// A limit that leaves fewer units than these is near, and each movement is looked at.
    static let most = (count: 50, smallOnes: 10)
    /// Customers with an allowance; others are looked at each time.
    private static let customersMax = 100_000

    private let kept = Mutex<[ID<User>: Allowance]>([:])

    /// Takes a small movement from its customer's allowance; false where there is too little left of it, or none.
    func take(_ movement: MoneyMovement, worth hundredths: Int128, at now: Timestamp) -> Bool {
        let claim = OutgoingClaim(
            id: movement.subject,
            flow: Outflow(hundredths: hundredths, count: 1),
            until: now.adding(seconds: OutgoingClaim.seconds)
        )
        return kept.withLock { kept in
            guard var allowance = kept[movement.user], allowance.until > now, allowance.left.count > 0,
                allowance.left.hundredths >= hundredths
            else { return false }
            allowance.left = Outflow(
                hundredths: allowance.left.hundredths - hundredths,
                count: allowance.left.count - 1
            )
            allowance.used.append(claim)
            kept[movement.user] = allowance
            return true
        }
    }

    /// Takes back what a movement took of its customer's allowance; false where it took nothing of one.
    func giveBack(_ movement: MoneyMovement) -> Bool {
        kept.withLock { kept in
            guard var allowance = kept[movement.user],
                let place = allowance.used.firstIndex(where: { $0.id == movement.subject })
            else { return false }
            let taken = allowance.used.remove(at: place)
            allowance.left = allowance.left + taken.flow
            kept[movement.user] = allowance
            return true
        }
    }

    /// Ends a customer's allowance, whose claim gives way to what was used of it; nil for none.
    func end(of user: ID<User>) -> Allowance? { kept.withLock { $0.removeValue(forKey: user) } }

    /// Gives a customer an allowance that is claimed; where there is one it stays.
    func give(_ allowance: Allowance, to user: ID<User>, at now: Timestamp) {
        kept.withLock { kept in
            if kept.count >= Allowances.customersMax { kept = kept.filter { $0.value.until > now } }
            guard kept.count < Allowances.customersMax, kept[user] == nil else { return }
            kept[user] = allowance
        }
    }
}
