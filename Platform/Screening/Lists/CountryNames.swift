/// Countries by the names that lists use.
enum CountryNames {
    /// The ISO 3166-1 alpha-2 code of a country; nil for a name that isn't known.
    static func code(_ name: String) -> String? {
        let folded = name.lowercased().filter { $0.isLetter }
        if folded.count == 2 { return folded.uppercased() }
        return codes[folded]
    }

    private static let codes: [String: String] = {
        var codes: [String: String] = [:]
        for line in table.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map(String.init)
            for name in words.dropFirst() { codes[name] = words[0] }
        }
        return codes
    }()

    private static let table = """
        AE unitedarabemirates uae
        AF afghanistan islamicrepublicofafghanistan
        AL albania
        AM armenia
        AO angola
        AR argentina
        AT austria
        AU australia
        AZ azerbaijan
        BA bosniaandherzegovina bosnia
        BD bangladesh
        BE belgium
        BF burkinafaso
        BG bulgaria
        BH bahrain
        BI burundi
        BR brazil
        BY belarus
        BZ belize
        CA canada
        CD democraticrepublicofthecongo congodemocraticrepublicofthe democraticrepublicofcongo
        CF centralafricanrepublic
        CG congo republicofthecongo
        CH switzerland
        CI cotedivoire cotedlvoire ivorycoast
        CL chile
        CM cameroon
        CN china peoplesrepublicofchina
        CO colombia
        CR costarica
        CU cuba
        CY cyprus
        CZ czechrepublic czechia
        DE germany federalrepublicofgermany
        DJ djibouti
        DK denmark
        DO dominicanrepublic
        DZ algeria
        EC ecuador
        EE estonia
        EG egypt
        ER eritrea
        ES spain
        ET ethiopia
        FI finland
        FR france
        GB unitedkingdom unitedkingdomofgreatbritainandnorthernireland england greatbritain
        GE georgia
        GH ghana
        GM gambia thegambia
        GN guinea
        GR greece
        GT guatemala
        GW guineabissau
        HK hongkong
        HN honduras
        HR croatia
        HT haiti
        HU hungary
        ID indonesia
        IE ireland
        IL israel
        IN india
        IQ iraq
        IR iran iranislamicrepublicof islamicrepublicofiran
        IT italy
        JM jamaica
        JO jordan
        JP japan
        KE kenya
        KG kyrgyzstan
        KH cambodia
        KM comoros
        KP northkorea koreanorth democraticpeoplesrepublicofkorea
        KR southkorea koreasouth republicofkorea
        KW kuwait
        KZ kazakhstan
        LA laos
        LB lebanon
        LK srilanka
        LR liberia
        LT lithuania
        LV latvia
        LY libya libyanarabjamahiriya
        MA morocco
        MC monaco
        MD moldova republicofmoldova
        ME montenegro
        MK northmacedonia macedonia themacedoniaformeryugoslavrepublicof
        ML mali
        MM burma myanmar
        MR mauritania
        MT malta
        MX mexico
        MY malaysia
        MZ mozambique
        NE niger
        NG nigeria
        NI nicaragua
        NL netherlands thenetherlands
        NO norway
        NP nepal
        NZ newzealand
        OM oman
        PA panama
        PE peru
        PH philippines
        PK pakistan
        PL poland
        PS palestinian westbank gaza stateofpalestine
        PT portugal
        PY paraguay
        QA qatar
        RO romania
        RS serbia
        RU russia russianfederation ussr sovietunion
        RW rwanda
        SA saudiarabia
        SD sudan
        SE sweden
        SG singapore
        SI slovenia
        SK slovakia
        SL sierraleone
        SN senegal
        SO somalia
        SS southsudan
        SV elsalvador
        SY syria syrianarabrepublic
        TD chad
        TG togo
        TH thailand
        TJ tajikistan
        TM turkmenistan
        TN tunisia
        TR turkey turkiye
        TT trinidadandtobago
        TW taiwan
        TZ tanzania
        UA ukraine
        UG uganda
        US unitedstates unitedstatesofamerica
        UY uruguay
        UZ uzbekistan
        VE venezuela venezuelabolivarianrepublicof
        VN vietnam
        VU vanuatu
        XK kosovo
        YE yemen
        ZA southafrica
        ZM zambia
        ZW zimbabwe
        """
}
