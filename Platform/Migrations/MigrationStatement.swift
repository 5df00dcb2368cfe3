/// One statement of a migration file.
struct MigrationStatement: Hashable, Sendable {
    /// The statement, without comments in front and the semicolon behind.
    let text: String
    /// The line of the file where it starts; 1 is the first.
    let line: Int
    /// Its first words in lower case, names in quotes left out; as many as `StatementSplitter.wordsMax`.
    let words: [String]

    /// Why it has no place in a migration, or nil.
    var refusal: String? {
        switch words.first {
        case "begin", "start", "commit", "rollback", "abort", "end", "savepoint", "release":
            "the migrator begins and ends transactions itself"
        case "prepare" where words.dropFirst().first == "transaction":
            "the migrator begins and ends transactions itself"
        case "set" where !["local", "constraints"].contains(words.dropFirst().first ?? ""):
            "a setting would stay for the files after it; write `set local`"
        case "copy" where words.contains("stdin") || words.contains("stdout"):
            "there is no client that data could come from or go to"
        default: nil
        }
    }
}
