import Kernel
import Logging
import OutboundHTTP
import Settings

/// What became of one request to Stripe, in the terms that decide what may be done next.
enum StripeReply: Sendable, Hashable {
    /// 2xx: the object.
    case object(JSON)
    /// 402: the card was refused, for good, with Stripe's code; the intent's id, where the answer names it.
    case cardRefused(code: String, intent: String?)
    /// Another 4xx: the request is wrong and nothing was done.
    case refused(code: String)
    /// 401, 403: the key is wrong and nothing was done.
    case notAllowed
    /// It may or may not have been done: no answer, 409, 429, 5xx, or an answer that can't be read.
    case unclear(String)
    /// It surely wasn't done, as it wasn't sent.
    case notSent(String)
}

/// Requests to Stripe's API.
struct StripeClient: Sendable {
    /// The version that bodies are written and read by, whatever the account is set to.
    static let version = "2024-10-28.acacia"
    /// Seconds for a request; a charge at a slow bank takes up to about twenty.
    static let deadlineSeconds = 25.0
    /// Seconds for reading, which no bank is asked for.
    static let readSecondsMax = 10.0

    private let secretKey: Secret
    private let baseURL: String
    private let http: HTTPClient
    private let logger: Logger
    private let deadlineSeconds: Double

    init(
        secretKey: Secret,
        baseURL: String,
        http: HTTPClient,
        logger: Logger,
        deadlineSeconds: Double = StripeClient.deadlineSeconds
    ) {
        self.secretKey = secretKey
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        (self.http, self.logger, self.deadlineSeconds) = (http, logger, deadlineSeconds)
    }

    /// Whether the key is of the live mode; its events are live then.
    var isLive: Bool { ["sk_live_", "rk_live_"].contains { secretKey.reveal().hasPrefix($0) } }

    /// Reads; repeated by itself where that may help.
    func get(_ path: String, _ query: StripeForm = StripeForm()) async -> StripeReply {
        let text = query.encoded
        return await send(OutboundRequest(.get, baseURL + path + (text.isEmpty ? "" : "?" + text)), path)
    }

    /// Does something, once: it is never repeated here, since not every peer knows what it has done under a key.
    func post(_ path: String, _ form: StripeForm, idempotencyKey: String) async -> StripeReply {
        var request = OutboundRequest(.post, baseURL + path, body: Array(form.encoded.utf8))
        request.headers = [
            OutboundHeader("Content-Type", "application/x-www-form-urlencoded"),
            OutboundHeader("Idempotency-Key", idempotencyKey),
        ]
        return await send(request, path)
    }

    private func send(_ request: OutboundRequest, _ path: String) async -> StripeReply {
        var request = request
        request.headers += [
            OutboundHeader("Authorization", "Bearer " + secretKey.reveal()),
            OutboundHeader("Stripe-Version", StripeClient.version),
        ]
        request.deadlineSeconds =
            request.method == .get ? min(deadlineSeconds, StripeClient.readSecondsMax) : deadlineSeconds
        // A list of a hundred intents with all their members has some hundred kilobytes.
        request.responseBytesMax = 4 << 20
        do throws(OutboundError) {
            let response = try await http.send(request)
            let reply = StripeReply(response)
            log(reply, response, path)
            return reply
        } catch {
            switch error.delivery {
            case .notSent: return .notSent(error.reason.code)
            case .outcomeUnknown: return .unclear(error.reason.code)
            }
        }
    }

    private func log(_ reply: StripeReply, _ response: OutboundResponse, _ path: String) {
        let level: Logger.Level =
            switch reply {
            case .object, .cardRefused: .debug
            case .refused, .unclear, .notSent: .warning
            case .notAllowed: .error
            }
        logger.log(
            level: level,
            level == .error ? "Stripe refuses our API key" : "Stripe answered",
            metadata: [
                "resource": "\(path.split(separator: "/").prefix(2).joined(separator: "/"))",
                "status": "\(response.status)",
                "stripe_request": "\(response.header("Request-Id") ?? "-")",
                "should_retry": "\(response.header("Stripe-Should-Retry") ?? "-")",
                "replayed": "\(response.header("Idempotent-Replayed") ?? "-")",
            ]
        )
    }
}

extension StripeReply {
    /// Reads an answer.
    init(_ response: OutboundResponse) {
        let json = try? JSON.parse(response.body, limits: JSON.Limits(bytesMax: 4 << 20))
        let error = json?["error"]
        let code = error?["decline_code"]?.stringValue ?? error?["code"]?.stringValue ?? error?["type"]?.stringValue
        switch response.status {
        case 200..<300:
            guard let json, case .object = json else {
                self = .unclear("status \(response.status) without an object")
                return
            }
            self = .object(json)
        case 402:
            self = .cardRefused(code: code ?? "card_declined", intent: error?["payment_intent"]?["id"]?.stringValue)
        case 401, 403: self = .notAllowed
        // An answer to a key whose first request is under way or had another body, too: what it did has to be looked
        // up.
        case 409, 429: self = .unclear("status \(response.status)")
        case 400 where error?["type"]?.stringValue == "idempotency_error": self = .unclear("idempotency_error")
        case 400..<500: self = .refused(code: code ?? "status_\(response.status)")
        default: self = .unclear("status \(response.status)")
        }
    }
}
