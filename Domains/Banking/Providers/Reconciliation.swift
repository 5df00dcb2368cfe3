public import Kernel
import Messaging

extension BankingDomain {
    /// Asks a provider for everything since an instant and puts it into the inbox, where what had come is a duplicate.
    ///
    /// - Returns: how many events the provider told of, and how many of them had never come.
    /// - Throws: 404 for a provider that isn't configured; what the provider's adapter throws.
    public func reconcile(_ provider: String, since: Timestamp) async throws -> (asked: Int, missed: Int) {
        guard let adapter = providers.first(where: { $0.name == provider }), let reader = adapter as? any WebhookReader
        else {
            throw Problem(404, "not_found", "There is no provider \(provider) in this configuration.")
        }
        let arrivals = try await adapter.events(since: since).map { body in
            let envelope = try reader.envelope(body)
            return InboxArrival(
                source: provider,
                eventID: envelope.eventID,
                type: envelope.type,
                objectID: envelope.objectID,
                headers: [:],
                body: body.serialized(),
                origin: .poll
            )
        }
        let known = try await inbox.known(arrivals.map(\.eventID), of: provider)
        let receipts = try await inbox.put(arrivals.filter { !known.contains($0.eventID) })
        return (arrivals.count, receipts.count { $0 == .stored })
    }
}
