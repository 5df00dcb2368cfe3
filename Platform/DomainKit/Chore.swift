/// Something that is tidied up in bounded sets.
///
/// Doing it twice, or in two processes at once, does no harm.
public struct Chore: Sendable {
    /// What is tidied: the label of its metrics.
    public let name: String
    /// The schema that it is tidied in.
    public let schema: String
    /// Does one set of at most `setMax` and answers with how many were tidied.
    public let work: @Sendable () async throws -> Int
    /// A set of as many or more is followed by another at once.
    public let setMax: Int

    /// A chore; without `setMax` one set does all of it.
    public init(
        name: String,
        schema: String,
        setMax: Int = .max,
        work: @escaping @Sendable () async throws -> Int
    ) {
        (self.name, self.schema, self.setMax, self.work) = (name, schema, setMax, work)
    }
}
