import Kernel
import PostgreSQL
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// Many payments between people on a Bitcoin that changes its mind and whose node fails: books and chain end the same.
@Suite(.serialized)
struct BitcoinFlowTests {
    private static let payments = 30
    private static let depthMax = 6

    @Test(.timeLimit(.minutes(5)))
    func `thirty payments survive reorganisations, crashes and faults of every kind`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await BitcoinWorld.with(confirmations: 16) { first in
            var world = first
            var random = SeededRandom(seed)
            var people: [BitcoinWorld.Person] = []
            for form in BitcoinScript.SingleKey.allCases {
                people.append(try await world.person(form, [300_000, 200_000, 100_000], seed: random.next()))
            }
            for one in people {
                for other in people where one.user != other.user { try await world.know(other.address, by: one) }
            }
            try await world.mine(Self.depthMax)
            try await world.follow()
            var (made, reorganised) = (0, 0)
            for _ in 0..<300 where made < Self.payments || reorganised < 4 {
                made += try await world.act(people, &random)
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    reorganised += 1
                    let depth = Int.random(in: 1...Self.depthMax, using: &random)
                    try await world.reorganise(depth: depth, keeping: Bool.random(using: &random))
                case 1:
                    let faults = DevChain.Fault.allCases
                    try await world.fault(faults[Int.random(in: 0..<faults.count, using: &random)], on: "*")
                case 2: world = try await world.restarted()
                case 3: try await world.makeDue()
                case 4: try await world.fund(people[0].address, 50_000)
                default: try await world.mine()
                }
                try await world.patiently { try await world.parts.sender.round() }
                try await world.patiently { try await world.parts.follower.step() }
            }
            #expect(made >= Self.payments && reorganised >= 4, "seed \(seed)")
            try await world.calm()
            try await world.expectBooks(of: people, "seed \(seed)")
            // Nothing is paid twice, and every fee is there: both by the chain's own count.
            let final = try await world.pool.query(
                "select count(*) as n, coalesce(sum(fee_paid), 0) as fees from defi.payments where state = 'final'"
            )
            let fees: Int128 = try final[0]["fees"]
            #expect(try await world.fees() == fees, "seed \(seed)")
            let left = try await world.pool.query(
                """
                select count(*) from defi.payment_inputs i where not exists (
                    select 1 from defi.payments p where (p.id = i.payment or p.replaces = i.payment)
                        and p.state not in ('final', 'failed', 'replaced', 'expired'))
                """
            )
            #expect(try left[0][0] == 0, "seed \(seed)")
            try await Holds(pool: world.pool, owner: world.owner).check("seed \(seed)")
        }
    }
}

extension BitcoinWorld {
    /// Pays somebody, or speeds up or cancels something; how many payments that were.
    fileprivate func act(_ people: [Person], _ random: inout SeededRandom) async throws -> Int {
        let person = people[Int.random(in: 0..<people.count, using: &random)]
        let waiting = try await payments.list(of: person.user, before: .max, limit: 50)
            .first { $0.signed != nil && $0.state.block == nil && !$0.state.isOver }
        let answer: (status: Int, json: JSON)
        if let waiting, Int.random(in: 0..<3, using: &random) == 0 {
            let action = Bool.random(using: &random) ? "speed_up" : "cancel"
            answer = try await ask(
                "POST",
                "/v1/defi/intents/\(waiting.id.wire)/replace",
                by: person,
                ["action": .string(action)]
            )
        } else {
            let to = people[Int.random(in: 0..<people.count, using: &random)].address
            let amount = "0.000\(Int.random(in: 1...9, using: &random))"
            answer = try await order(amount, to: to, by: person)
        }
        guard answer.status == 201 else {
            // The node fails, the wallet is being read, or its coins are all in use: refused, and nothing happened.
            #expect([409, 422, 503].contains(answer.status), "\(answer.json)")
            return 0
        }
        let payment = try await payment(answer.json)
        let submitted = try await give(try signed(payment, by: person).base64, for: payment, by: person)
        #expect([202, 409].contains(submitted.status), "\(submitted.json)")
        return 1
    }

    /// Does something that may meet a fault; what fails is done again later.
    fileprivate func patiently(_ work: () async throws -> Int) async throws {
        do {
            _ = try await work()
        } catch is NodeError {
            return
        } catch let error as PostgresError where error.isStale {
            return
        } catch is IntentState.Impossible {
            return
        }
    }

    /// Nothing goes wrong any more, until everything is over.
    fileprivate func calm() async throws {
        for _ in 0..<120 {
            try await makeDue()
            try await patiently { try await parts.sender.round() }
            try await mine()
            try await patiently { try await parts.follower.step() }
            let open = try await pool.query(
                """
                select count(*) from defi.payments
                where state not in ('built', 'final', 'failed', 'replaced', 'expired')
                """
            )
            if try open[0][0] == 0 { return }
        }
        let left = try await pool.query(
            "select state, reason from defi.payments where state not in ('final', 'replaced')"
        )
        for row in left {
            let (state, reason): (String, String?) = (try row["state"], try row["reason"])
            Issue.record("\(state) \(reason ?? "")")
        }
    }
}
