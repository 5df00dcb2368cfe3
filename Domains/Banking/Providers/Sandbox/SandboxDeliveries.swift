import Kernel
import Logging
import Messaging
import OutboundHTTP
import PostgreSQL
import ServiceLifecycle
import Settings
import Webhooks

/// Sends the simulated provider's webhooks when they are due, signed as Standard Webhooks has it, until they are taken.
///
/// Deliveries are claimed by a lease, skipping those of other processes. A process that dies leaves its claims to be
/// sent again, as providers do.
struct SandboxDeliveries: Service {
    /// Deliveries that are claimed and under way at once.
    static let claimsMax = 64
    static let leaseSeconds = 60
    /// Attempts after which a delivery is dead: about a day and a half by the usual schedule.
    static let attemptsMax = 20
    static let pollMilliseconds = 100
    static let deadlineSeconds = 10.0

    let schema: Schema
    let pool: Pool
    let clock: any WallClock
    let http: HTTPClient
    /// Where we are reached: `http://127.0.0.1:8080`.
    let publicURL: String
    /// The secrets to sign with, all of them, as during a rotation; the caller guarantees that they are `whsec_…`.
    let secrets: [Secret]
    let logger: Logger
    var schedule = RetrySchedule.standard

    /// Sends what is due until a graceful shutdown or cancellation.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var sent = 0
                do { sent = try await sendDue() } catch {
                    logger.warning("simulated webhooks couldn't be read", metadata: ["error": "\(error)"])
                }
                if sent == 0 { try? await Task.sleep(for: .milliseconds(SandboxDeliveries.pollMilliseconds)) }
            }
        }
    }

    /// Sends what is due now, `claimsMax` at most, and says how many.
    func sendDue() async throws -> Int {
        let claims = try await claim()
        await withDiscardingTaskGroup { group in
            // What happens to one object is told in its order, at least by one process.
            for claims in Dictionary(grouping: claims, by: \.object).values {
                group.addTask {
                    for claim in claims.sorted(by: { ($0.due, $0.id) < ($1.due, $1.id) }) { await deliver(claim) }
                }
            }
        }
        return claims.count
    }

    private struct Claim: Sendable {
        let id: ID<SandboxDelivery>
        let event: ID<SandboxEvent>
        let object: ID<SandboxObject>
        let due: Timestamp
        let body: [UInt8]
        let attempt: Int
        let token: Int64
    }

    private func claim() async throws -> [Claim] {
        let rows = try await pool.query(
            """
            update \(schema).sandbox_deliveries d
            set lease_until = clock_timestamp() + make_interval(secs => \(Double(SandboxDeliveries.leaseSeconds))),
                lease_token = lease_token + 1, attempts = attempts + 1
            where id in (
                select id from \(schema).sandbox_deliveries
                where status = 'pending' and due_at <= \(clock.now())
                    and (lease_until is null or lease_until < clock_timestamp())
                order by due_at, id limit \(SandboxDeliveries.claimsMax) for no key update skip locked)
            returning id, event_id, object, due_at, body, attempts, lease_token
            """
        )
        return try rows.map { row in
            let body: Bytes = try row["body"]
            return Claim(
                id: try row["id"],
                event: try row["event_id"],
                object: try row["object"],
                due: try row["due_at"],
                body: body.array,
                attempt: try row["attempts"],
                token: try row["lease_token"]
            )
        }
    }

    private func deliver(_ claim: Claim) async {
        let failure = await post(claim)
        do {
            try await note(claim, failure)
        } catch {
            logger.warning(
                "a simulated webhook's outcome couldn't be stored; it is sent again",
                metadata: ["event": "\(claim.event.wire)", "error": "\(error)"]
            )
        }
    }

    /// Why it wasn't taken; nil if it was.
    private func post(_ claim: Claim) async -> String? {
        var request = OutboundRequest(.post, publicURL + "/v1/webhooks/sandbox", body: claim.body)
        request.deadlineSeconds = SandboxDeliveries.deadlineSeconds
        do {
            let signature = try WebhookSigner.standardWebhooks(
                id: claim.event.wire,
                body: claim.body,
                secrets: secrets.map { $0.reveal() },
                at: clock.now()
            )
            request.headers = [OutboundHeader("Content-Type", "application/json")]
            request.headers += signature.map { OutboundHeader($0.name, $0.value) }
            let response = try await http.send(request)
            return (200..<300).contains(response.status) ? nil : "status \(response.status)"
        } catch {
            return "\(error)"
        }
    }

    private func note(_ claim: Claim, _ failure: String?) async throws {
        let now = clock.now()
        var random = SystemRandomNumberGenerator()
        let delay = schedule.delaySeconds(afterAttempt: claim.attempt, using: &random)
        let next = Timestamp(microseconds: now.microseconds + Int64(delay * 1e6))
        let status = failure == nil ? "delivered" : claim.attempt >= SandboxDeliveries.attemptsMax ? "dead" : "pending"
        _ = try await pool.query(
            """
            update \(schema).sandbox_deliveries
            set status = \(status), lease_until = null, last_error = \(failure),
                due_at = case when \(status) = 'pending' then \(next) end,
                delivered_at = case when \(status) = 'delivered' then \(now) end
            where id = \(claim.id) and lease_token = \(claim.token) and status = 'pending'
            """
        )
    }
}

extension SandboxDeliveries {
    /// The deliveries of all that will happen to a new object.
    static func insert(_ object: SandboxObject, in schema: Schema, _ ids: IDGenerator) -> SQL {
        var rows: [(event: ID<SandboxEvent>, step: SandboxStep, body: Bytes, due: Timestamp?)] = []
        for step in SandboxStep.steps(object.kind, object.behaviour) {
            let event: ID<SandboxEvent> = ids.next()
            let body = Bytes(SandboxProvider.body(event, step, of: object).serialized())
            let times: [Timestamp?] = step.sentAfter.map { object.createdAt.adding(milliseconds: $0) }
            for due in times.isEmpty ? [nil] : times { rows.append((event, step, body, due)) }
        }
        let newIDs: [ID<SandboxDelivery>] = rows.map { _ in ids.next() }
        let types = rows.map { "\(object.kind.rawValue).\($0.step.state.rawValue)" }
        return """
            insert into \(schema).sandbox_deliveries (id, event_id, object, type, body, happened_at, status, due_at)
            select n.id, n.event, \(object.id), n.type, n.body, n.happened,
                case when n.due is null then 'withheld' else 'pending' end, n.due
            from unnest(\(newIDs), \(rows.map(\.event)), \(types), \(rows.map(\.body)),
                \(rows.map { object.createdAt.adding(milliseconds: $0.step.happensAfter) }), \(rows.map(\.due)))
                as n (id, event, type, body, happened, due)
            """
    }
}

extension Timestamp {
    func adding(milliseconds: Int) -> Timestamp { Timestamp(microseconds: microseconds + Int64(milliseconds) * 1_000) }
}
