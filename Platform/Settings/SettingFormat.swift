/// How the text of a setting becomes a value, and how that is told to people.
struct SettingFormat<Value: Sendable>: Sendable {
    /// What is expected, to follow "must be": `a whole number from 1 to 65535`.
    let expectation: String
    /// Whether the text may be shown.
    let isSecret: Bool
    /// The value; nil if the text isn't as expected.
    let parse: @Sendable (String) -> Value?

    init(_ expectation: String, isSecret: Bool = false, parse: @escaping @Sendable (String) -> Value?) {
        (self.expectation, self.isSecret, self.parse) = (expectation, isSecret, parse)
    }
}

extension SettingFormat where Value == Int {
    /// A whole number in ASCII digits within a range that has no negative number.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self("a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
            return Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingFormat where Value == Bool {
    /// `on` or `off`.
    static var flag: Self {
        Self("on or off") { text in
            switch text {
            case "on": true
            case "off": false
            default: nil
            }
        }
    }
}

extension SettingFormat where Value == String {
    /// Printable ASCII without spaces.
    static var word: Self { Self("a text without spaces") { isWord($0) ? $0 : nil } }

    /// A path from the root.
    static var absolutePath: Self {
        Self("an absolute path") { $0.hasPrefix("/") && !$0.utf8.contains(0) ? $0 : nil }
    }

    /// An `http` or `https` URL with a host and without a slash at its end, so that paths can be appended.
    static var webURL: Self {
        Self("an http:// or https:// URL without / at its end") { text in
            isURL(text, schemes: ["http", "https"]) && !text.hasSuffix("/") ? text : nil
        }
    }

    static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    static func isURL(_ text: String, schemes: [String]) -> Bool {
        schemes.contains { text.hasPrefix($0 + "://") && text.utf8.count > $0.utf8.count + 3 } && isWord(text)
    }
}

extension SettingFormat where Value == Secret {
    /// A URL of one of these schemes that may hold a password.
    static func secretURL(_ schemes: String...) -> Self {
        let list = schemes.map { $0 + "://…" }.joined(separator: " or ")
        return Self("a URL: \(list)", isSecret: true) { text in
            SettingFormat<String>.isURL(text, schemes: schemes) ? Secret(text) : nil
        }
    }

    /// A secret of some length in UTF-8 bytes, without spaces.
    static func secret(bytes: ClosedRange<Int>) -> Self {
        Self("\(bytes.lowerBound) to \(bytes.upperBound) bytes without spaces", isSecret: true) { text in
            SettingFormat<String>.isWord(text) && bytes.contains(text.utf8.count) ? Secret(text) : nil
        }
    }
}

extension SettingFormat where Value == [Secret] {
    /// The secrets that are valid while keys rotate: the current one first, separated by commas.
    static func ring(bytes: ClosedRange<Int>, countMax: Int = ringCountMax) -> Self {
        let expectation =
            "1 to \(countMax) secrets of \(bytes.lowerBound) to \(bytes.upperBound) bytes, separated by commas"
        return Self(expectation, isSecret: true) { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= countMax, Set(parts).count == parts.count,
                parts.allSatisfy({ SettingFormat<String>.isWord($0) && bytes.contains($0.utf8.count) })
            else { return nil }
            return parts.map(Secret.init)
        }
    }

    /// More keys than this at once is no rotation.
    static var ringCountMax: Int { 8 }
}

extension SettingFormat where Value == [Settings.MasterKey] {
    /// Numbered keys, `2:HEX,1:HEX`, the current one first.
    static var masterKeys: Self {
        let countMax = 16
        let expectation = "1 to \(countMax) keys NUMBER:64 lower case hex digits, separated by commas"
        return Self(expectation, isSecret: true) { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let keys = parts.compactMap { part -> Settings.MasterKey? in
                let halves = part.split(separator: ":", omittingEmptySubsequences: false)
                guard halves.count == 2, let id = UInt32(halves[0]), String(id) == halves[0],
                    halves[1].utf8.count == 64,
                    halves[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
                else { return nil }
                return Settings.MasterKey(id: id, hex: Secret(String(halves[1])))
            }
            guard parts.count <= countMax, keys.count == parts.count, Set(keys.map(\.id)).count == keys.count else {
                return nil
            }
            return keys
        }
    }
}

extension SettingFormat where Value == [Settings.Providers.Wallet] {
    /// Wallets of ours by asset, `USDC=usdc_polygon:0x…`, separated by commas; an asset has one.
    static func wallets(countMax: Int) -> Self {
        Self("1 to \(countMax) wallets ASSET=NAME:ADDRESS of different assets, separated by commas") { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let wallets = parts.compactMap { Settings.Providers.Wallet(String($0)) }
            guard parts.count <= countMax, wallets.count == parts.count,
                Set(wallets.map(\.asset)).count == wallets.count
            else { return nil }
            return wallets
        }
    }
}

extension SettingFormat where Value == [Settings.Providers.Currency] {
    /// What a provider sells and buys, `USDC@eip155:1=usdc`, separated by commas; each once on a chain.
    static func currencies(countMax: Int) -> Self {
        Self("1 to \(countMax) different currencies ASSET@CHAIN=NAME, separated by commas") { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let currencies = parts.compactMap { Settings.Providers.Currency(String($0)) }
            let places = Set(currencies.map { "\($0.asset)@\($0.chain)" })
            guard parts.count <= countMax, currencies.count == parts.count, places.count == parts.count else {
                return nil
            }
            return currencies
        }
    }
}

extension SettingFormat where Value == [String] {
    /// URLs as `webURL` takes them, all different, separated by commas.
    static func webURLs(countMax: Int) -> Self {
        Self("1 to \(countMax) different http:// or https:// URLs without / at their ends, separated by commas") {
            text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= countMax, Set(parts).count == parts.count,
                parts.allSatisfy({ SettingFormat<String>.webURL.parse($0) != nil })
            else { return nil }
            return parts
        }
    }

    /// Absolute paths, separated by commas.
    static func absolutePaths(countMax: Int) -> Self {
        Self("1 to \(countMax) absolute paths, separated by commas") { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= countMax, parts.allSatisfy({ $0.hasPrefix("/") }) else { return nil }
            return parts
        }
    }
}

extension SettingFormat where Value: CaseIterable & RawRepresentable<String> {
    /// One of the enum's words.
    static var choice: Self {
        Self("one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")) { Value(rawValue: $0) }
    }
}
