public import Kernel

/// Recognises keys and phrases that spend, which no request may contain.
///
/// The API doesn't know what they look like: whoever puts the program together gives it a finder.
public protocol PrivateMaterialFinder: Sendable {
    /// The kind of private material in a text, as a stable word that tells nothing of it; nil for none.
    func privateMaterial(in text: String) -> String?

    /// The same for the names and texts of a value, what is spread over several of them included.
    func privateMaterial(in json: JSON) -> String?
}

extension Problem {
    /// 422 for a request that contains private material of a kind; it says nothing of the material itself.
    static func privateMaterial(_ kind: String) -> Problem {
        Problem(
            422,
            "private_material",
            """
            The request contains a private key or recovery phrase, or more texts that look like one than are looked \
            at (\(kind)). Such is never taken here; nothing of it was kept. If it is one, whoever has seen it can \
            spend: move the funds to a new key.
            """
        )
    }
}
