/// The readings of the Chinese characters that occur in names, simplified and traditional, without tones.
enum Pinyin {
    /// The reading of a character; nil for one that isn't known.
    static func reading(of scalar: Unicode.Scalar) -> [UInt8]? { readings[scalar.value] }

    private static let readings: [UInt32: [UInt8]] = {
        var readings: [UInt32: [UInt8]] = [:]
        for line in table.split(whereSeparator: { $0 == " " || $0.isNewline }) {
            let syllable = line.utf8.prefix { $0 < 0x80 }
            for scalar in line.unicodeScalars where scalar.value >= 0x80 { readings[scalar.value] = Array(syllable) }
        }
        return readings
    }()

    // A character with several readings stands with the one that it has in names.
    private static let table = """
        a阿 ai艾爱愛 an安 ao敖傲 ba巴 bai白柏百 ban班 bang邦 bao鲍鮑宝寶保包 bei贝貝北 ben本 bi毕畢碧 bian边邊卞 biao标標彪
        bin斌彬宾賓滨濱 bing冰兵炳丙 bo博波伯薄 bu卜步布 cai蔡才彩财財 can灿燦 cang苍蒼仓倉 cao曹操 cen岑 chai柴 chan婵嬋
        chang常昌长長畅暢 chao超潮巢晁 che车車 chen陈陳晨辰臣沉 cheng程成诚誠城承澄丞 chi池迟遲 chong崇冲 chu楚褚初储儲 chuan川传傳
        chun春纯純淳 ci慈 cong聪聰从丛叢 cui崔翠 da达達大 dai戴代岱 dan丹旦 dang党黨 dao道 de德得 deng邓鄧登 di狄迪地帝
        dian典 diao刁 ding丁定鼎 dong董东東冬栋棟 dou窦竇 du杜渡笃篤 duan段端 dui兑 e娥 en恩 er尔爾二 fa发發法 fan范范樊凡帆繁
        fang方芳房放 fei费費飞飛菲 fen芬 feng冯馮风風峰锋鋒丰豐凤鳳封枫楓奉 fu付傅福富夫甫复復符伏 gai盖蓋 gan甘干 gang刚剛钢鋼罡 gao高皋
        ge葛戈歌格 gen根 geng耿庚耕 gong龚龔宫宮公弓功 gou苟 gu顾顧古谷固 guan关關管冠官 guang光广廣 gui桂贵貴归歸 guo郭国國果
        hai海 han韩韓汉漢寒涵翰 hang航杭 hao郝浩豪昊皓好 he何贺賀和赫河荷合鹤鶴 hei黑 heng恒恆衡亨 hong洪红紅宏鸿鴻弘虹 hou侯后厚
        hu胡虎湖瑚扈 hua华華花化 huai怀懷 huan欢歡环環桓焕煥 huang黄黃煌皇凰 hui惠慧辉輝会會回卉晖暉 huo霍火 ji季吉纪紀姬冀继繼济濟基积積计計
        jia贾賈佳家嘉甲 jian简簡建剑劍健坚堅见見 jiang江姜蒋蔣将將疆 jiao焦娇嬌 jie杰傑洁潔捷节節婕 jin金晋晉锦錦进進今津靳瑾
        jing景静靜京晶经經菁井靖敬荆荊 jiong炯 jiu九久 ju居菊巨鞠 juan娟 jue觉覺 jun军軍俊君钧鈞均峻 kai凯凱开開恺愷 kan阚闞侃
        kang康抗 ke柯可科克 kong孔空 kou寇 kuang邝鄺匡 kui奎魁 kun坤昆琨鲲鯤 lai赖賴来來 lan兰蘭蓝藍岚嵐 lang郎朗 lao劳勞
        le乐樂 lei雷磊蕾 leng冷 li李黎立丽麗力利莉礼禮理里历歷厉厲励勵荔 lian连連莲蓮廉联聯 liang梁良亮樑 liao廖 lie烈 lin林琳霖麟临臨
        ling凌玲灵靈岭嶺令 liu刘劉柳六留流 long龙龍隆 lou娄婁楼樓 lu卢盧陆陸鲁魯路露吕呂律璐禄祿鹿 luan栾欒 luo罗羅骆駱洛 lun伦倫
        ma马馬玛瑪麻 mai麦麥 man满滿曼 mao毛茂茅 mei梅美媚眉 men门門 meng孟蒙梦夢萌 mi米 mian绵綿 miao苗妙 min敏民闵閔旻
        ming明铭銘鸣鳴名 mo莫墨 mu穆木慕牧 na娜那 nan南楠男 ni倪妮 nian年 nie聂聶 ning宁寧凝 niu牛钮鈕 nong农農 nuo诺諾 ou欧歐
        pan潘盘盤 pang庞龐 pei裴佩沛培 peng彭鹏鵬朋蓬 pi皮 ping平萍 pu蒲浦朴普 qi齐齊戚琪奇启啟祁琦其旗 qian钱錢谦謙倩千前乾 qiang强強
        qiao乔喬巧 qin秦琴勤钦欽 qing青清庆慶卿晴情 qiong琼瓊 qiu邱丘秋裘求 qu曲屈瞿渠 quan全权權泉 que阙闕 ran冉然 rang让讓
        ren任仁人 ri日 rong荣榮容蓉融 rou柔 ru茹儒如汝 ruan阮 rui瑞睿锐銳芮 run润潤 ruo若 sai赛賽 san三 sang桑 sen森
        sha沙莎 shan山珊善单單 shang尚商 shao邵少绍紹 she佘 shen沈申慎深神 sheng盛胜勝生圣聖声聲升 shi石史施时時世诗詩士师師实實是式仕
        shou寿壽守 shu舒书書淑树樹叔 shuai帅帥 shuang双雙爽 shui水 shun顺順舜 si思司斯四 song宋松颂頌 su苏蘇素肃肅 sui隋
        sun孙孫 tai太泰台 tan谭譚谈談坛 tang唐汤湯堂棠 tao陶涛濤桃 teng滕腾騰 tian田天甜 tie铁鐵 ting婷亭廷庭 tong童佟通同彤桐
        tu涂屠图圖 tuo拓 wan万萬婉 wang王汪旺望 wei魏韦韋卫衛伟偉威薇维維为為巍炜煒 wen文温溫闻聞雯稳 weng翁 wu吴吳武伍邬鄔五午悟吾
        xi席希喜西熙曦习習奚锡錫 xia夏霞侠俠 xian冼先贤賢仙宪憲娴嫻显顯 xiang向项項祥翔香湘襄想 xiao萧蕭肖小晓曉笑孝 xie谢謝解 xin辛新欣鑫心馨信昕
        xing邢星兴興幸杏行 xiong熊雄 xiu秀修 xu徐许許旭胥续續绪緒 xuan宣轩軒萱璇玄 xue薛雪学學 xun荀勋勳迅 ya亚亞雅
        yan颜顏严嚴燕岩闫閆阎閻艳艷延言彦彥妍炎研 yang杨楊阳陽洋扬揚羊央 yao姚耀瑶瑤尧堯 ye叶葉业業野 yi易伊怡艺藝毅义義益一宜依奕逸仪儀亦 yin尹殷银銀音印
        ying应應英颖穎莹瑩迎盈映樱櫻 yong永勇咏詠雍 you尤游友佑优優有 yu于余俞玉宇雨羽育裕愉虞喻钰鈺瑜郁语語豫 yuan袁元原远遠源园園媛苑 yue岳月越悦悅
        yun云雲运運芸韵韻允 zai再 zan昝 zang臧 ze泽澤则則 zeng曾增 zha查 zhai翟 zhan詹展占 zhang张張章彰 zhao赵趙昭照兆招
        zhe哲喆 zhen甄真珍振震贞貞镇鎮 zheng郑鄭正政征铮錚 zhi志智之芝致治直植 zhong钟鍾鐘中忠仲 zhou周舟洲 zhu朱祝竹珠诸諸主柱
        zhuang庄莊壮壯 zhuo卓 zi子紫自 zong宗 zou邹鄒 zu祖 zuo左佐
        """
}
