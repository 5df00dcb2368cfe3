/// Words in names that say little about whose they are.
enum NameVocabulary {
    /// Forms of address and ranks, left out of persons' names.
    static let titles = words(
        """
        mr mrs ms miss dr prof professor sheikh shaikh sheik shaykh cheikh haji hajji hadji hajj alhaj elhadj sayyid
        sayed syed seyed maulavi mawlawi mullah mulla mawlana maulana qari hafiz general gen colonel col major captain
        capt lieutenant lt sergeant sgt sir lord hon ayatollah imam engineer eng ing ustad ustaz don dona senor senora
        sr sra jr ii iii iv herr frau monsieur madame mme chief commander cmdr shikh hj dktur general polkovnik gospodin
        """
    )

    /// What joins the parts of European names: it counts little.
    static let particles = words(
        "de del della di da do dos das la las los le les y e van der den von zu zur zum ten ter af"
    )

    /// Son of, daughter of, and the Arabic article, left out where a name follows.
    static let descents = words("al el ul bin ibn ben bint binti ibnu ould wuld walad bn abn")

    /// Forms of the Arabic article before letters of the sun, left out where a hyphen joins them to the next word.
    static let joinedArticles = words("ad ar as ash at az an ud ur us ush ut uz un ed er es et ez en ol")

    /// Servant of: the name that follows belongs to it.
    static let servants = words("abd abdul abdel abdal abdol abdoul abdull abdur abdus abdun abdu abdou abdush abduz")

    /// Father of: the name that follows belongs to it.
    static let fathers = words("abu abou aboo abi")

    /// Forms of companies, left out of their names.
    static let companyForms = words(
        """
        ltd limited llc llp lp plc inc incorporated corp corporation co company gmbh ag kg ohg ug se sa sas sarl sarlu
        spa srl bv nv ab as asa oy oyj aps kft zrt doo dd ad ood eood jsc ojsc cjsc pjsc ooo oao zao pao tov llp pte
        pty sdn bhd fze fzco fzc fz pvt private public est establishment kk yk sl slu cv sapi lda ltda eirl sac tbk pt
        the and of und et
        """
    )

    /// Words that so many companies have in their names that they count little.
    static let companyWords = words(
        """
        trading trade general group holding holdings international intl global world national industries industrial
        industry services service enterprises enterprise import export imports exports commercial business investment
        investments capital finance financial bank shipping marine maritime logistics transport transportation
        construction engineering technology technologies tech systems solutions consulting development petroleum oil gas
        energy electronics foundation organization association society institute university center centre company
        east west north south middle gulf asia europe africa america star new first united
        """
    )

    /// One spelling for words that are one name: short forms, and surnames whose romanisations differ beyond sound.
    ///
    /// Spellings that are in several groups stand for none.
    static let sameNames: [String: String] = {
        var found: [String: String] = [:]
        var ambiguous: Set<String> = []
        for line in groups.split(whereSeparator: \.isNewline) {
            let names = line.split(separator: " ").map(String.init)
            for name in names {
                if found[name] != nil { ambiguous.insert(name) }
                found[name] = names.first
            }
        }
        return found.filter { !ambiguous.contains($0.key) }
    }()

    private static let groups = """
        aleksandr alexander alexandr sasha sascha alex oleksandr alec
        aleksandra alexandra
        dmitri dmitry dmitriy dmitrii dima dimitri dmytro
        vladimir wladimir vova volodya volodymyr
        nikolai nikolay nikolaj kolya mykola
        sergei sergey sergej serhiy seryozha
        mikhail michail misha mykhailo
        ivan vanya
        yekaterina ekaterina katya kateryna
        tatiana tatyana tanya
        natalia natalya natasha nataliya
        yevgeny evgeny evgeni yevgeniy evgeniy zhenya
        konstantin kostya
        aleksei alexei alexey aleksey alyosha lyosha oleksiy
        pavel pasha pavlo
        pyotr petr petya petro
        yuri yury yuriy iouri yura
        viktor victor vitya
        vasily vasiliy vasili vasya vasyl
        grigori grigory grigoriy grisha
        boris borya
        anatoly anatoli anatoliy tolya
        jose pepe
        francisco paco pancho
        manuel manolo
        rafael rafa
        ignacio nacho
        enrique quique kike
        eduardo lalo
        guillermo memo
        jesus chuy
        roberto beto
        alejandro
        fernando nando
        luis lucho
        wilhelm willi willy
        friedrich fritz
        heinrich heinz
        johannes hans johann
        josef joseph sepp
        katharina kathe
        maximilian max
        sebastian basti
        margarete grete margarethe
        elisabeth elizabeth lisa liz
        william bill will billy
        robert bob rob bobby
        richard dick rick
        james jim jimmy
        edward ted eddie
        thomas tom tommy
        michael mike mick
        anthony tony
        lee yi rhee ri
        park pak bak
        choi choe
        kim gim
        jeong chung jung cheong
        ryu yoo yu
        roh no noh
        lim im rim
        kang gang
        cho jo
        kwon gwon
        ahn an
        seo suh
        shin sin
        shim sim
        woo wu
        baek paek paik
        noor nur nour
        """

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
