import Compliance
import HTTP
import Kernel
import WalletCrypto

extension AddressScreening {
    /// Lets an address pass that nobody forbids; what a person has to look at first passes, too.
    ///
    /// - Returns: the answer, to be kept.
    /// - Throws: 422 `address_blocked`.
    @discardableResult
    func refuseBlocked(
        _ account: AccountID,
        for user: ID<User>,
        subject: UInt128,
        _ use: ScreenedAddress.Use
    ) async throws -> ComplianceAnswer {
        let address = ScreenedAddress(subject: subject, user: user, account: account.description, use: use)
        let answer = try await screen(address)
        guard answer.outcome != .block else {
            throw Problem(422, "address_blocked", "Nothing can be done with this address here. Contact support.")
        }
        return answer
    }

    /// Lets an address pass only when nothing is held against it.
    ///
    /// - Throws: 422 `address_blocked` or `address_in_review`.
    func requireApproved(
        _ account: AccountID,
        for user: ID<User>,
        subject: UInt128,
        _ use: ScreenedAddress.Use
    ) async throws {
        let answer = try await refuseBlocked(account, for: user, subject: subject, use)
        guard answer.outcome == .approve else {
            throw Problem(422, "address_in_review", "This address is being looked at. Try again later.")
        }
    }
}
