public import Kernel

/// What events carry of the accounts that they are about, so that others can keep balances without asking.
///
/// An array of objects: `account` and `owner` (UUIDs), `kind`, `asset`, `available` and `reserved` (minor units as
/// text), and what orders the snapshots of an account: `version`, then `at`, then `place`.
public enum BalanceSnapshot {
    /// The place of what an account is after everything of its instant, as its row says it: 2³¹ - 1, the greatest.
    public static let placeOfRow = Int(Int32.max)
    /// The place of what an account is after a batch, later than that of any operation in it.
    public static let placeAfterBatch = placeOfRow - 1

    /// Of the customers' accounts that an operation touched.
    public static func json(_ receipt: LedgerCore.Receipt) -> JSON {
        json(receipt.accounts, at: receipt.at, place: receipt.place)
    }

    /// Of accounts as they are since an instant of the database's clock.
    public static func json(_ accounts: [AccountState], at instant: Timestamp, place: Int) -> JSON {
        .array(
            accounts.map { account in
                [
                    "account": .string(account.id.description), "owner": .string(ID<User>(account.owner).description),
                    "kind": .string(account.kind), "asset": .string(account.asset),
                    "available": .string(String(account.available)), "reserved": .string(String(account.reserved)),
                    "version": .integer(account.version), "at": .string(instant.description), "place": .integer(place),
                ]
            }
        )
    }
}
