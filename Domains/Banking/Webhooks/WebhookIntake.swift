import Cryptography
import HTTP
import Kernel
import Messaging
import Metrics
import PostgreSQL
import Webhooks

/// Takes webhooks in: checks the signature over the raw bytes, reads the ids, keeps the bytes, answers.
///
/// Nothing is understood here. What the event does to money is the inbox worker's business, after the sender has its
/// answer.
struct WebhookIntake: Sendable {
    /// Keeps an arrival and says whether it is new; it is committed on return.
    typealias Store = @Sendable (InboxArrival) async throws -> InboxReceipt

    /// The deepest JSON that is read: as deep as signatures are computed over.
    static let limits = JSON.Limits(bytesMax: BodyKind.rawLimitBytesDefault, depthMax: WebhookLimits.jsonDepthMax)
    /// How much of a header that isn't a signature is kept, in bytes.
    private static let keptBytesMax = 512
    /// Where the transaction of the path is kept among an arrival's headers; no header of HTTP has a name like it.
    static let intentHeader = ":intent"

    private let store: Store

    /// An intake into an inbox, by batches.
    init(_ commits: GroupCommit<InboxIntake>) { self.init { try await commits.submit($0) } }

    init(store: @escaping Store) { self.store = store }

    /// Takes a webhook in and answers its sender.
    ///
    /// 200 says that the event is in the inbox, new or not. An event that is there with another body gets 200 too:
    /// sending it again would not help, and the inbox has kept it and raised an alarm.
    ///
    /// - Parameters:
    ///   - request: the webhook as it came.
    ///   - source: whose path it came by.
    ///   - part: the last part of the path, for sources with a path for each intent.
    /// - Returns: what the sender gets.
    /// - Throws: 400, 401, 404 or 503 as a `Problem`, or what the store throws.
    func receive(_ request: APIRequest, from source: WebhookSource, part: String? = nil) async throws -> APIResponse {
        let intent = try intent(of: part, source)
        let query = request.rawQuery.isEmpty ? "" : "?" + request.rawQuery
        let signed = SignedRequest(
            method: request.method.rawValue,
            query: query,
            headers: request.headers.all.map { ($0.name, $0.value) },
            body: request.rawBody
        )
        let verdict = source.signature.verifier.verify(signed, keys: source.keys, now: request.now)
        if let problem = verdict.problem {
            Counter(
                label: "webhook_signature_failures_total",
                dimensions: [("source", source.name), ("reason", verdict.rawValue)]
            ).increment()
            throw problem
        }
        let body = request.method == .get ? WebhookIntake.body(ofQuery: request) : request.rawBody
        let envelope = try envelope(of: body, source)
        let arrival = InboxArrival(
            source: source.name,
            eventID: envelope.eventID,
            type: envelope.type,
            objectID: intent?.wire ?? envelope.objectID,
            headers: kept(request.headers, source, intent),
            body: body,
            origin: .webhook
        )
        return .ok(["status": .string(try await store(arrival).rawValue)])
    }

    private func intent(of part: String?, _ source: WebhookSource) throws(Problem) -> ID<BankTransaction>? {
        guard let paths = source.intentPaths else { return nil }
        guard let part, let transaction = paths.transaction(of: part) else {
            refused(source, "unknown_path")
            throw .notFound
        }
        return transaction
    }

    private func envelope(of body: [UInt8], _ source: WebhookSource) throws(Problem) -> WebhookEnvelope {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(body, limits: WebhookIntake.limits)
        } catch {
            let code = if case .duplicateName = error { "duplicate_keys" } else { "invalid_payload" }
            refused(source, code)
            throw Problem(400, code, "The body isn't JSON that is accepted here: \(error).")
        }
        do throws(ProviderEventError) {
            return try source.reader.envelope(json)
        } catch {
            refused(source, error.code)
            throw error.problem
        }
    }

    /// The query of a webhook by GET in the form of the other bodies; its digest stands for an id.
    private static func body(ofQuery request: APIRequest) -> [UInt8] {
        let members = request.parameters.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value) }
        let digest = Hex.encode(SHA256Digest.of(Array(request.rawQuery.utf8)))
        return (["type": "query", "id": .string(digest), "data": .object(members)] as JSON).serialized()
    }

    /// What is worth keeping of the headers: those that prove who sent it, and those that help to find the sender's
    /// fault.
    private func kept(_ headers: Headers, _ source: WebhookSource, _ intent: ID<BankTransaction>?) -> JSON {
        var members = source.signatureHeaders.compactMap { name in
            headers[name].map { JSON.Member(name, .string($0)) }
        }
        for name in ["content-type", "user-agent"] {
            guard let value = headers[name] else { continue }
            members.append(
                JSON.Member(
                    name,
                    .string(String(decoding: value.utf8.prefix(WebhookIntake.keptBytesMax), as: UTF8.self))
                )
            )
        }
        if let intent { members.append(JSON.Member(WebhookIntake.intentHeader, .string(intent.wire))) }
        return .object(members)
    }

    private func refused(_ source: WebhookSource, _ reason: String) {
        Counter(
            label: "webhook_payloads_refused_total",
            dimensions: [("source", source.name), ("reason", reason)]
        ).increment()
    }
}

extension ProviderEventError {
    /// A stable word: `invalid_payload`, `wrong_mode`.
    fileprivate var code: String {
        switch self {
        case .malformed: "invalid_payload"
        case .wrongMode: "wrong_mode"
        }
    }

    fileprivate var problem: Problem {
        switch self {
        case .malformed(let member):
            Problem(
                400,
                code,
                "The body isn't an event of the provider's form.",
                faults: [Problem.Fault("/" + member.replacing(".", with: "/"), "missing_or_malformed")]
            )
        case .wrongMode:
            Problem(
                400,
                code,
                "The event is of another mode: test events go to test systems, live events to live ones."
            )
        }
    }
}
