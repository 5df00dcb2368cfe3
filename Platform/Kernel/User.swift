/// A customer or member of staff, whose record Identity keeps and whom every domain knows by id.
public enum User: Entity {
    /// `usr_…`.
    public static let idPrefix = "usr"
}
