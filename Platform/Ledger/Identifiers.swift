public import Kernel

/// A balance of one asset that somebody owns.
public enum LedgerAccount: Entity {
    /// On the wire `acct_…`.
    public static let idPrefix = "acct"
}

/// One movement from a debited to a credited account.
public enum Transfer: Entity {
    /// On the wire `tfr_…`.
    public static let idPrefix = "tfr"
}

/// Money held for something that is under way.
public enum Reservation: Entity {
    /// On the wire `rsv_…`.
    public static let idPrefix = "rsv"
}

/// What transfers belong to: a domain's transaction, which has the same bits as its id.
public enum Operation: Entity {
    /// On the wire `op_…`.
    public static let idPrefix = "op"
}
