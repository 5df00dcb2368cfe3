import Randomness

/// Spanish names: one or two given names, the surnames of father and mother.
enum SpanishGrammar {
    private typealias Unit = NameUnit

    private static let given: [(String, [String], String?)] = [
        ("José", ["Jose"], "Pepe"), ("Francisco", [], "Paco"), ("Manuel", [], "Manolo"), ("Jesús", ["Jesus"], nil),
        ("Andrés", ["Andres"], nil), ("Ángel", ["Angel"], nil), ("Raúl", ["Raul"], nil), ("Eduardo", [], "Lalo"),
        ("Guillermo", [], "Memo"), ("Enrique", [], "Quique"), ("Ignacio", [], "Nacho"), ("Javier", ["Xavier"], nil),
        ("Héctor", ["Hector"], nil), ("Óscar", ["Oscar"], nil), ("Rubén", ["Ruben"], nil), ("Iván", ["Ivan"], nil),
        ("Sergio", [], nil), ("Pedro", [], nil), ("Lucía", ["Lucia"], nil), ("María", ["Maria"], nil),
        ("Mario", [], nil),
        ("Carmen", [], nil), ("Rosa", [], nil), ("Elena", ["Helena"], nil), ("Ximena", ["Jimena"], nil),
        ("Esteban", [], nil), ("Julián", ["Julian"], nil), ("Martín", ["Martin"], nil), ("Ramón", ["Ramon"], nil),
        ("Tomás", ["Tomas"], nil), ("Víctor", ["Victor"], nil), ("Joaquín", ["Joaquin"], nil),
        ("Alonso", ["Alonzo"], nil), ("Beatriz", [], nil),
        ("Gonzalo", [], nil), ("Leandro", [], nil), ("Mauricio", [], nil), ("Nicolás", ["Nicolas"], nil),
        ("Pilar", [], nil),
        ("Rodrigo", [], nil), ("Salvador", [], nil), ("Úrsula", ["Ursula"], nil), ("Yolanda", [], nil),
        ("Camilo", [], nil),
        ("Dolores", [], nil), ("Fabián", ["Fabian"], nil), ("Hernán", ["Hernan"], nil), ("Inés", ["Ines"], nil),
    ]
    private static let starts: [NameUnit] = [
        Unit("", "ro"), Unit("", "gon"), Unit("", "fer"), Unit("", "her"), Unit("", "me"), Unit("", "cas"),
        Unit("", "ve"),
        Unit("", "sal"), Unit("", "mon"), Unit("", "que"), Unit("", "za"), Unit("", "al"), Unit("", "bar"),
        Unit("", "tor"),
        Unit("", "ca"), Unit("", "gu"), Unit("", "es"), Unit("", "ol"), Unit("", "na"), Unit("", "pe"), Unit("", "du"),
        Unit("", "fuen"), Unit("", "lo"), Unit("", "man"), Unit("", "sor"), Unit("", "vi"),
        Unit("", "cor"), Unit("", "bal"), Unit("", "ja"), Unit("", "ur"), Unit("", "pin"),
    ]
    private static let middles: [NameUnit] = [
        Unit("", "drí", "dri"), Unit("", "zá", "za", "sa"), Unit("", "nán", "nan"), Unit("", "ti"),
        Unit("", "lla", "ya"),
        Unit("", "va", "ba"), Unit("", "ñe", "ne"), Unit("", "ra"), Unit("", "do"), Unit("", "ló", "lo"),
        Unit("", "ce", "se"),
        Unit("", "ri"), Unit("", "mú", "mu"), Unit("", "te"), Unit("", "ga"), Unit("", "chi"), Unit("", "bo", "vo"),
    ]
    private static let ends: [NameUnit] = [
        Unit("", "guez", "gues"), Unit("", "rez", "res"), Unit("", "no"), Unit("", "ga"), Unit("", "les", "lez"),
        Unit("", "da"), Unit("", "rio"), Unit("", "ta"), Unit("", "ña", "na"), Unit("", "do"), Unit("", "ldi"),
        Unit("", "món", "mon"), Unit("", "que"),
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        var parts = [given(.given, &generator)]
        if generator.percent(45) { parts.append(given(.middle, &generator)) }
        parts.append(surname(&generator))
        if generator.percent(60) {
            var mother = surname(&generator)
            mother.role = .middle
            parts.append(mother)
        }
        return parts
    }

    private static func given(_ role: NamePart.Role, _ generator: inout SeededRandom) -> NamePart {
        let (name, others, nickname) = generator.pick(given)
        return NamePart(role: role, units: [Unit("", latin: [name] + others)], nickname: nickname)
    }

    private static func surname(_ generator: inout SeededRandom) -> NamePart {
        let middle =
            generator.percent(35) ? [generator.pick(middles), generator.pick(middles)] : [generator.pick(middles)]
        return NamePart(role: .surname, units: [generator.pick(starts)] + middle + [generator.pick(ends)])
    }
}

/// West African names: open syllables, with spellings of the English and the French side.
enum WestAfricanGrammar {
    private typealias Unit = NameUnit

    private static let onsets: [NameUnit] = [
        Unit("", "k"), Unit("", "b"), Unit("", "d"), Unit("", "t"), Unit("", "m"), Unit("", "n"), Unit("", "s"),
        Unit("", "l"),
        Unit("", "ch", "tch"), Unit("", "gb"), Unit("", "nw"), Unit("", "f"), Unit("", "j", "dj"), Unit("", "z"),
        Unit("", "sh", "ch"), Unit("", "y"), Unit("", "w", "ou"), Unit("", "kp"), Unit("", "nk"), Unit("", "mb"),
        Unit("", "r"),
    ]
    private static let vowels: [NameUnit] = [
        Unit("", "a"), Unit("", "e"), Unit("", "i"), Unit("", "o"), Unit("", "u", "ou", "oo"), Unit("", "a", "ah"),
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        var parts = [word(.given, 2 + generator.below(2), &generator)]
        if generator.percent(40) { parts.append(word(.middle, 2 + generator.below(2), &generator)) }
        return parts + [word(.surname, 3 + generator.below(2), &generator)]
    }

    private static func word(
        _ role: NamePart.Role,
        _ syllables: Int,
        _ generator: inout SeededRandom
    ) -> NamePart {
        var units = generator.percent(30) ? [Unit("", generator.pick(["a", "o", "e"]))] : []
        for _ in 0..<syllables { units += [generator.pick(onsets), generator.pick(vowels)] }
        return NamePart(role: role, units: units)
    }
}

/// Germanic names: given names with short forms, surnames of two stems.
enum GermanicGrammar {
    private typealias Unit = NameUnit

    private static let given: [(String, [String], String?)] = [
        ("Wilhelm", [], "Willi"), ("Friedrich", [], "Fritz"), ("Heinrich", [], "Heinz"), ("Johannes", [], "Hans"),
        ("Josef", ["Joseph"], "Sepp"), ("Maximilian", [], "Max"), ("Jörg", ["Joerg", "Jorg"], nil),
        ("Günther", ["Guenther", "Gunther", "Günter"], nil), ("Jürgen", ["Juergen", "Jurgen"], nil),
        ("Rüdiger", ["Ruediger", "Rudiger"], nil), ("Katharina", ["Catharina"], nil),
        ("Elisabeth", ["Elizabeth"], "Lisa"),
        ("Matthias", ["Mathias"], nil), ("Stefan", ["Stephan"], nil), ("Philipp", ["Philip"], nil),
        ("Karl", ["Carl"], nil),
        ("Dieter", [], nil), ("Ulrich", [], nil), ("Lothar", [], nil), ("Werner", [], nil),
        ("Sören", ["Soeren", "Soren"], nil),
        ("Bernd", ["Berndt"], nil), ("Kristin", ["Christin"], nil), ("Annika", [], nil), ("Torsten", ["Thorsten"], nil),
        ("Hildegard", [], nil), ("Gertrud", ["Gertrude"], nil), ("Walter", ["Walther"], nil), ("Rolf", [], nil),
        ("Hartmut", ["Hartmuth"], nil), ("Ingrid", [], nil), ("Leopold", [], nil), ("Volker", [], nil),
        ("Gisela", [], nil),
        ("Detlef", ["Detlev"], nil), ("Swantje", [], nil), ("Arnulf", [], nil), ("Reinhard", ["Reinhardt"], nil),
        ("Ottokar", [], nil), ("Cornelia", ["Kornelia"], nil), ("Brigitte", [], nil), ("Willem", [], nil),
        ("Käthe", ["Kaethe", "Kathe"], nil), ("Erik", ["Eric"], nil), ("Markus", ["Marcus"], nil),
    ]
    private static let stems: [NameUnit] = [
        Unit("", "stein"), Unit("", "müll", "muell", "mull"), Unit("", "schmi"), Unit("", "hoff", "hof"),
        Unit("", "berg"),
        Unit("", "kö", "koe", "ko"), Unit("", "brau"), Unit("", "wald"), Unit("", "grün", "gruen", "grun"),
        Unit("", "lind"),
        Unit("", "rosen"), Unit("", "schwarz", "schwartz"), Unit("", "eich"), Unit("", "bäu", "baeu", "bau"),
        Unit("", "krau"),
        Unit("", "hage"), Unit("", "vogel"), Unit("", "winter"), Unit("", "zimmer"), Unit("", "büch", "buech", "buch"),
        Unit("", "falken"), Unit("", "sommer"), Unit("", "alten"), Unit("", "neu"), Unit("", "ober"),
        Unit("", "ritter"),
        Unit("", "kirch"), Unit("", "tannen"), Unit("", "pfeif"), Unit("", "schnei"), Unit("", "lauter"),
        Unit("", "ehren"),
        Unit("", "hirsch"), Unit("", "jung"), Unit("", "klein"), Unit("", "nieder"), Unit("", "otter"),
        Unit("", "quand"),
        Unit("", "seiden"), Unit("", "traut"), Unit("", "uhlen"), Unit("", "wolken"), Unit("", "ziegel"),
        Unit("", "dorn"),
    ]
    private static let ends: [NameUnit] = [
        Unit("", "er"), Unit("", "mann", "man"), Unit("", "dorf"), Unit("", "bach"),
        Unit("", "meier", "meyer", "maier"),
        Unit("", "huber"), Unit("", "feld", "feldt"), Unit("", "hausen"), Unit("", "thal", "tal"), Unit("", "brecht"),
        Unit("", "kamp"), Unit("", "burg"), Unit("", "sen"), Unit("", "ke"), Unit("", "ling"), Unit("", "wig"),
        Unit("", "stedt", "stadt"), Unit("", "rath", "rat"),
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        var parts = [given(.given, &generator)]
        if generator.percent(30) { parts.append(given(.middle, &generator)) }
        var stem = [generator.pick(stems)]
        if generator.percent(50) { stem.append(generator.pick(stems)) }
        return parts + [NamePart(role: .surname, units: stem + [generator.pick(ends)])]
    }

    private static func given(_ role: NamePart.Role, _ generator: inout SeededRandom) -> NamePart {
        let (name, others, nickname) = generator.pick(given)
        return NamePart(role: role, units: [Unit("", latin: [name] + others)], nickname: nickname)
    }
}
