import Randomness

/// Chinese names by pinyin, with Wade–Giles as the other spelling.
enum ChineseGrammar {
    private typealias Unit = NameUnit

    private static let surnames: [NameUnit] = [
        Unit("王", "wang"), Unit("李", "li"), Unit("张", "zhang", "chang"), Unit("刘", "liu"), Unit("陈", "chen", "ch'en"),
        Unit("杨", "yang"), Unit("赵", "zhao", "chao"), Unit("黄", "huang"), Unit("周", "zhou", "chou"), Unit("吴", "wu"),
        Unit("徐", "xu", "hsu"), Unit("孙", "sun"), Unit("胡", "hu"), Unit("朱", "zhu", "chu"), Unit("高", "gao", "kao"),
        Unit("林", "lin"), Unit("何", "he", "ho"), Unit("郭", "guo", "kuo"), Unit("马", "ma"), Unit("罗", "luo", "lo"),
        Unit("梁", "liang"), Unit("宋", "song", "sung"), Unit("郑", "zheng", "cheng"), Unit("谢", "xie", "hsieh"),
        Unit("韩", "han"), Unit("唐", "tang", "t'ang"), Unit("冯", "feng"), Unit("董", "dong", "tung"),
        Unit("萧", "xiao", "hsiao"), Unit("程", "cheng", "ch'eng"), Unit("曹", "cao", "ts'ao"), Unit("袁", "yuan"),
        Unit("邓", "deng", "teng"), Unit("许", "xu", "hsu"), Unit("傅", "fu"), Unit("沈", "shen"),
        Unit("曾", "zeng", "tseng"),
        Unit("彭", "peng", "p'eng"), Unit("吕", "lu"), Unit("苏", "su"), Unit("卢", "lu"), Unit("蒋", "jiang", "chiang"),
        Unit("蔡", "cai", "ts'ai"), Unit("贾", "jia", "chia"), Unit("丁", "ding", "ting"), Unit("魏", "wei"),
        Unit("薛", "xue", "hsueh"), Unit("叶", "ye", "yeh"), Unit("潘", "pan", "p'an"), Unit("杜", "du", "tu"),
        Unit("戴", "dai", "tai"), Unit("夏", "xia", "hsia"), Unit("钟", "zhong", "chung"), Unit("汪", "wang"),
        Unit("田", "tian", "t'ien"), Unit("任", "ren", "jen"), Unit("姜", "jiang", "chiang"), Unit("范", "fan"),
        Unit("方", "fang"), Unit("石", "shi", "shih"), Unit("欧阳", "ouyang"), Unit("司马", "sima", "ssuma"),
    ]
    private static let given: [NameUnit] = [
        Unit("伟", "wei"), Unit("芳", "fang"), Unit("娜", "na"), Unit("敏", "min"), Unit("静", "jing", "ching"),
        Unit("秀", "xiu", "hsiu"), Unit("强", "qiang", "ch'iang"), Unit("军", "jun", "chun"), Unit("洋", "yang"),
        Unit("勇", "yong", "yung"), Unit("艳", "yan", "yen"), Unit("杰", "jie", "chieh"), Unit("娟", "juan", "chuan"),
        Unit("涛", "tao", "t'ao"), Unit("明", "ming"), Unit("超", "chao", "ch'ao"), Unit("霞", "xia", "hsia"),
        Unit("平", "ping", "p'ing"), Unit("刚", "gang", "kang"), Unit("桂", "gui", "kuei"), Unit("英", "ying"),
        Unit("华", "hua"), Unit("玉", "yu"), Unit("兰", "lan"), Unit("红", "hong", "hung"), Unit("建", "jian", "chien"),
        Unit("国", "guo", "kuo"), Unit("志", "zhi", "chih"), Unit("文", "wen"), Unit("斌", "bin", "pin"),
        Unit("波", "bo", "po"),
        Unit("辉", "hui"), Unit("鹏", "peng", "p'eng"), Unit("飞", "fei"), Unit("鑫", "xin", "hsin"), Unit("浩", "hao"),
        Unit("宇", "yu"), Unit("晨", "chen", "ch'en"), Unit("佳", "jia", "chia"), Unit("雪", "xue", "hsueh"),
        Unit("梅", "mei"), Unit("琳", "lin"), Unit("婷", "ting", "t'ing"), Unit("宁", "ning"), Unit("凯", "kai", "k'ai"),
        Unit("德", "de", "te"), Unit("福", "fu"), Unit("生", "sheng"), Unit("龙", "long", "lung"), Unit("胜", "sheng"),
        Unit("永", "yong", "yung"), Unit("春", "chun", "ch'un"), Unit("海", "hai"), Unit("山", "shan"),
        Unit("仁", "ren", "jen"), Unit("荣", "rong", "jung"), Unit("光", "guang", "kuang"), Unit("天", "tian", "t'ien"),
        Unit("达", "da", "ta"), Unit("安", "an"), Unit("云", "yun"), Unit("雨", "yu"), Unit("欣", "xin", "hsin"),
        Unit("怡", "yi", "i"), Unit("翔", "xiang", "hsiang"), Unit("康", "kang", "k'ang"), Unit("林", "lin"),
        Unit("松", "song", "sung"), Unit("泽", "ze", "tse"), Unit("瑞", "rui", "jui"), Unit("博", "bo", "po"),
        Unit("震", "zhen", "chen"), Unit("诚", "cheng", "ch'eng"), Unit("义", "yi", "i"), Unit("思", "si", "ssu"),
        Unit("芬", "fen"), Unit("贵", "gui", "kuei"), Unit("寒", "han"), Unit("洪", "hong", "hung"),
        Unit("坤", "kun", "k'un"),
        Unit("蓝", "lan"), Unit("莉", "li"), Unit("亮", "liang"), Unit("曼", "man"), Unit("梦", "meng"), Unit("娘", "niang"),
        Unit("诺", "nuo", "no"), Unit("盼", "pan", "p'an"), Unit("谦", "qian", "ch'ien"), Unit("琴", "qin", "ch'in"),
        Unit("全", "quan", "ch'uan"), Unit("如", "ru", "ju"), Unit("若", "ruo", "jo"), Unit("森", "sen"), Unit("书", "shu"),
        Unit("顺", "shun"), Unit("素", "su"), Unit("亭", "ting", "t'ing"), Unit("万", "wan"), Unit("希", "xi", "hsi"),
        Unit("旭", "xu", "hsu"), Unit("悦", "yue", "yueh"), Unit("增", "zeng", "tseng"), Unit("哲", "zhe", "che"),
        Unit("珠", "zhu", "chu"), Unit("卓", "zhuo", "cho"), Unit("祖", "zu", "tsu"), Unit("峰", "feng"), Unit("磊", "lei"),
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        let surname = NamePart(role: .surname, units: [generator.pick(surnames)])
        // A given name of one syllable tells too many people apart to be common on lists.
        let syllables = [generator.pick(given)] + (generator.percent(88) ? [generator.pick(given)] : [])
        return [surname, NamePart(role: .given, units: syllables, cut: syllables.count > 1 ? 1 : nil)]
    }
}

/// Korean names, with the spellings that their bearers use beside those of the standard.
enum KoreanGrammar {
    private typealias Unit = NameUnit

    private static let surnames: [NameUnit] = [
        Unit("김", "kim", "gim"), Unit("이", "lee", "yi", "rhee"), Unit("박", "park", "pak", "bak"),
        Unit("최", "choi", "choe"), Unit("정", "jung", "jeong", "chung"), Unit("강", "kang", "gang"),
        Unit("조", "cho", "jo"), Unit("윤", "yoon", "yun"), Unit("장", "jang", "chang"), Unit("임", "lim", "im"),
        Unit("한", "han"), Unit("오", "oh", "o"), Unit("서", "seo", "suh"), Unit("신", "shin", "sin"),
        Unit("권", "kwon", "gwon"), Unit("황", "hwang"), Unit("안", "ahn", "an"), Unit("송", "song"),
        Unit("유", "yoo", "yu"), Unit("홍", "hong"), Unit("고", "ko", "go"), Unit("문", "moon", "mun"),
        Unit("양", "yang"), Unit("손", "son", "sohn"), Unit("배", "bae", "pae"), Unit("백", "baek", "paek"),
        Unit("허", "heo", "huh"), Unit("남", "nam"), Unit("심", "shim", "sim"), Unit("노", "roh", "noh"),
        Unit("곽", "kwak", "gwak"), Unit("성", "sung", "seong"), Unit("차", "cha"), Unit("주", "joo", "ju"),
        Unit("우", "woo", "u"), Unit("구", "koo", "gu"), Unit("민", "min"), Unit("진", "jin", "chin"),
        Unit("지", "ji", "chi"),
        Unit("엄", "um", "eom"), Unit("채", "chae"), Unit("원", "won"), Unit("천", "chun", "cheon"),
        Unit("방", "bang", "pang"),
        Unit("공", "kong", "gong"), Unit("현", "hyun", "hyeon"), Unit("함", "ham"), Unit("변", "byun", "byeon"),
    ]
    private static let given: [NameUnit] = [
        Unit("민", "min"), Unit("수", "su", "soo"), Unit("지", "ji", "chi"), Unit("현", "hyun", "hyeon"),
        Unit("영", "young", "yeong", "yong"), Unit("성", "sung", "seong"), Unit("호", "ho"),
        Unit("준", "jun", "joon", "chun"),
        Unit("진", "jin", "chin"), Unit("우", "woo", "u"), Unit("철", "chul", "cheol"), Unit("경", "kyung", "gyeong"),
        Unit("희", "hee", "hui"), Unit("은", "eun", "un"), Unit("정", "jung", "jeong"), Unit("미", "mi"),
        Unit("선", "sun", "seon"), Unit("혜", "hye"), Unit("상", "sang"), Unit("재", "jae", "chae"),
        Unit("동", "dong", "tong"), Unit("기", "ki", "gi"), Unit("태", "tae"), Unit("종", "jong", "chong"),
        Unit("석", "seok", "suk"), Unit("원", "won"), Unit("규", "kyu", "gyu"), Unit("병", "byung", "byeong", "pyong"),
        Unit("창", "chang"), Unit("일", "il"), Unit("남", "nam"), Unit("인", "in"), Unit("광", "kwang", "gwang"),
        Unit("명", "myung", "myeong"), Unit("용", "yong"), Unit("하", "ha"), Unit("승", "seung", "sung"),
        Unit("찬", "chan"), Unit("범", "bum", "beom"), Unit("형", "hyung", "hyeong"), Unit("덕", "duk", "deok"),
        Unit("길", "gil", "kil"), Unit("학", "hak"), Unit("만", "man"), Unit("래", "rae", "lae"), Unit("훈", "hoon", "hun"),
        Unit("복", "bok", "pok"), Unit("순", "soon", "sun"), Unit("옥", "ok"), Unit("자", "ja", "cha"),
        Unit("균", "kyun", "gyun"),
        Unit("란", "ran", "lan"), Unit("림", "rim", "lim"), Unit("봉", "bong", "pong"), Unit("세", "se", "sei"),
        Unit("식", "sik", "shik"),
        Unit("윤", "yoon", "yun"), Unit("익", "ik"), Unit("주", "joo", "ju"), Unit("천", "chun", "cheon"),
        Unit("택", "taek", "tack"),
        Unit("필", "pil", "phil"), Unit("한", "han"), Unit("화", "hwa"), Unit("환", "hwan"), Unit("흥", "heung"),
        Unit("온", "on"),
    ]

    static func name(_ generator: inout SeededRandom) -> [NamePart] {
        let syllables = [generator.pick(given), generator.pick(given)]
        return [
            NamePart(role: .surname, units: [generator.pick(surnames)]),
            NamePart(role: .given, units: syllables, cut: 1),
        ]
    }
}
