import Kernel
import Logging
import OutboundHTTP
import Settings

/// Ramp Network: the customer buys crypto in its widget, which goes to a wallet of ours or of the customer's own, or
/// sells crypto there.
///
/// Nothing is asked of Ramp, and its events don't say which of ours they are about. The webhook's address
/// does, which the widget is started with: its last part is made for the transaction and can't be guessed. So the
/// reference is the transaction's wire id, under which the inbox keeps the events.
struct RampProvider: PaymentProvider {
    /// Open trades that one reconciliation asks after.
    static let openMax = 1_000
    static let deadlineSecondsDefault = 10.0

    /// A purchase or sale as its first webhook named it.
    struct Trade: Sendable, Hashable {
        let id: String
        /// What Ramp wants to see before it tells about it.
        let viewToken: String
        let isSale: Bool
        /// The transaction of the path by which it came.
        let transaction: ID<BankTransaction>

        /// The trade of a webhook's body; nil for a body that doesn't name one.
        init?(_ body: JSON, of transaction: ID<BankTransaction>) {
            isSale = body["mode"]?.stringValue == "OFFRAMP"
            let trade = body[isSale ? "payload" : "purchase"]
            guard let id = trade?["id"]?.stringValue,
                let token = trade?[isSale ? "saleViewToken" : "purchaseViewToken"]?.stringValue
            else { return nil }
            (self.id, viewToken, self.transaction) = (id, token, transaction)
        }

        /// Where its present state is, below the API's address.
        ///
        /// Source: https://docs.ramp.network/purchase-status, https://docs.ramp.network/off-ramp/status
        var path: String {
            let folder = isSale ? "/api/host-api/v3/offramp/sale/" : "/api/host-api/purchase/"
            return "\(folder)\(Percent.encode(id))?secret=\(Percent.encode(viewToken))"
        }
    }

    let name = "ramp"
    private let baseURL: String
    private let http: HTTPClient
    private let deadlineSeconds: Double
    private let widget: RampWidget?
    private let logger: Logger
    private let openTrades: @Sendable (_ countMax: Int) async throws -> [Trade]

    /// Ramp by its parts.
    ///
    /// `widget` is what the customer's URL is made of, nil to take no deposits and only read what was begun;
    /// `openTrades` tells the trades that have not ended, at most as many as said.
    init(
        baseURL: String,
        http: HTTPClient,
        widget: RampWidget?,
        deadlineSeconds: Double = deadlineSecondsDefault,
        logger: Logger,
        openTrades: @escaping @Sendable (_ countMax: Int) async throws -> [Trade]
    ) {
        self.deadlineSeconds = deadlineSeconds
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        (self.http, self.widget, self.logger, self.openTrades) = (http, widget, logger, openTrades)
    }

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer { redirect(intent) { $0.url(for: intent) } }

    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer {
        redirect(intent) { $0.purchaseURL(for: intent) }
    }

    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer { redirect(intent) { $0.saleURL(for: intent) } }

    private func redirect(_ intent: ProviderIntent, to page: (RampWidget) -> String?) -> ProviderAnswer {
        guard let widget else { return .refused(reason: "not_offered") }
        guard let url = page(widget) else { return .refused(reason: "not_supported") }
        return .accepted(reference: intent.transaction.wire, action: ["type": "redirect", "url": .string(url)])
    }

    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }

    /// Refused: what was bought can't be given back.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        .refused(reason: "not_offered")
    }

    /// The present state of each open trade, changed since the instant, in the form of webhooks.
    ///
    /// Ramp tries a webhook four times within ten minutes and is silent then, so this is to be asked every two.
    ///
    /// - Throws: `ProviderPollError` and what the client throws where nothing could be read.
    func events(since: Timestamp) async throws -> [JSON] {
        let round = StatusRound(provider: name, logger: logger)
        let open = try await openTrades(RampProvider.openMax)
        let told = try await round.ask(after: open, transaction: \.transaction) { open in
            let trade = try await read(open)
            guard let status = trade["status"]?.stringValue, let type = RampProvider.type(ofStatus: status) else {
                return []
            }
            let intent = JSON.string(open.transaction.wire)
            let body: JSON =
                open.isSale
                ? ["type": .string(type), "mode": "OFFRAMP", "payload": trade, RampProvider.intentMember: intent]
                : ["type": .string(type), "purchase": trade, RampProvider.intentMember: intent]
            return [(try event(body).occurredAt, body)]
        }
        return told.filter { $0.at >= since }.sorted { $0.at < $1.at }.map(\.body)
    }

    private func read(_ trade: Trade) async throws -> JSON {
        var request = OutboundRequest(.get, baseURL + trade.path)
        request.deadlineSeconds = deadlineSeconds
        let response = try await http.send(request)
        guard response.status == 200, let json = try? JSON.parse(response.body), case .object = json else {
            throw ProviderPollError(provider: name, status: response.status)
        }
        return json
    }
}
