import Randomness

/// Slavic names: given names that are known by short forms, fathers' names, and surnames of syllables.
enum SlavicGrammar {
    private typealias Unit = NameUnit

    private static let given: [(units: [NameUnit], nickname: String?)] = [
        ([Unit("Але", "ale"), Unit("кс", "ks", "x"), Unit("андр", "andr")], "Sasha"),
        ([Unit("Дмитр", "dmitr"), Unit("ий", "iy", "i", "y", "ii")], "Dima"),
        ([Unit("В", "v", "w"), Unit("ладимир", "ladimir")], "Vova"),
        ([Unit("Нико", "niko"), Unit("лай", "lai", "lay", "laj")], "Kolya"),
        ([Unit("Серг", "serg"), Unit("ей", "ei", "ey", "ej")], nil),
        ([Unit("Ми", "mi"), Unit("х", "kh", "ch", "h"), Unit("аил", "ail")], "Misha"),
        ([Unit("И", "i"), Unit("ван", "van")], "Vanya"), ([Unit("Пав", "pav"), Unit("ел", "el")], nil),
        ([Unit("Ви", "vi"), Unit("кт", "kt", "ct"), Unit("ор", "or")], "Vitya"),
        ([Unit("Бори", "bori"), Unit("с", "s", "ss")], "Borya"), ([Unit("Игорь", "igor")], nil),
        ([Unit("Олег", "oleg")], nil), ([Unit("Андр", "andr"), Unit("ей", "ei", "ey", "ej")], nil),
        ([Unit("Макс", "maks", "max"), Unit("им", "im")], nil), ([Unit("Роман", "roman")], nil),
        ([Unit("Тимоф", "timof"), Unit("ей", "ei", "ey")], nil), ([Unit("Артур", "artur", "arthur")], nil),
        ([Unit("Руслан", "ruslan")], nil), ([Unit("Тарас", "taras")], nil), ([Unit("Богдан", "bogdan")], nil),
        ([Unit("Святослав", "svyatoslav", "sviatoslav")], nil), ([Unit("Глеб", "gleb")], nil),
        ([Unit("Ки", "ki"), Unit("рилл", "rill", "ril")], nil), ([Unit("Денис", "denis")], nil),
        ([Unit("Станислав", "stanislav", "stanislaw")], nil), ([Unit("Лев", "lev")], nil),
        ([Unit("Арсен", "arsen"), Unit("ий", "iy", "y", "i")], nil), ([Unit("Вадим", "vadim", "wadim")], nil),
        ([Unit("Георг", "georg"), Unit("ий", "iy", "y", "i")], nil), ([Unit("Константин", "konstantin")], "Kostya"),
        ([Unit("Матв", "matv"), Unit("ей", "ei", "ey")], nil), ([Unit("Остап", "ostap")], nil),
        ([Unit("Прохор", "prokhor", "prohor")], nil), ([Unit("Степан", "stepan")], nil),
        ([Unit("Фёдор", "fedor", "fyodor")], nil),
        ([Unit("Эдуард", "eduard")], nil), ([Unit("Ярослав", "yaroslav", "iaroslav", "jaroslaw")], nil),
    ]
    private static let starts: [NameUnit] = [
        Unit("Ко", "ko"), Unit("Ма", "ma"), Unit("Пе", "pe"), Unit("Со", "so"), Unit("Во", "vo", "wo"),
        Unit("Ла", "la"),
        Unit("Гри", "gri"), Unit("Жу", "zhu", "ju"), Unit("Ша", "sha", "scha"), Unit("Чер", "cher", "tcher"),
        Unit("Ку", "ku"), Unit("Ти", "ti"), Unit("Бе", "be"), Unit("Ро", "ro"), Unit("Яку", "yaku", "iaku", "jaku"),
        Unit("За", "za"), Unit("Цве", "tsve", "cve"), Unit("Ха", "kha", "ha"), Unit("Ни", "ni"), Unit("Го", "go"),
        Unit("Дро", "dro"), Unit("Фе", "fe"), Unit("Ере", "ere", "yere"), Unit("Му", "mu"), Unit("Сту", "stu"),
        Unit("Бра", "bra"), Unit("Ве", "ve", "we"), Unit("Гну", "gnu"), Unit("До", "do"), Unit("Кле", "kle"),
        Unit("Мо", "mo"), Unit("Про", "pro"), Unit("Сне", "sne"), Unit("Тру", "tru"), Unit("Щер", "shcher", "scher"),
    ]
    private static let middles: [NameUnit] = [
        Unit("ва", "va", "wa"), Unit("ли", "li"), Unit("ро", "ro"), Unit("сто", "sto"), Unit("ди", "di"),
        Unit("ме", "me"),
        Unit("чи", "chi", "tchi"), Unit("ны", "ny", "ni"), Unit("бо", "bo"), Unit("ту", "tu"), Unit("ку", "ku"),
        Unit("зи", "zi"), Unit("же", "zhe", "je"), Unit("пе", "pe"), Unit("ха", "kha", "ha"), Unit("шу", "shu"),
        Unit("гла", "gla"), Unit("мя", "mya", "mia"), Unit("лю", "lyu", "liu"),
    ]
    private static let ends: [[NameUnit]] = [
        [Unit("н", "n"), Unit("ов", "ov", "off", "ow")], [Unit("л", "l"), Unit("ев", "ev", "eff", "ew")],
        [Unit("шин", "shin", "schin")], [Unit("енко", "enko")], [Unit("ск", "sk"), Unit("ий", "iy", "y", "ii", "i")],
        [Unit("чук", "chuk", "tchuk")], [Unit("дин", "din")], [Unit("ров", "rov", "row")], [Unit("ков", "kov", "kow")],
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        let (units, nickname) = generator.pick(given)
        var parts = [NamePart(role: .given, units: units, nickname: nickname)]
        if generator.percent(55) {
            let father = generator.pick(given).units
            parts.append(NamePart(role: .patronymic, units: father + [Unit("ович", "ovich", "ovitch")]))
        }
        var surname = [generator.pick(starts), generator.pick(middles)]
        if generator.percent(60) { surname.append(generator.pick(middles)) }
        return parts + [NamePart(role: .surname, units: surname + generator.pick(ends))]
    }
}
