import Kernel
import Messaging
import PostgreSQL

/// Handles what another domain says about transfers.
struct TransferEventHandler: InboxHandler {
    let schema: String
    let arrivals: TransferArrivals
    let answers: TransferAnswers

    func attemptsMax(for type: String) -> Int { Self.moneyAttemptsMax }

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        let envelope: TransferMessage.Envelope
        do { envelope = try TransferMessage.read(event) } catch { return .dead("\(error)") }
        let message = envelope.message
        do {
            switch message.kind {
            case .sent:
                guard message.to == schema else { return .ignored("a transfer to \(message.to)") }
                return try await arrivals.take(envelope, event)
            case .received, .refused:
                guard message.from == schema else { return .ignored("a transfer from \(message.from)") }
                return try await answers.settle(envelope, event)
            }
        } catch let error as PostgresError where error.state == "D0409" {
            // The transfer changed since it was read, or the event is another worker's by now.
            return .retry("somebody else was first")
        }
    }
}
