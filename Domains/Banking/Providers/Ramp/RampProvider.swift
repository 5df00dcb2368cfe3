import Kernel
import Logging
import OutboundHTTP
import Settings

/// Ramp Network: the customer buys crypto in its widget, which goes to a wallet of ours.
///
/// Nothing is asked of Ramp for a deposit, and its events don't say which of ours they are about. The webhook's address
/// does, which the widget is started with: its last part is made for the transaction and can't be guessed. So the
/// reference of a deposit is the transaction's wire id, under which the inbox keeps the events.
struct RampProvider: PaymentProvider {
    /// Open purchases that one reconciliation asks after.
    static let openMax = 1_000
    static let deadlineSecondsDefault = 10.0

    /// A purchase as its first webhook named it.
    struct Purchase: Sendable, Hashable {
        let id: String
        /// What Ramp wants to see before it tells about it.
        let viewToken: String
        /// The transaction of the path by which it came.
        let transaction: ID<BankTransaction>
    }

    let name = "ramp"
    private let baseURL: String
    private let http: HTTPClient
    private let deadlineSeconds: Double
    private let widget: RampWidget?
    private let openPurchases: @Sendable (_ countMax: Int) async throws -> [Purchase]

    /// Ramp by its parts.
    ///
    /// `widget` is what the customer's URL is made of, nil to take no deposits and only read what was begun;
    /// `openPurchases` tells the purchases that have not ended, at most as many as said.
    init(
        baseURL: String,
        http: HTTPClient,
        widget: RampWidget?,
        deadlineSeconds: Double = deadlineSecondsDefault,
        openPurchases: @escaping @Sendable (_ countMax: Int) async throws -> [Purchase]
    ) {
        self.deadlineSeconds = deadlineSeconds
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        (self.http, self.widget, self.openPurchases) = (http, widget, openPurchases)
    }

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer {
        guard let widget else { return .refused(reason: "not_offered") }
        guard let url = widget.url(for: intent) else { return .refused(reason: "not_supported") }
        return .accepted(reference: intent.transaction.wire, action: ["type": "redirect", "url": .string(url)])
    }

    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { .refused(reason: "not_offered") }

    /// Refused: what was bought can't be given back.
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer {
        .refused(reason: "not_offered")
    }

    /// The present state of each open purchase, changed since the instant, in the form of webhooks.
    ///
    /// Ramp tries a webhook four times within ten minutes and is silent then, so this is to be asked every two.
    ///
    /// - Throws: `ProviderPollError` at the first that couldn't be read.
    func events(since: Timestamp) async throws -> [JSON] {
        var bodies: [(at: Timestamp, body: JSON)] = []
        for open in try await openPurchases(RampProvider.openMax) {
            let purchase = try await read(open)
            guard let status = purchase["status"]?.stringValue, let type = RampProvider.type(ofStatus: status) else {
                continue
            }
            let body: JSON = [
                "type": .string(type), "purchase": purchase, RampProvider.intentMember: .string(open.transaction.wire),
            ]
            guard let event = try? event(body), event.occurredAt >= since else { continue }
            bodies.append((event.occurredAt, body))
        }
        return bodies.sorted { $0.at < $1.at }.map(\.body)
    }

    private func read(_ purchase: Purchase) async throws -> JSON {
        // https://docs.ramp.network/purchase-status
        let path = "/api/host-api/purchase/\(Percent.encode(purchase.id))?secret=\(Percent.encode(purchase.viewToken))"
        var request = OutboundRequest(.get, baseURL + path)
        request.deadlineSeconds = deadlineSeconds
        let response = try await http.send(request)
        guard response.status == 200, let json = try? JSON.parse(response.body), case .object = json else {
            throw ProviderPollError(provider: name, status: response.status)
        }
        return json
    }
}
