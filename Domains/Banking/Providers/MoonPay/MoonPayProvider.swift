import Kernel
import Logging
import OutboundHTTP
import Settings

/// MoonPay: the customer buys crypto in its widget, which goes to a wallet of ours or of the customer's own, or sells
/// crypto there.
///
/// Nothing is asked of MoonPay: the customer gets the widget's signed URL, which names the transaction, and MoonPay
/// names it in all that it says. So its reference is the transaction's wire id.
struct MoonPayProvider: PaymentProvider {
    /// Open transactions of a kind that one reconciliation asks after.
    static let openMax = 1_000
    static let deadlineSecondsDefault = 10.0

    let name = "moonpay"
    private let secretKey: Secret
    private let baseURL: String
    private let http: HTTPClient
    private let deadlineSeconds: Double
    private let widget: MoonPayWidget?
    private let logger: Logger
    private let open: OpenTransactions

    /// MoonPay by its parts.
    ///
    /// `widget` is what the customer's URL is made of, nil to take no deposits and only read what was begun;
    /// `open` tells the transactions that have not ended.
    init(
        secretKey: Secret,
        baseURL: String,
        http: HTTPClient,
        widget: MoonPayWidget?,
        deadlineSeconds: Double = deadlineSecondsDefault,
        logger: Logger,
        open: @escaping OpenTransactions
    ) {
        self.deadlineSeconds = deadlineSeconds
        self.secretKey = secretKey
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        (self.http, self.widget, self.logger, self.open) = (http, widget, logger, open)
    }

    /// MoonPay as it is configured; nil where there is no API key.
    init?(
        _ settings: Settings.Providers.MoonPay,
        http: HTTPClient,
        widget: MoonPayWidget?,
        logger: Logger,
        open: @escaping OpenTransactions
    ) {
        guard let key = settings.secretKey else { return nil }
        self.init(
            secretKey: key,
            baseURL: settings.baseURL,
            http: http,
            widget: widget,
            logger: logger,
            open: open
        )
    }

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer {
        redirect(intent) { $0.url(for: intent, secretKey: secretKey) }
    }

    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer {
        redirect(intent) { $0.purchaseURL(for: intent, secretKey: secretKey) }
    }

    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer {
        redirect(intent) { $0.saleURL(for: intent, secretKey: secretKey) }
    }

    private func redirect(_ intent: ProviderIntent, to page: (MoonPayWidget) -> String?) -> ProviderAnswer {
        guard let widget else { return .refused(reason: "not_offered") }
        guard let url = page(widget) else { return .refused(reason: "not_supported") }
        return .accepted(reference: intent.transaction.wire, action: ["type": "redirect", "url": .string(url)])
    }

    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }

    /// Refused: what was bought can't be given back.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        .refused(reason: "not_offered")
    }

    /// The present state of what is open and MoonPay knows, changed since the instant, in the form of webhooks.
    ///
    /// - Throws: `ProviderPollError` and what the client throws where nothing could be read.
    func events(since: Timestamp) async throws -> [JSON] {
        let round = StatusRound(provider: name, logger: logger)
        // https://dev.moonpay.com/reference/getbuytransactionbyexternalid, …/getselltransactionbyexternalid
        let bought = try await open([.deposit, .purchase], MoonPayProvider.openMax).map { Asked(transaction: $0) }
        let sold = try await open([.sale], MoonPayProvider.openMax).map { Asked(transaction: $0, isSale: true) }
        let told = try await round.ask(after: bought + sold, transaction: \.transaction) { asked in
            try await trades(at: asked.path).map { trade in
                let body: JSON = ["type": .string(asked.type), "data": trade]
                return (try event(body).occurredAt, body)
            }
        }
        return told.filter { $0.at >= since }.sorted { $0.at < $1.at }.map(\.body)
    }

    /// A transaction that is asked after.
    private struct Asked {
        let transaction: ID<BankTransaction>
        var isSale = false

        var path: String { (isSale ? "/v3/sell_transactions/ext/" : "/v1/transactions/ext/") + transaction.wire }
        /// The type of the webhook that would have told the same.
        var type: String { isSale ? "sell_transaction_updated" : "transaction_updated" }
    }

    /// What MoonPay has under our id; a customer may begin several times with one URL.
    private func trades(at path: String) async throws -> [JSON] {
        var request = OutboundRequest(.get, baseURL + path)
        request.headers = [OutboundHeader("Authorization", "Api-Key " + secretKey.reveal())]
        request.deadlineSeconds = deadlineSeconds
        let response = try await http.send(request)
        // The customer has not begun.
        if response.status == 404 { return [] }
        guard response.status == 200, let trades = (try? JSON.parse(response.body))?.elements else {
            throw ProviderPollError(provider: name, status: response.status)
        }
        return trades
    }
}

/// The transactions of some kinds by a provider that have not ended, in turns, at most as many as said.
typealias OpenTransactions =
    @Sendable (_ kinds: [BankTransaction.Kind], _ countMax: Int) async throws -> [ID<BankTransaction>]

/// A provider answered a question after a status with something else than the status.
struct ProviderPollError: Error, Hashable {
    /// The provider's name.
    let provider: String
    /// The HTTP status of its answer.
    let status: Int
}
