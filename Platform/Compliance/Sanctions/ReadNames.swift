import Screening
import Synchronization

/// Names of the lists as they were read before: reading one costs as much as comparing it, and what is common on a list
/// is a candidate again and again.
final class ReadNames: Sendable {
    /// About a kilobyte each; the lists together have some 50,000.
    private static let namesMax = 131_072

    private struct Written: Hashable {
        let text: String
        let kind: ScreenedName.Kind
    }

    private let names = Mutex<[Written: ScreenedName]>([:])

    /// A name made ready for comparison.
    func name(_ text: String, _ kind: ScreenedName.Kind) -> ScreenedName {
        let written = Written(text: text, kind: kind)
        if let known = names.withLock({ $0[written] }) { return known }
        let name = ScreenedName(text, kind: kind)
        names.withLock { names in
            if names.count >= Self.namesMax { names.removeAll(keepingCapacity: true) }
            names[written] = name
        }
        return name
    }
}
