/// One request on its way through attempts and redirects.
struct Exchange {
    /// The headers that go to another origin than the one they were meant for.
    private static let harmlessHeaders: Set<String> = ["accept", "accept-language", "user-agent"]

    let request: OutboundRequest
    /// When the whole is over, in monotonic nanoseconds.
    let deadline: Int64
    private let configuration: HTTPClientConfiguration
    private var target: TargetURL?
    private var headers: [OutboundHeader]
    private var mayHaveBeenSent = false
    private(set) var attempts = 0

    init(_ request: OutboundRequest, _ configuration: HTTPClientConfiguration, deadline: Int64) {
        (self.request, self.configuration, self.deadline) = (request, configuration, deadline)
        headers = request.headers
    }

    /// Where the next attempt goes.
    var origin: String { target?.origin ?? "" }

    /// Checks the request and finds its target.
    mutating func prepare() throws(OutboundError) {
        target = try TargetURL(request.url, allowsPlainHTTP: configuration.allowPlainHTTP)
        if let fault = RequestCheck.fault(of: request, bodyBytesMax: configuration.requestBytesMax) {
            throw error(.invalidRequest(fault))
        }
    }

    /// The next attempt; nil when there is no time left.
    func order(id: UInt64, now: Int64) -> TransferOrder? {
        let remaining = deadline - now
        guard remaining > 0, let target else { return nil }
        let attempt = request.attemptTimeoutSeconds.map { min(remaining, Monotonic.nanoseconds($0)) } ?? remaining
        return TransferOrder(
            id: id,
            method: request.method,
            url: target.text,
            headers: headers,
            body: request.body,
            responseBytesMax: request.responseBytesMax,
            isIdempotent: request.isIdempotent,
            connectTimeoutMilliseconds: max(1, Int(configuration.connectTimeoutSeconds * 1000)),
            timeoutMilliseconds: max(1, Int(attempt / 1_000_000))
        )
    }

    /// Remembers what an attempt says about the delivery: once possibly sent, it stays so.
    mutating func note(_ outcome: AttemptOutcome) {
        attempts += 1
        mayHaveBeenSent = mayHaveBeenSent || outcome.mayHaveBeenSent
    }

    /// An error with the delivery of all attempts.
    func error(_ reason: OutboundError.Reason) -> OutboundError {
        OutboundError(reason, mayHaveBeenSent ? .outcomeUnknown : .notSent)
    }

    /// Turns to where a response points; false when it is no redirect to follow.
    mutating func redirect(by response: OutboundResponse) throws(OutboundError) -> Bool {
        guard [301, 302, 303, 307, 308].contains(response.status), request.method == .get || request.method == .head,
            let location = response.header("location"), let target
        else { return false }
        let next: TargetURL
        do throws(OutboundError) {
            next = try target.redirected(to: location, allowsPlainHTTP: configuration.allowPlainHTTP)
        } catch {
            throw self.error(.forbiddenRedirect)
        }
        if next.origin != target.origin {
            headers = headers.filter { Exchange.harmlessHeaders.contains($0.name.lowercased()) }
        }
        self.target = next
        return true
    }
}
