import Kernel
import Logging
import OutboundHTTP
import Settings

/// MoonPay: the customer buys crypto in its widget, which goes to a wallet of ours.
///
/// Nothing is asked of MoonPay for a deposit: the customer gets the widget's signed URL, which names the transaction,
/// and MoonPay names it in all that it says. So the reference of a deposit is the transaction's wire id.
struct MoonPayProvider: PaymentProvider {
    /// Open deposits that one reconciliation asks after.
    static let openMax = 1_000
    static let deadlineSecondsDefault = 10.0

    let name = "moonpay"
    private let secretKey: Secret
    private let baseURL: String
    private let http: HTTPClient
    private let deadlineSeconds: Double
    private let widget: MoonPayWidget?
    private let openDeposits: OpenDeposits

    /// MoonPay by its parts.
    ///
    /// `widget` is what the customer's URL is made of, nil to take no deposits and only read what was begun;
    /// `openDeposits` tells the deposits that have not ended.
    init(
        secretKey: Secret,
        baseURL: String,
        http: HTTPClient,
        widget: MoonPayWidget?,
        deadlineSeconds: Double = deadlineSecondsDefault,
        openDeposits: @escaping OpenDeposits
    ) {
        self.deadlineSeconds = deadlineSeconds
        self.secretKey = secretKey
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        (self.http, self.widget, self.openDeposits) = (http, widget, openDeposits)
    }

    /// MoonPay as it is configured; nil where there is no API key.
    init?(
        _ settings: Settings.Providers.MoonPay,
        http: HTTPClient,
        widget: MoonPayWidget?,
        openDeposits: @escaping OpenDeposits
    ) {
        guard let key = settings.secretKey else { return nil }
        self.init(secretKey: key, baseURL: settings.baseURL, http: http, widget: widget, openDeposits: openDeposits)
    }

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer {
        guard let widget else { return .refused(reason: "not_offered") }
        guard let url = widget.url(for: intent, secretKey: secretKey) else { return .refused(reason: "not_supported") }
        return .accepted(reference: intent.transaction.wire, action: ["type": "redirect", "url": .string(url)])
    }

    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }

    /// Refused: what was bought can't be given back.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        .refused(reason: "not_offered")
    }

    /// The present state of each open deposit that MoonPay knows, changed since the instant, in the form of webhooks.
    ///
    /// - Throws: `ProviderPollError` at the first that couldn't be read.
    func events(since: Timestamp) async throws -> [JSON] {
        var bodies: [(at: Timestamp, body: JSON)] = []
        for deposit in try await openDeposits(MoonPayProvider.openMax) {
            for purchase in try await purchases(of: deposit) {
                let body: JSON = ["type": "transaction_updated", "data": purchase]
                guard let event = try? event(body), event.occurredAt >= since else { continue }
                bodies.append((event.occurredAt, body))
            }
        }
        return bodies.sorted { $0.at < $1.at }.map(\.body)
    }

    /// What MoonPay has under our id; a customer may begin several times with one URL.
    private func purchases(of deposit: ID<BankTransaction>) async throws -> [JSON] {
        // https://dev.moonpay.com/reference/getbuytransactionbyexternalid
        var request = OutboundRequest(.get, "\(baseURL)/v1/transactions/ext/\(deposit.wire)")
        request.headers = [OutboundHeader("Authorization", "Api-Key " + secretKey.reveal())]
        request.deadlineSeconds = deadlineSeconds
        let response = try await http.send(request)
        // The customer has not begun.
        if response.status == 404 { return [] }
        guard response.status == 200, let purchases = (try? JSON.parse(response.body))?.elements else {
            throw ProviderPollError(provider: name, status: response.status)
        }
        return purchases
    }
}

/// The deposits by a provider that have not ended, the oldest first, at most as many as said.
typealias OpenDeposits = @Sendable (_ countMax: Int) async throws -> [ID<BankTransaction>]

/// A provider answered a question after a status with something else than the status.
struct ProviderPollError: Error, Hashable {
    /// The provider's name.
    let provider: String
    /// The HTTP status of its answer.
    let status: Int
}
