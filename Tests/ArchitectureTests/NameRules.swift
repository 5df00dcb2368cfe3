/// What things may not be called.
extension Rule {
    static let nameRules = [folderNames, typeNames]

    private static let bannedFolders: Set<String> = [
        "Utils", "Helpers", "Common", "Core", "Extensions", "Misc", "Shared",
    ]

    private static let folderNames = Rule(
        "no folder is named for not knowing what is in it",
        examples: [
            .breaks(
                ["Platform/Utils/A.swift": "", "Domains/Banking/Core/B.swift": ""],
                at: "Platform/Utils/A.swift:1",
                "Domains/Banking/Core/B.swift:1"
            ),
            .keeps(["Platform/Ledger/Helpers.swift": ""]),
        ],
        eachSwiftFile: { file in
            file.folders.filter(bannedFolders.contains).map {
                Violation(path: file.path, line: 1, what: "folder \($0)")
            }
        }
    )

    /// Words of the trade that end like a banned suffix.
    private static let allowedTypes: Set<String> = ["MarketData"]

    private static let typeNames = Rule(
        "no type is named Manager, Helper, Impl, DTO, Info or Data at its end",
        examples: [
            .breaks(
                ["A.swift": "struct OrderManager {}\npublic final class OrderData {}\nactor PoolImpl<A> {}"],
                at: "A.swift:1",
                "A.swift:2",
                "A.swift:3"
            ),
            .keeps([
                "A.swift": "struct Managers {}; enum MarketData {}; let info: Data; func orderInfo() {} // class AInfo"
            ]),
        ],
        eachSwiftFile: { file in
            Pattern(#"\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+(?:Manager|Helper|Impl|DTO|Info|Data))\b"#)
                .matches(in: file.code)
                .filter { !allowedTypes.contains($0.groups[0]) }
                .map { Violation(path: file.path, line: $0.line, what: $0.text) }
        }
    )
}
