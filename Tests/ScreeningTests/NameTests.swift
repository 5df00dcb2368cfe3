import Foundation
import Randomness
import Testing

@testable import ScreeningWorld

@testable import Screening

@Suite struct NameTests {
    private static func score(_ asked: String, _ listed: String, _ kind: ScreenedName.Kind = .person) -> Int {
        NameLikeness(ScreenedName(asked, kind: kind), ScreenedName(listed, kind: kind)).score
    }

    @Test(arguments: [
        ("Mohammed Ali Hassan", "Muhammad Ali Hasan"), ("Muammar Qaddafi", "Moammar Gaddafi"),
        ("Abdul Rahman Yasin", "Abdurrahman Yasin"), ("Abd al-Rahman Yasin", "Abdelrahman Yasin"),
        ("Usama bin Ladin", "Osama Laden"), ("Владимир Кузнецов", "Vladimir Kuznetsov"),
        ("Ivan Petrovich Sidorov", "Ivan Sidorov"), ("王小明", "Wang Xiaoming"), ("Wang Hsiao-ming", "Wang Xiaoming"),
        ("김민수", "Kim Min-soo"), ("이영희", "Lee Younghee"), ("محمد حسن", "Muhammad Hassan"),
        ("Jürgen Müller", "Juergen Mueller"), ("KUZNETSOV, Vladimir", "Vladimir Kuznetsov"),
        ("J. Robert Smith", "John Robert Smith"), ("Sasha Ivanov", "Aleksandr Ivanov"), ("José Peña", "Jose Pena"),
        ("Dr. Hans Weber", "Hans Weber"), ("Xiao Ming Wang", "Wang Xiaoming"), ("Wi1helm Kern", "Wilhelm Kern"),
        ("Maria da Silva", "Maria Silva"), ("Feng Mei Bin", "Feng Meibin"), ("Kovačević Milan", "Kovachevich Milan"),
    ])
    func `writings of one name are alike`(asked: String, listed: String) {
        #expect(Self.score(asked, listed) >= ScreeningScore.alertMin)
        #expect(!Set(ScreenedName(asked).keys).isDisjoint(with: ScreenedName(listed).keys), "no key in common")
    }

    @Test(arguments: [
        ("John Smith", "Peter Smith"), ("Smith", "John Smith"), ("Li Wei", "Lu Wei"), ("Carlos Gomez", "Carlos Prieto"),
        ("Anna Kuznetsova", "Vladimir Kuznetsov"), ("王小明", "王伟"), ("Hassan Ali Omar", "Khalid Tariq Saleh"),
        ("Kim Minsoo", "Kim Jongil"),
    ])
    func `other names aren't`(asked: String, listed: String) {
        #expect(Self.score(asked, listed) < ScreeningScore.alertMin)
    }

    @Test func `usual words of companies say little`() {
        #expect(Self.score("Emma LLC", "Orion LLC", .organisation) < ScreeningScore.nameMin)
        #expect(Self.score("Alnoor General Trading Corp", "Bastam General Trading Corp", .organisation) < 600)
        #expect(Self.score("Bastam Trading LLC", "BASTAM TRADING CO. LTD", .organisation) >= 950)
        #expect(Self.score("Bastam", "Bastam Holdings GmbH", .organisation) >= 950)
    }

    @Test(arguments: ["José Peña Núñez", "Владимир Йорданов", "김민수", "Kovačević", "محمد آدم", "Ünal Çelik"])
    func `case and normal form change nothing`(name: String) {
        let forms = [
            name.uppercased(), name.lowercased(), name.decomposedStringWithCanonicalMapping,
            name.precomposedStringWithCanonicalMapping,
        ]
        for form in forms {
            #expect(ScreenedName(form).keys == ScreenedName(name).keys)
            #expect(ScreenedName(form).sounds == ScreenedName(name).sounds)
        }
    }

    @Test func `the order in which two names are compared changes nothing`() {
        let names = [
            "Ivan Petrovich Sidorov", "Sidorov Ivan", "Abd al-Rahman Yasin", "Wang Xiao Ming", "J. Smith", "محمد حسن",
        ]
        for left in names {
            for right in names {
                #expect(Self.score(left, right) == Self.score(right, left), "\(left) and \(right)")
            }
        }
    }

    @Test func `text that is no name is read as none, and long text in part`() {
        #expect(ScreenedName("").isEmpty)
        #expect(ScreenedName("— 42 — ☂").isEmpty)
        #expect(ScreenedName(String(repeating: "ab ", count: 1_000)).words.count == ScreenedName.wordsMax)
        #expect(ScreenedName(String(repeating: "a", count: 100_000)).words.count == 1)
    }

    @Test func `bytes of any kind are read without a trap`() {
        var generator = SeededRandom(5)
        for _ in 0..<2_000 {
            let bytes = (0..<generator.below(60)).map { _ in UInt8(generator.below(256)) }
            let name = ScreenedName(String(decoding: bytes, as: UTF8.self))
            _ = (name.keys, name.sounds, NameLikeness(name, ScreenedName("John Smith")).score)
        }
    }

    @Test func `an explanation says which words were taken for one`() {
        let name = NameLikeness(ScreenedName("Mohammed Hassan"), ScreenedName("HASAN, Muhammad"))
        let score = ScreeningScore(name: name, birth: .sameYear, country: .agrees)
        #expect(score.explanation.count == 3)
        #expect(score.explanation[0].hasPrefix("score 1000: name "))
        #expect(score.explanation.contains { $0.contains("mohammed ~ muhammad") })
    }
}
