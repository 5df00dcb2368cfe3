public import Kernel

/// An address on a chain that a customer keeps.
public struct KeptAddress: Sendable, Hashable {
    /// Whose customer's it is.
    public let user: ID<User>
    /// The account's name across chains (CAIP-10).
    public let account: String
    /// Whether it is said to be the customer's own, or one that the customer pays to.
    public let use: ScreenedAddress.Use

    /// An address that is kept.
    public init(user: ID<User>, account: String, use: ScreenedAddress.Use) {
        (self.user, self.account, self.use) = (user, account, use)
    }
}

/// What keeps addresses of customers, as a domain does; asked when a list names an address that it didn't name before.
public protocol AddressKeeper: Sendable {
    /// Who keeps an address, on whichever chain and in whichever case it is written: in the order of the users, after
    /// one of them, with all that a user keeps on one page.
    ///
    /// - Throws: what the domain's store throws; it is asked again then.
    func keepers(of address: String, after user: ID<User>, limit: Int) async throws -> [KeptAddress]
}
