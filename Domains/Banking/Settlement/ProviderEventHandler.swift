import Kernel
import Messaging

/// Handles a provider's events from the inbox: finds the transaction and settles it.
struct ProviderEventHandler: InboxHandler {
    /// Attempts on top of each other's changes before the event waits for its next turn.
    private static let supersededMax = 5

    let provider: any PaymentProvider
    let transactions: Transactions
    let settlement: Settlement

    func attemptsMax(for type: String) -> Int { Self.moneyAttemptsMax }

    func handle(_ arrived: InboxEvent) async throws -> InboxDisposition {
        let event: ProviderEvent
        do {
            event = try provider.event(try JSON.parse(arrived.body, limits: WebhookIntake.limits))
        } catch let error as ProviderEventError {
            return .dead("\(error)")
        } catch let error as JSONError {
            return .dead("\(error)")
        }
        guard event.state != .other else { return .ignored("an event of type \(event.type)") }
        for _ in 0..<ProviderEventHandler.supersededMax {
            guard let transaction = try await find(event, arrived) else {
                return .parked("no transaction for \(arrived.objectID ?? event.objectID)")
            }
            switch try await settlement.apply(event, from: provider.name, to: transaction, arrived: arrived) {
            case .settled: return .processed
            case .nothingNew(let why): return .ignored(why)
            case .superseded: continue
            case .tooEarly(let why): return .parked(why)
            case .refused(let refusal): return .retry("the ledger refused it: \(refusal)")
            case .impossible(let why): return .dead(why)
            }
        }
        return .retry("the transaction kept changing")
    }

    private func find(_ event: ProviderEvent, _ arrived: InboxEvent) async throws -> BankTransaction? {
        let objectID = arrived.objectID ?? event.objectID
        if let known = try await transactions.find(provider: provider.name, objectID: objectID) { return known }
        // The webhook came before the provider's answer to our call; what the object says of itself is held against us.
        guard let named = event.transaction, let transaction = try await transactions.find(named),
            transaction.provider == provider.name, transaction.providerReference == nil
        else { return nil }
        return transaction
    }
}
