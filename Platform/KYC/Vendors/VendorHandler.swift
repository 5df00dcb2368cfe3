import DataProtection
import HTTP
import Identity
import Kernel
import Messaging

/// Lets what a vendor has found count, with the event's mark in the same transaction.
struct VendorHandler: InboxHandler {
    let vendor: any IdentityVendor
    let applications: KYCApplications

    func handle(_ event: InboxEvent) async throws -> InboxDisposition {
        let word: VendorEvent
        do {
            word = try vendor.event(try JSON.parse(event.body))
        } catch {
            return .dead("\(error)")
        }
        guard word.outcome != .step else { return .ignored("a step of the dialogue") }
        guard let id = word.reference.flatMap({ ID<KYCApplication>(wire: $0) }) else {
            return .ignored("not our reference")
        }
        do {
            let known = try await applications.find(id)
            return try await settle(known, word, event)
        } catch let silence as VendorSilence {
            return switch silence {
            case .early: .parked("the application isn't handed in yet")
            case .late: .ignored("something younger was told before")
            case .settled: .ignored("a person has acted, or the application is over")
            }
        } catch let problem as Problem where problem.status == 404 {
            return .ignored("no such application of a customer")
        }
    }

    private func settle(
        _ known: KYCApplication,
        _ word: VendorEvent,
        _ event: InboxEvent
    ) async throws -> InboxDisposition {
        let name = vendor.name
        try await applications.settle(known) { approved in
            KYCStep(
                "kyc.vendor_told",
                of: known,
                by: Requester(actor: "system:" + name),
                because: word.type,
                whenApproved: approved,
                rows: [event.mark],
                applications
            ) { try $0.hear(word, from: name, at: $1) }
        }
        return .processed
    }

    /// A day or two of outages lose nobody's identification.
    func attemptsMax(for type: String) -> Int { VendorHandler.moneyAttemptsMax }
}
