//! What people say, and numbers in words: data packages of 65 languages, pinned. Only `hearth match` needs them.
use super::catalogue::{ModelFile, Package, Wheel};

/// Name of the package of sentences.
pub(crate) const INTENTS: &str = "home-assistant-intents";
/// Name of the package of number words.
pub(crate) const NUMBERS: &str = "unicode-rbnf";

/// The packages, in the order in which they are installed.
pub(crate) const SENTENCES: &[Package] = &[
    Package {
        name: INTENTS,
        version: "2026.10.27",
        purpose: "sentences of 65 languages",
        licence: "CC-BY-4.0",
        credit: "Home Assistant Intents, the Open Home Foundation voice contributors",
        wheel: Wheel {
            platform: "any",
            bytes: 775_094,
            sha256: "256eb1e4fc6e6f4943d0ba4e089c9639d74d0e9d62ccddeb7148bc168de55e40",
            files: LANGUAGES,
        },
    },
    Package {
        name: NUMBERS,
        version: "2.4.1",
        purpose: "numbers in words",
        licence: "MIT package, Unicode-3.0 data",
        credit: "unicode-rbnf by Michael Hansen; Unicode CLDR",
        wheel: Wheel {
            platform: "any",
            bytes: 150_370,
            sha256: "545a10c40316b49a6f14a1470e51a217c75438569c352abdbc5da11fef273498",
            files: NUMBER_RULES,
        },
    },
];

/// Languages with a file of sentences.
pub(crate) fn languages() -> impl Iterator<Item = &'static str> {
    LANGUAGES
        .iter()
        .map(|file| file.name().trim_end_matches(".json"))
}

/// Whether there is a file of number words of this name.
pub(crate) fn has_numbers(name: &str) -> bool {
    NUMBER_RULES
        .iter()
        .any(|file| file.name().strip_suffix(".xml") == Some(name))
}

const fn file(in_wheel: &'static str, bytes: u64, sha256: &'static str) -> ModelFile {
    ModelFile {
        in_wheel,
        bytes,
        sha256,
    }
}

#[rustfmt::skip] // one file a line
const LANGUAGES: &[ModelFile] = &[
    file("home_assistant_intents/data/af.json", 37_989, "2291503628aa82cae7a9efd8b160a35e05d3438a6d3655551ffa9b2accb277c5"),
    file("home_assistant_intents/data/ar.json", 127_506, "ece7747b464e30b61d93265a45281cff678915892d11425efabff489f8ded970"),
    file("home_assistant_intents/data/bg.json", 195_708, "5a38ec40fe4491aafa09823141543f5f4209fe46b97a80fa3164483af27509ad"),
    file("home_assistant_intents/data/bn.json", 46_311, "24deb7f1c0359b8843d174b7ea22709b157c48deee4644a21a03cca8607640f0"),
    file("home_assistant_intents/data/ca.json", 167_858, "a685673003cd55dfdaf9ac62ce0c84a39caa176a928e77ac08bef6281a246f0d"),
    file("home_assistant_intents/data/cs.json", 132_557, "f8de3c21c5cf9606ae044d2e8c70c59ffc3604e2788f8d6f53a57b3521b6e48e"),
    file("home_assistant_intents/data/cy.json", 84_077, "d2d963d43e7d4d13e73abf66a011359261109a97af403a0137d20c5a39f7df07"),
    file("home_assistant_intents/data/da.json", 146_252, "aa5fb7bd4481ba85c4bcab4208744ed8b3358d319f99a1f9ff507454af88d338"),
    file("home_assistant_intents/data/de-CH.json", 120_789, "ed383adc35e2965930388e02ad87c26ecdb1bddc5e7a042341816f3ea4e7df33"),
    file("home_assistant_intents/data/de.json", 317_790, "e4f72dde27bee2f04225ec5716c8776c5f95310022cb7668af5929e0056df7a7"),
    file("home_assistant_intents/data/el.json", 185_779, "6861c090eeb7cb348ee61700844d9cdcf007011e97718672c47da4e443819f79"),
    file("home_assistant_intents/data/en.json", 176_965, "0b9d606a216b1712409a3d822a8edfb9ff4458e51e421792882ea24e0ce1d456"),
    file("home_assistant_intents/data/es.json", 186_081, "41d6be5446d7dd2cfa20f0ee355a158d6f8a408340214c4cbd6ce0f00cacb4ba"),
    file("home_assistant_intents/data/et.json", 25_166, "09acf53ac1315ec8869c712e1ec47ad84ade4af56569cb264afc3ce8c82f9141"),
    file("home_assistant_intents/data/eu.json", 153_747, "8e3c42257abed0c7cd6c1e2cf95a07258565c17c63b1b1149f19d39fac208b2c"),
    file("home_assistant_intents/data/fa.json", 33_529, "f86344d32622dfc05f0900f7e8e77f92bc369747705799854e50fa825b08c027"),
    file("home_assistant_intents/data/fi.json", 171_218, "147f686f8350d54959f1a1ec1869b2950f3cac6b0a13d6d4251c3cd85c9f6d0c"),
    file("home_assistant_intents/data/fr.json", 187_742, "1bf13b8ca7d92e0793ea098e22ffe2ed440d640e8320dc367d71efe9804b947f"),
    file("home_assistant_intents/data/ga.json", 78_950, "b19e639b1257babc33ac84cb86d4e35c581a677ad37c90fc7bb1cc2cec464401"),
    file("home_assistant_intents/data/gl.json", 142_198, "916ce6ab33982689e4f935b9725b7596f77dfee67f3cb94582b3bb463b5d2222"),
    file("home_assistant_intents/data/gu.json", 23_493, "e38c3b9154c388d88a8351692b9fccf6fa20df1041380f115549f82c5e1c18c9"),
    file("home_assistant_intents/data/he.json", 52_046, "8be24654221720564d01c150a3986901f26bcd181df915db8000d681500be58c"),
    file("home_assistant_intents/data/hi.json", 55_167, "b1379635ef241b51cefed0e64cc8cf91a448942c89f0bb276322484cbedc56d8"),
    file("home_assistant_intents/data/hr.json", 141_580, "3be189fc22ef8730d4d50f7d9b63e0030db78c110ff61bc3dc833193df14edc3"),
    file("home_assistant_intents/data/hu.json", 130_955, "2e6bfcb93ec5d3e264b3b08be60b2a7cef1063c5a8c8e8014f2808db2eb113c5"),
    file("home_assistant_intents/data/hy.json", 82_949, "df1b711ca3c56521e18dd88652d26e64dc2b3ea5a0c7dfd68e324a4d43caa684"),
    file("home_assistant_intents/data/id.json", 13_957, "c848bbcf80ab141cd48c7132c35515bc6211012912882d0a92523269280841d2"),
    file("home_assistant_intents/data/is.json", 56_827, "b6a0eef9d0baea8fcb8464f6d5564e0f4ab782d5d99cc9b7b3dd788f84eaf4bb"),
    file("home_assistant_intents/data/it.json", 159_186, "89e8a04536434f4bc4a6088076eac42fbaf766d6884715edc392a5e4c43a5134"),
    file("home_assistant_intents/data/ja.json", 23_383, "15711a74d06f5a7c3bc41d6033a71471b9ff6ae0484dd494043ae47a46f8c361"),
    file("home_assistant_intents/data/ka.json", 13_275, "de4ab5ad941c2e052207d1b9f06911302ce20f638865034c7d2af703df0572fd"),
    file("home_assistant_intents/data/kn.json", 20_644, "e6c4e293f5979c53bd53bd7c8edf3bb8fd0e0df8c05d3ed6ae4f86a79648969f"),
    file("home_assistant_intents/data/ko.json", 65_510, "e2099d9fd64a1e2b401467f40781a721e0f50fab95945069f1d94227a23203ac"),
    file("home_assistant_intents/data/kw.json", 42_955, "d983eaa456e5821ace2df35a82e80b4376a41f9c7044264fab1fbc56707d013e"),
    file("home_assistant_intents/data/lb.json", 58_057, "48dbf14792e33d717e3ae6390a9f820cc34b190445c5d48ef5c4af51a9fe28f7"),
    file("home_assistant_intents/data/lt.json", 45_104, "e644dd8b6be63109adb33bcce4e262040b54d2b34da0bd02cb07ef7e7e4d2e06"),
    file("home_assistant_intents/data/lv.json", 55_387, "1a69545c7ffc0b68be1ac2a6fecfaa683ff50f3132231ed287105583277fe8ce"),
    file("home_assistant_intents/data/ml.json", 202_905, "8941cd97a2f4bda1149ffa24f23f5760c2d55105123143bfb89ddeeb2a526b0c"),
    file("home_assistant_intents/data/mn.json", 10_333, "85282c415708d9f5843293467e71f6696dd6f060465bf4f5f5da124c04379352"),
    file("home_assistant_intents/data/ms.json", 15_286, "2ad0103597243627b39233ef2d18536ac403a4bca9cc29f43e74f07a00e07dfb"),
    file("home_assistant_intents/data/nb.json", 138_969, "e23f15f0fa0cacabfe0e7a907b7ac3d4f590d7cf1a8d4f36d9cd303b7e3ba2cd"),
    file("home_assistant_intents/data/ne.json", 182_516, "e59a56e1b6661abef9fd8211f933ce2151e3bcba423a37b788e98bd7266fddaf"),
    file("home_assistant_intents/data/nl.json", 223_357, "533294a216a24bc11c90dff2bddac09819827cad7345b7358bf537d7d84e87da"),
    file("home_assistant_intents/data/pa.json", 46_170, "ec4c1f574d19167f86cc155f93c2ccc3df5d0ce6b0e50344396a9a55d04768cf"),
    file("home_assistant_intents/data/pl.json", 186_594, "a7b831c4071c00e933865a0a81ff1f41ee9122edea8541c94d792a73e5620bd0"),
    file("home_assistant_intents/data/pt-BR.json", 167_998, "597a558a373a0ecd4b467a556c0389bfd5b7733457d20ddb5e6c87cfa4646504"),
    file("home_assistant_intents/data/pt.json", 138_074, "81e52e7740d8e8a769dacaefffc5e21ea999d47cbbdf786c988d11300d101f69"),
    file("home_assistant_intents/data/ro.json", 152_354, "fdbb867776a8586156c92083b631be7fa1751ace4d5e30a92d7a4d01aadd281f"),
    file("home_assistant_intents/data/ru.json", 196_341, "35d8e091d9657d34070f293541e88e3877fcfcaeb97e7b753cc72097fa82fecd"),
    file("home_assistant_intents/data/sk.json", 148_408, "4c77a56dfac857d83805ce515bb47e373cb825662a663b7d1ef0d71f93b1fb7d"),
    file("home_assistant_intents/data/sl.json", 145_640, "f1b701725e9f2b49ac6bdec911ca3612ee14f99d38a0c9bbbad0b4dbaca45fa6"),
    file("home_assistant_intents/data/sr-Latn.json", 139_891, "a2f1060dbe0696dbb59858fe5bd87ea45b2d2e601d3b14555e57fa81b751fb04"),
    file("home_assistant_intents/data/sr.json", 157_005, "3dc23eaec89ab412c977479bd395782f8ed58c08c70dc2eec4c7a26747143e57"),
    file("home_assistant_intents/data/sv.json", 116_545, "bda6982438544c3cbc4b0e2d22c31f820f15e6eb24edf46b09635c385282a712"),
    file("home_assistant_intents/data/sw.json", 10_070, "e09afa2bcf608e4a2ec1b8e7fd9a38d862df0dc50c00f7944d1af282a2e1df80"),
    file("home_assistant_intents/data/ta.json", 46_499, "e06c903a360c9bce19aae04a206e6a708895f5abd33155ca507bd62e7b135e08"),
    file("home_assistant_intents/data/te.json", 13_789, "ba6a38e5fe4fda716f6a0ca7b11ca3e63b534fadd5d568fcbf718ffd0217155d"),
    file("home_assistant_intents/data/th.json", 106_730, "2f7a133563c41a597f10057574f3f8b8ffef99d73abd90cf12a571e6763a3aa9"),
    file("home_assistant_intents/data/tr.json", 34_165, "c36ec1f5ed3afb841121f0569846e72fed3c761d383f41ac645cc4e4df77d889"),
    file("home_assistant_intents/data/uk.json", 104_258, "21ddf0fa6758df734223e22d56f285f097390944f71dcf4828ac2bd9b07381b9"),
    file("home_assistant_intents/data/ur.json", 38_275, "13825cb7872e38e6ddb8e87203a77a6fa0f78f4e4beff83a810329f3a216c6af"),
    file("home_assistant_intents/data/vi.json", 72_598, "f7a7c77de8f8391c06bc25a69ea5c20ae000f1ab42966fd4c447a7c6ca5d797d"),
    file("home_assistant_intents/data/zh-CN.json", 167_529, "aaf4fcca09b3878b56652396275ea69e0d0f44508e06378434538a7a2c0c7054"),
    file("home_assistant_intents/data/zh-HK.json", 92_972, "b764e5390251e8eed2fd620d5448969859f68b7e6c35f01c364b68fd70d7eddb"),
    file("home_assistant_intents/data/zh-TW.json", 134_235, "68b47a7a90eaa406e33d4ed257a337170c075afcf6c6c65e72f9380cd73988c7"),
];

#[rustfmt::skip] // one file a line
const NUMBER_RULES: &[ModelFile] = &[
    file("unicode_rbnf/rbnf/af.xml", 6_171, "04905d52592c85767a6a5526f47b2a17aebc72e8889ebe29ef49686691a27251"),
    file("unicode_rbnf/rbnf/ar.xml", 24_128, "9de7551fd028052085c987c55bd90523b02990bc6d9b697e9fcf8a3656b6b0d9"),
    file("unicode_rbnf/rbnf/bg.xml", 43_608, "a5e2be64a8d278c997fc41f00b42d093fa692cc1d423b0a1837fb9b5f8577ff9"),
    file("unicode_rbnf/rbnf/ca.xml", 18_435, "6bae3f1733d5491233b469055cc68e3469a476e705b8a5386bb9e4dc33962ca5"),
    file("unicode_rbnf/rbnf/cs.xml", 10_355, "7372a0883efd9c124a4e083be438b1b436298b81824d94b9bf33ee450c1e3215"),
    file("unicode_rbnf/rbnf/cy.xml", 8_108, "fab2dae5f18c35749ce4f09867133250bc91deba5db94fb78b63360a0dba5496"),
    file("unicode_rbnf/rbnf/da.xml", 12_495, "0070dd4ee4dc08e5a10a847aeb8f58a023554187bebf1720a2a94c392765f41e"),
    file("unicode_rbnf/rbnf/de.xml", 16_695, "84caf76fd3328d49cefe499c8abb2f23ee85db224d792c115391b52612f381a5"),
    file("unicode_rbnf/rbnf/de_CH.xml", 13_663, "3ef8784fbe85ef145af29d0e267adfd9353536b8e46876cbf639f3bd60ce971d"),
    file("unicode_rbnf/rbnf/el.xml", 24_393, "2ff73d4da0b4f54a1c2d70b3463a8f59d9ce712d3b86a175cda706c69a50fb19"),
    file("unicode_rbnf/rbnf/en.xml", 13_210, "a8dbc0e11d5904a3c3672dfd3a0d1dbf6934e7c8419c20b06fb4ea166a19a822"),
    file("unicode_rbnf/rbnf/es.xml", 20_474, "fae0c0e1180633cbc18d841637f4eae495288fab5f33a7c871146ae04bc70aab"),
    file("unicode_rbnf/rbnf/et.xml", 2_886, "dfde43ed830178ddd51abe54544200d038a27092f58cf4639820d6b2eb3ea4a0"),
    file("unicode_rbnf/rbnf/fa.xml", 3_838, "770f4d0f75ac605a336a2945e5d512e32f68d8ad2e21a0e9f3bfc80f6ab4532f"),
    file("unicode_rbnf/rbnf/fi.xml", 97_723, "fd35a3d3427fb66b3c5bf3b34761ea7509b21d51adb9e677350dfaa3f9555cb8"),
    file("unicode_rbnf/rbnf/fr.xml", 14_521, "d6d6a9bd88c6f08ead6cdb00a1a815b64a4f4b6970ed425726f55baa5b9d91df"),
    file("unicode_rbnf/rbnf/ga.xml", 14_081, "363dc11327b18dd51c78fa5082ae08b0df6855e1695cf5d9da611ce3483dfe77"),
    file("unicode_rbnf/rbnf/he.xml", 24_118, "2865317c33930a45650dd106a469f266cbb12994c6bc5cdbb30e1093895c5a5b"),
    file("unicode_rbnf/rbnf/hi.xml", 11_788, "54b4bab72710a6251545159ed2f57dd2b354e9103ca0228a5863e41e99eeba86"),
    file("unicode_rbnf/rbnf/hr.xml", 15_915, "a36af3d125fc7559bbea33671834a54e880c21d7122a320b10e5169f36919b97"),
    file("unicode_rbnf/rbnf/hu.xml", 8_956, "35aab62ba923cacb28e988a206c83c8b2d1fccbb796ac97bcec3f88de07f4d6b"),
    file("unicode_rbnf/rbnf/hy.xml", 2_878, "768d941005849cabf7999d75de54f489db01f271c66ab22033e14b924380d2e5"),
    file("unicode_rbnf/rbnf/id.xml", 3_250, "41f9f6da9fa9b7b7705ae577d6ff241bdd83322acc7b1880646c0e7d8c3a7440"),
    file("unicode_rbnf/rbnf/is.xml", 8_473, "05a9efef0eed69bf95c851e093ad4281b11a550bab01e062de7dfd40ef510e3f"),
    file("unicode_rbnf/rbnf/it.xml", 40_619, "aaa5b1cb6118d847f2fd020209d7b2b82d1b6734bdbca8fa3fd3376da7ba8c3d"),
    file("unicode_rbnf/rbnf/ja.xml", 5_140, "309af27ba239cb732c00babd6ccaca9361a08129d26becb63d882657b4947c8c"),
    file("unicode_rbnf/rbnf/ka.xml", 4_803, "d3519dce3ddb751224321e0b587299698d0ad6398f5d6aac2e2491f15a74573e"),
    file("unicode_rbnf/rbnf/ko.xml", 17_353, "1e28b6f842bcb79dcd88b38e0eddbd6baeb4ac7a2a7500013b346fffbb9f32be"),
    file("unicode_rbnf/rbnf/lb.xml", 16_828, "0a571428d079981109db8aa486586bbf766ccede67a38af611dba2cda8a41fd2"),
    file("unicode_rbnf/rbnf/lt.xml", 8_562, "d8aa5c2e5098e17a37f01ccfdadb9d4e072adba6637891a6304edc5f4226e887"),
    file("unicode_rbnf/rbnf/lv.xml", 6_039, "9584fa5f9ba51d197a957daac50546c83f1cebfa57efa45ca8e662e192ec165b"),
    file("unicode_rbnf/rbnf/ms.xml", 3_355, "a06a1601955f17bdce731ae7a5f84c20cf00774978bfc9e609a1bf3d798a0b64"),
    file("unicode_rbnf/rbnf/ne.xml", 12_314, "d1811e8f71ba74883b8bd992223d1c1b7f4d2a652d42956e87ab4ba3ef1d3691"),
    file("unicode_rbnf/rbnf/nl.xml", 7_563, "e83b1ff0fcca0ac873cd5430ea55e63dcdc352ef4d90c55976b098034947a9bb"),
    file("unicode_rbnf/rbnf/no.xml", 22_865, "22d94092eb8a9f4d04c1e72fc24ee0d5438b05cfa5b5e9a529a127ab3d86d415"),
    file("unicode_rbnf/rbnf/pl.xml", 33_567, "0807610428acf065ff2aa72a3d9804cc475da4d2e0fe63244dea96c9e62fdbaa"),
    file("unicode_rbnf/rbnf/pt.xml", 14_077, "ec72b930998b8970d6585283da418c499f1ece229f0b09dba88a781179aa8572"),
    file("unicode_rbnf/rbnf/ro.xml", 6_704, "14e5b01885c651409fd216ed8613e6946629a4548c728a66ff0a98507f043768"),
    file("unicode_rbnf/rbnf/ru.xml", 127_301, "df2421bae3da04c4a04d6cd74762ba504492ce673fc5faab9fc481488bfc5f1c"),
    file("unicode_rbnf/rbnf/sk.xml", 7_188, "59fdc8ff507baed52acdd08094d46d1df659cbc89e93e2923a4ce136d442d3a7"),
    file("unicode_rbnf/rbnf/sl.xml", 4_320, "52273860fcda602f076547ca24f284a3c44f94abe1adce8af9cda6ead1bfc4e4"),
    file("unicode_rbnf/rbnf/sr.xml", 12_917, "13c0782ab5dce92ade357f4a239ef3d46f2d32773ce94ed285d75a978b6e2586"),
    file("unicode_rbnf/rbnf/sr_Latn.xml", 9_961, "0388383d01f8a9e818337c6cd64cf8f6255834a1bb9004c5dcbb0079bffbd254"),
    file("unicode_rbnf/rbnf/sv.xml", 15_999, "19e4092869027d8d8ebd22a5a1d12fedbebea7afdc73b269e091ae356ab53416"),
    file("unicode_rbnf/rbnf/sw.xml", 3_330, "221a6fec70948095eb0e6f98a517ae5b2f7230a41b1a7f992e260a6f580df20e"),
    file("unicode_rbnf/rbnf/ta.xml", 6_359, "cc025d1fbd401d3afa64025995f59844eb829699ac14eedc53d674068ed140bc"),
    file("unicode_rbnf/rbnf/th.xml", 3_122, "410f46257626e70aeb19902e1cfdbff8f8631701d1146debf0ee2a2df97e333b"),
    file("unicode_rbnf/rbnf/tr.xml", 6_028, "716f78c7225f576c28e9d32f6f6bb0f189050385eed0cc87c1cc888e74f34e52"),
    file("unicode_rbnf/rbnf/uk.xml", 10_242, "01130dc9895d9183239948469e47948d03a169c10cd279796e99fb0140258f53"),
    file("unicode_rbnf/rbnf/vi.xml", 4_073, "ba44acce04c34a3158de3c6a1188ceda5e37c3e827ae1c448286ce56a13f856f"),
    file("unicode_rbnf/rbnf/zh.xml", 17_750, "8d08bfc77f6ae22bfc67426af72c48b31fba0130e079d560df54801d8bd94367"),
    file("unicode_rbnf/rbnf/zh_Hant.xml", 15_976, "c4c5e09eb3c36cb3fe6fc6ec60290c2e6fa3a9d1d43b335c190ed0b4615d72d0"),
];
