public import Kernel

/// A named form of strings: a check in Swift, and the pattern that tells clients the same.
public struct Format: Sendable {
    /// Its name: `amount`.
    public let name: String
    /// The same as the check, as an ECMA-262 regular expression that is anchored on both sides.
    ///
    /// The check may accept a little more (29 February), never less.
    public let pattern: String
    /// The lengths that are possible, in characters.
    public let length: ClosedRange<Int>
    /// What it is, for the documentation.
    public let description: String
    /// An example, for the documentation.
    public let example: String?
    private let check: @Sendable (String) -> String?

    /// A format.
    ///
    /// `check` returns nil for a good string, else the code of the fault, usually `bad_format`.
    public init(
        _ name: String,
        pattern: String,
        length: ClosedRange<Int>,
        description: String,
        example: String? = nil,
        check: @escaping @Sendable (String) -> String?
    ) {
        (self.name, self.pattern, self.length, self.description) = (name, pattern, length, description)
        (self.example, self.check) = (example, check)
    }

    /// What is wrong with a text; nil for nothing.
    public func fault(in text: String) -> String? { check(text) }
}

extension Format {
    /// The wire form of an entity's id: its prefix, `_`, 26 characters of base 32.
    public static func id<Of: Entity & SendableMetatype>(of _: Of.Type) -> Format {
        let prefix = Of.idPrefix
        return Format(
            prefix + "_id",
            pattern: "^\(prefix)_[0-7][0-9a-hjkmnp-tv-z]{25}$",
            length: (prefix.count + 27)...(prefix.count + 27),
            description: "An id with the prefix `\(prefix)`.",
            example: prefix + "_01jd3qkw5hf6r8v2m4x7c9tb0e"
        ) { ID<Of>(wire: $0) == nil ? "bad_format" : nil }
    }

    /// A string of ASCII characters of some kinds.
    ///
    /// The caller guarantees that `pattern` says the same.
    public static func ascii(
        _ name: String,
        pattern: String,
        length: ClosedRange<Int>,
        description: String,
        example: String? = nil,
        where isAllowed: @escaping @Sendable (_ byte: UInt8, _ index: Int) -> Bool
    ) -> Format {
        Format(name, pattern: pattern, length: length, description: description, example: example) { text in
            var index = 0
            for byte in text.utf8 {
                guard isAllowed(byte, index) else { return "bad_format" }
                index += 1
                if index > length.upperBound { return "too_long" }
            }
            return index < length.lowerBound ? "too_short" : nil
        }
    }
}
