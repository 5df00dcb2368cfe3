public import HTTP
import Kernel
public import Messaging
import Webhooks

/// `POST /v1/webhooks/persona` and `/sumsub`: where vendors tell what they have found.
///
/// The signature is checked over the raw bytes, the event is kept in the platform's inbox, and the vendor is answered;
/// what it means to a customer is the inbox worker's business.
public struct VendorWebhooks: Sendable {
    /// Vendors give up after 5 s at the least.
    static let timeoutSeconds = 5
    private static let limits = JSON.Limits(
        bytesMax: BodyKind.rawLimitBytesDefault,
        depthMax: WebhookLimits.jsonDepthMax
    )

    private let sources: [(vendor: any IdentityVendor, keys: KeyRing)]
    private let inbox: Inbox

    /// The vendors that have webhook secrets, the current one of each first; for the others there is nothing, that is
    /// 404.
    ///
    /// - Throws: `KeyRingError` for secrets that can't be used; the program doesn't start then.
    public init(persona: [String], sumsub: [String], inbox: Inbox) throws {
        var sources: [(any IdentityVendor, KeyRing)] = []
        if !persona.isEmpty { sources.append((PersonaVendor(), try KeyRing(.persona, texts: persona))) }
        if !sumsub.isEmpty { sources.append((SumsubVendor(), try KeyRing(.sumsub, texts: sumsub))) }
        (self.sources, self.inbox) = (sources, inbox)
    }

    /// Who looks at applications: the first vendor; nil for the staff.
    public var provider: String? { sources.first?.vendor.name }

    /// A route for each vendor, without a rate limit: a signature is cheaper to check than a request is to count.
    public var routes: [Route] { sources.map { route($0.vendor, $0.keys) } }

    /// What handles the vendors' events in the platform's inbox.
    public func handlers(_ applications: KYCApplications) -> [String: any InboxHandler] {
        var handlers: [String: any InboxHandler] = [:]
        for source in sources {
            handlers[source.vendor.name] = VendorHandler(vendor: source.vendor, applications: applications)
        }
        return handlers
    }

    private func route(_ vendor: any IdentityVendor, _ keys: KeyRing) -> Route {
        let word = vendor.name.prefix(1).uppercased() + vendor.name.dropFirst()
        let headers = vendor.signatureHeaders.map { "`\($0)`" }.joined(separator: ", ")
        return Route(
            .post,
            PathTemplate("/v1/webhooks/\(vendor.name)"),
            operationID: "receive\(word)Webhook",
            summary: "Take a webhook of the identity vendor \(vendor.name)",
            description: "The signature (\(headers)) is checked over the bytes as they came. 200 says that it is kept.",
            tag: "Webhooks",
            access: .public,
            body: .raw(mediaType: "application/json"),
            responses: [
                200: ResponseShape(
                    "The event is kept.",
                    .object([.required("status", .oneOf(["stored", "duplicate", "conflict"]))])
                )
            ],
            problems: VendorWebhooks.problems,
            rateLimit: nil,
            timeoutSeconds: VendorWebhooks.timeoutSeconds
        ) { [inbox] request in
            let receipt = try await inbox.put(try VendorWebhooks.arrival(request, vendor, keys))
            return .ok(["status": .string(receipt.rawValue)])
        }
    }

    private static func arrival(
        _ request: APIRequest,
        _ vendor: any IdentityVendor,
        _ keys: KeyRing
    ) throws(Problem) -> InboxArrival {
        let signed = SignedRequest(
            method: request.method.rawValue,
            headers: request.headers.all.map { ($0.name, $0.value) },
            body: request.rawBody
        )
        if let problem = vendor.signature.verifier.verify(signed, keys: keys, now: request.now).problem {
            throw problem
        }
        let event = try event(of: request.rawBody, vendor)
        let kept = vendor.signatureHeaders.compactMap { name in
            request.headers[name].map { JSON.Member(name, .string($0)) }
        }
        return InboxArrival(
            source: vendor.name,
            eventID: event.id,
            type: event.type,
            objectID: event.reference,
            headers: .object(kept),
            body: request.rawBody,
            origin: .webhook
        )
    }

    private static func event(of bytes: [UInt8], _ vendor: any IdentityVendor) throws(Problem) -> VendorEvent {
        let body: JSON
        do throws(JSONError) { body = try JSON.parse(bytes, limits: limits) } catch {
            let code = if case .duplicateName = error { "duplicate_keys" } else { "invalid_payload" }
            throw Problem(400, code, "The body isn't JSON that is accepted here: \(error).")
        }
        do throws(VendorFault) { return try vendor.event(body) } catch {
            throw Problem(
                400,
                "invalid_payload",
                "The body isn't an event of the vendor's form.",
                faults: [Problem.Fault("/" + error.member.replacing(".", with: "/"), "missing_or_malformed")]
            )
        }
    }

    private static let problems: [Int: [String]] = {
        var problems: [Int: [String]] = [
            400: ["invalid_payload", "duplicate_keys"], 429: ["overloaded"],
            503: ["database_unavailable", "database_busy", "shutting_down"],
        ]
        for problem in SignatureVerdict.allCases.compactMap(\.problem)
        where problems[problem.status]?.contains(problem.code) != true {
            problems[problem.status, default: []].append(problem.code)
        }
        return problems
    }()
}
