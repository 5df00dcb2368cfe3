import Kernel
import Randomness
import Testing

@testable import Screening
@testable import ScreeningWorld

@Suite struct ListTests {
    private static func reader(_ text: String, chunk: Int = 7) -> ByteReader {
        ByteReader(Array(text.utf8), chunk: chunk)
    }

    private static let sdn = """
        36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r
        2674,"ABBAS, Abu ""Al"" Nidal","individual","SDGT] [IRAQ2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\
        "DOB 10 Dec 1948; alt. DOB circa 1950; nationality Iraq; a.k.a. 'ABU KHALID'; \
        Digital Currency Address - ETH 0x7F367cC41522cE07553e823bf3be79A889DEbe1B; Linked To: X."\r
        15036,"MAHAN",vessel,"IFSR",-0- ,"T2EA4","Crude Oil Tanker","99144","56068","Malta",-0- ,-0- \r
        99,"too few columns",-0- \r
        36,"TWICE",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r
        \u{1A}
        """
    private static let alt = """
        36,12,"aka","AERO-CARIBBEAN",-0- \r\n2674,13,"aka","ZAYDAN, Muhammad",-0- \r\n7,14,"aka","NOBODY'S",-0- \r\n
        """
    private static let add = """
        36,25,"-0- ","Havana","Cuba",-0- \r\n2674,26,-0- ,-0- ,"Iran",-0- \r\n7,27,-0- ,-0- ,"Iran",-0- \r\n
        """

    @Test(arguments: [1, 2, 64, 4096]) func `OFAC's files are read, bad rows counted`(chunk: Int) throws {
        let list = try OFACFiles.read(
            sdn: Self.reader(Self.sdn, chunk: chunk),
            alt: Self.reader(Self.alt, chunk: chunk),
            add: Self.reader(Self.add, chunk: chunk)
        )
        #expect(list.parties.map(\.key) == ["36", "2674", "15036"])
        let abbas = list.parties[1]
        #expect(abbas.kind == .person)
        #expect(abbas.names.map(\.text) == ["ABBAS, Abu \"Al\" Nidal", "ABU KHALID", "ZAYDAN, Muhammad"])
        #expect(abbas.names.map(\.isWeak) == [false, true, false])
        #expect(abbas.births.map(\.description) == ["1948-12-10", "1948-1952"])
        #expect(abbas.countries == ["IQ", "IR"])
        #expect(abbas.programmes == ["SDGT", "IRAQ2"])
        #expect(abbas.addresses.map(\.text) == ["0x7f367cc41522ce07553e823bf3be79a889debe1b"])
        #expect(list.parties[0].kind == .organisation && list.parties[0].countries == ["CU"])
        #expect(list.parties[2].kind == .vessel)
        #expect(list.faults.map(\.reason) == ["not_12_columns", "id_twice", "alt_of_nobody", "add_of_nobody"])
        #expect(list.rejected == 4)
    }

    private static let document = """
        <?xml version="1.0" standalone="yes"?>
        <sdnList xmlns="https://example.com/sdn"><publshInformation><Publish_Date>11/20/2026</Publish_Date>\
        </publshInformation>
        <!-- a comment with <tags> -->
        <sdnEntry><uid>2674</uid><firstName>Abu</firstName><lastName>ABBAS &amp; Sons &#x41;</lastName>\
        <sdnType>Individual</sdnType><programList><program>SDGT</program></programList>\
        <idList><id><idType>Digital Currency Address - XBT</idType>\
        <idNumber>1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa</idNumber></id></idList>\
        <akaList><aka><category>weak</category><lastName><![CDATA[KHALID <x>]]></lastName></aka></akaList>\
        <nationalityList><nationality><country>Iraq</country></nationality></nationalityList>\
        <dateOfBirthList><dateOfBirthItem><dateOfBirth>Dec 1948</dateOfBirth></dateOfBirthItem></dateOfBirthList>\
        </sdnEntry><sdnEntry><uid>3</uid><sdnType>Entity</sdnType></sdnEntry></sdnList>
        """

    @Test(arguments: [1, 3, 4096]) func `OFAC's document is read`(chunk: Int) throws {
        let list = try OFACDocument.read(Self.reader(Self.document, chunk: chunk))
        #expect(list.published == "11/20/2026")
        #expect(list.faults == [ListFault(row: 2, reason: "no_name")])
        let party = try #require(list.parties.first)
        #expect(party.names.map(\.text) == ["Abu ABBAS & Sons A", "KHALID <x>"])
        #expect(party.names.map(\.isWeak) == [false, true])
        #expect(party.births.map(\.description) == ["1948"] && party.countries == ["IQ"])
        #expect(party.addresses.map(\.chain) == ["bitcoin"])
    }

    @Test func `the UN's document is read`() throws {
        let text = """
            <CONSOLIDATED_LIST dateGenerated="2026-11-20T00:00:00Z"><INDIVIDUALS><INDIVIDUAL><DATAID>6908555</DATAID>
            <FIRST_NAME>RI</FIRST_NAME><SECOND_NAME>WON HO</SECOND_NAME><UN_LIST_TYPE>DPRK</UN_LIST_TYPE>
            <REFERENCE_NUMBER>KPi.033</REFERENCE_NUMBER>
            <NATIONALITY><VALUE>Democratic People's Republic of Korea</VALUE>
            </NATIONALITY><NAME_ORIGINAL_SCRIPT>리원호</NAME_ORIGINAL_SCRIPT><INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY>
            <ALIAS_NAME>Wonho</ALIAS_NAME></INDIVIDUAL_ALIAS>
            <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE>
            <DATE>1964-07-17</DATE></INDIVIDUAL_DATE_OF_BIRTH><INDIVIDUAL_DATE_OF_BIRTH>
            <TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1960</FROM_YEAR><TO_YEAR>1963</TO_YEAR>
            </INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL></INDIVIDUALS><ENTITIES><ENTITY><DATAID>7</DATAID>
            <FIRST_NAME>KORYO BANK</FIRST_NAME><ENTITY_ADDRESS><COUNTRY>Syrian Arab Republic</COUNTRY></ENTITY_ADDRESS>
            </ENTITY></ENTITIES></CONSOLIDATED_LIST>
            """
        let list = try UNDocument.read(Self.reader(text))
        #expect(list.published == "2026-11-20T00:00:00Z" && list.rejected == 0)
        #expect(list.parties.map(\.kind) == [.person, .organisation])
        #expect(list.parties[0].names.map(\.text) == ["RI WON HO", "리원호", "Wonho"])
        #expect(list.parties[0].births.map(\.description) == ["1964-07-17", "1960-1963"])
        #expect(list.parties.map(\.countries) == [["KP"], ["SY"]])
    }

    @Test func `the EU's document is read`() throws {
        let text = """
            <export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-20T10:00:00"><sanctionEntity
             euReferenceNumber="EU.27.28" logicalId="13"><subjectType code="person" classificationCode="P"/>
            <regulation programme="IRQ"/><nameAlias firstName="Saddam" lastName="Hussein" wholeName="Saddam Hussein"
             strong="true"/><nameAlias wholeName='Abu "Ali"' strong="false"/><citizenship countryIso2Code="IQ"/>
            <birthdate circa="false" birthdate="1937-04-28" year="1937"/><birthdate circa="true" year="1940"/>
            <birthdate yearRangeFrom="1930" yearRangeTo="1935"/></sanctionEntity></export>
            """
        let list = try EUDocument.read(Self.reader(text))
        let party = try #require(list.parties.first)
        #expect(party.key == "13" && party.countries == ["IQ"] && party.programmes == ["IRQ"])
        #expect(party.names.map(\.text) == ["Saddam Hussein", "Abu \"Ali\""] && party.names[1].isWeak)
        #expect(party.births.map(\.description) == ["1937-04-28", "1938-1942", "1930-1935"])
    }

    @Test(arguments: [
        "<a><b></a>", "<a", "<a><sdnEntry><uid>1</uid>", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a/>",
        "<a>&x;</a>", "<a b=c/>", "<a b=\"1/>", "</a>", "<c x='1'/><d y='1'/>", "<1a/>", "<a>&#xD800;</a>",
        String(repeating: "<a>", count: 30),
        "<l><sdnEntry>" + String(repeating: "<a>", count: 30),
        "<l><sdnEntry>" + String(repeating: "<a/>", count: XMLRecords.elementsMax + 1),
    ])
    func `a document that isn't well formed, or names entities of its own, is refused`(text: String) {
        #expect(throws: ListReadingError.self) { try OFACDocument.read(Self.reader(text, chunk: 4096)) }
    }

    @Test func `a row without end is refused`() {
        let open = "1,\"never closed"
        let long = String(repeating: "a", count: CSVRows.rowBytesMax + 1)
        for text in [open, long] {
            #expect(throws: ListReadingError.self) {
                try OFACFiles.read(sdn: Self.reader(text, chunk: 4096), alt: Self.reader(""), add: Self.reader(""))
            }
        }
    }

    @Test func `random bytes are refused or read, never trapped on`() {
        var generator = SeededRandom(6)
        let alphabet = Array("<>/!?-[]CDATA&#x;=\"' \n\tsdnEntry,0\u{1A}".utf8)
        for _ in 0..<3_000 {
            let bytes = (0..<generator.below(120)).map { _ in generator.pick(alphabet) }
            _ = try? OFACDocument.read(ByteReader(bytes, chunk: 5))
            _ = try? UNDocument.read(ByteReader(bytes, chunk: 5))
            _ = try? OFACFiles.read(sdn: ByteReader(bytes), alt: ByteReader(bytes), add: ByteReader(bytes))
        }
    }
}
