import Kernel
import PostgreSQL
import Testing

@testable import DeFi

/// A world whose custody goes through random flows.
protocol CustodyTurmoil: Sendable {
    associatedtype Person: Sendable

    var custody: CustodyParts { get }
    var pool: Pool { get }

    func ask(_ method: String, _ path: String, by person: Person) async throws -> (status: Int, json: JSON)
    /// Everything that waits for its time is due.
    func makeDue() async throws
    /// There is another block.
    func mine() async throws
    /// Follows one.
    func step() async throws -> Int
}

extension CustodyTurmoil {
    /// Takes back what isn't signed yet.
    func cancelAll(of person: Person) async throws {
        let answer = try await ask("GET", "/v1/defi/custody/withdrawals", by: person)
        for withdrawal in answer.json["data"]?.elements ?? [] where withdrawal["may_be_cancelled"] == true {
            let id = withdrawal["id"]?.stringValue ?? ""
            _ = try await ask("POST", "/v1/defi/custody/withdrawals/\(id)/cancel", by: person)
        }
    }

    /// What there is to do is tried.
    func advance() async throws {
        try await patiently { try await custody.sender.round() }
        try await patiently { try await step() }
    }

    /// Nothing goes wrong any more, until everything is over.
    func calm(_ people: [Person]) async throws {
        for round in 0..<200 {
            // Whose custody is stopped by what the chain took back for good takes back what waits.
            if round > 40 { for person in people { try await cancelAll(of: person) } }
            try await makeDue()
            try await mine()
            try await advance()
            let open: Int = try await pool.query(
                """
                select (select count(*) from defi.custody_withdrawals where state in ('waiting', 'signed', 'included'))
                    + (select count(*) from defi.custody_deposits where state = 'pending')
                    + (select count(*) from defi.custody_blocks) + (select count(*) from defi.custody_faults)
                """
            )[0][0]
            if open == 0 { return }
        }
        for row in try await pool.query("select state, reason, nonce from defi.custody_withdrawals") {
            let (state, reason): (String, String?) = (try row["state"], try row["reason"])
            let nonce: Int64? = try row["nonce"]
            Issue.record("\(state) \(reason ?? "") nonce \(nonce ?? -1)")
        }
    }
}

/// Does something that may meet a fault; what fails is done again later.
func patiently(_ work: () async throws -> Int) async throws {
    do {
        _ = try await work()
    } catch is NodeError {
        return
    } catch let error as PostgresError where error.isStale {
        return
    }
}
