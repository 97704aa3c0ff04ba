#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{Heard, Language, LanguageSource, in_range};

fn heard(text: &str) -> Heard<'_> {
    Heard { text, ..Heard::default() }
}

/// What customers write, in the languages they write it in.
const SAID: &[(&str, &str)] = &[
    ("en", "I have been waiting for my refund since last Tuesday, can you please help me with this?"),
    ("en", "Please cancel my subscription and send me the invoice for last month."),
    ("pt", "Estou esperando o reembolso desde terça-feira, vocês podem me ajudar por favor?"),
    ("pt", "Quero cancelar minha assinatura e receber a nota fiscal do mês passado."),
    ("es", "Llevo esperando el reembolso desde el martes, ¿me pueden ayudar por favor?"),
    ("fr", "J'attends mon remboursement depuis mardi, pouvez-vous m'aider s'il vous plaît ?"),
    ("de", "Guten Tag, ich möchte wissen, wo meine Bestellung ist"),
    ("it", "Sto aspettando il rimborso da martedì, potete aiutarmi per favore?"),
    ("nl", "Ik wacht sinds dinsdag op mijn terugbetaling, kunt u mij alstublieft helpen?"),
    ("sv", "Jag har väntat på min återbetalning sedan i tisdags, kan ni hjälpa mig?"),
    ("fi", "Hei, haluaisin tietää, missä tilaukseni on"),
    ("pl", "Dzień dobry, chciałbym wiedzieć, gdzie jest moje zamówienie"),
    ("cs", "Dobrý den, rád bych věděl, kde je moje objednávka"),
    ("ro", "Bună ziua, aș dori să știu unde este comanda mea"),
    ("hu", "Jó napot, szeretném tudni, hol van a rendelésem"),
    ("tr", "Salı gününden beri para iademi bekliyorum, bana yardımcı olabilir misiniz?"),
    ("vi", "Xin chào, tôi muốn biết đơn hàng của tôi ở đâu"),
    ("id", "Saya sudah menunggu pengembalian dana sejak hari Selasa, bisakah Anda membantu saya?"),
    ("uk", "Доброго дня, я хотів би дізнатися, де моє замовлення"),
    ("ar", "مرحبا، أريد أن أعرف أين طلبي"),
    ("ur", "میں منگل سے اپنی رقم کی واپسی کا انتظار کر رہا ہوں"),
    ("hi", "मैं मंगलवार से अपने पैसे वापस मिलने का इंतज़ार कर रहा हूँ"),
    ("he", "שלום, אני רוצה לדעת איפה ההזמנה שלי"),
    ("el", "Γεια σας"),
    ("th", "สวัสดีครับ"),
    ("ko", "안녕하세요"),
    ("ja", "こんにちは"),
    ("zh", "这个价格是多少"),
];

/// What tells no language: too short, no sentence, or several languages' own.
const TELLS_NOTHING: &[&str] = &[
    "",
    "hi",
    "ok",
    "oi",
    "si",
    "no",
    "lol",
    "ok 👍",
    "👍👍👍",
    "STOP",
    "thanks",
    "quote",
    "bom dia",
    "hola",
    "WhatsApp",
    "Amazon Prime",
    "pizza margherita",
    "iPhone 15 Pro Max 256 GB",
    "Ann Lee, 22 Main Street, Springfield",
    "12345 #998-22",
    "https://example.com/pt/onde-esta-o-meu-pedido-que-eu-fiz-na-semana-passada",
    "maria.da.conceicao.de.oliveira@exemplo.com.br",
    // Chinese or Japanese.
    "价格",
    "注文確認",
    // Russian without a letter of its own, and what is Bulgarian as well.
    "Я жду возврат денег со вторника, помогите мне, пожалуйста",
    // Danish and Norwegian.
    "Jeg har ventet på min refusion",
    // Languages that are told from others by what they are not.
    "Mae angen help arnaf gyda fy archeb os gwelwch yn dda",
    "Nimesubiri kurejeshewa pesa zangu tangu Jumanne, tafadhali nisaidie",
];

#[test]
fn a_sentence_tells_its_language() {
    for (tag, text) in SAID {
        let found = Language::of(&heard(text));
        assert_eq!(found.tag, *tag, "{text}: {found:?}");
        assert!(matches!(found.source, LanguageSource::Detected { percent: 60.., .. }), "{text}: {found:?}");
    }
    let tags: std::collections::BTreeSet<&str> = SAID.iter().map(|(tag, _)| *tag).collect();
    assert!(tags.len() > 20);
}

#[test]
fn what_is_short_or_ambiguous_tells_nothing() {
    for text in TELLS_NOTHING {
        assert_eq!(Language::of(&heard(text)), Language::default(), "{text}");
    }
}

#[test]
fn what_is_known_comes_first_and_a_clear_text_before_it() {
    let english = SAID[0].1;
    let of = |said, address, contact, text| Language::of(&Heard { said, address, contact, text });
    // The channel speaks of this very message.
    let found = of("fr", "de", "de", english);
    assert_eq!((found.tag.as_str(), found.source), ("fr", LanguageSource::Message));
    // The customer's own tag tells more than the language alone.
    let found = of("", "en_AU", "de", english);
    assert_eq!((found.tag.as_str(), found.source), ("en-AU", LanguageSource::Address));
    let found = of("", "", "EN-gb", english);
    assert_eq!((found.tag.as_str(), found.source), ("EN-gb", LanguageSource::Contact));
    // A phone that is set to German, in the hands of somebody who writes English.
    let found = of("", "", "de-DE", english);
    assert_eq!(found.tag, "en");
    let instead_of = "de-DE".to_owned();
    assert_eq!(found.source, LanguageSource::Detected { percent: 100, instead_of });
    // What tells without being clear does so only where nothing is known.
    let doubtful = "Llevo esperando el reembolso desde el martes, ¿me pueden ayudar por favor?";
    assert_eq!(of("", "", "pt-BR", doubtful).tag, "pt-BR");
    assert_eq!(of("", "", "", doubtful).tag, "es");
    // Languages that are taken for each other.
    let slovak = "Čakám na vrátenie peňazí od utorka, môžete mi prosím pomôcť?";
    assert_eq!(of("", "", "", slovak).tag, "sk");
    assert_eq!(of("", "cs-CZ", "", slovak).tag, "cs-CZ");
    assert_eq!(of("", "de", "", slovak).tag, "sk");
    // A word in another language is no change of language.
    assert_eq!(of("", "de", "", "Wo ist mein Playstation Store Voucher").tag, "de");
}

#[test]
fn a_language_is_a_skill_and_so_is_the_one_it_is_a_variety_of() {
    let skills = |tag: &str| Language { tag: tag.to_owned(), ..Language::default() }.skills();
    assert_eq!(skills("pt-BR"), ["lang-pt-br", "lang-pt"]);
    assert_eq!(skills("pt"), ["lang-pt"]);
    for none in ["", "p t", "pt;drop", &"a".repeat(36)] {
        assert_eq!(skills(none), Vec::<String>::new(), "{none}");
    }
}

#[test]
fn a_range_holds_its_varieties() {
    for (tag, range, holds) in [
        ("pt-BR", "pt", true),
        ("PT-br", "pt-BR", true),
        ("pt", "pt-BR", false),
        ("ptx", "pt", false),
        ("", "pt", false),
        ("é", "pt", false),
    ] {
        assert_eq!(in_range(tag, range), holds, "{tag} in {range}");
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer_and_always_the_same(
        text in "\\PC{0,700}",
        words in prop::collection::vec(prop::sample::select(SAID.iter().map(|(_, text)| *text).collect::<Vec<_>>()), 0..8),
        known in "[a-z]{0,3}",
    ) {
        for text in [text.clone(), words.join(" "), format!("{text} {}", words.join("\n"))] {
            let heard = Heard { contact: &known, text: &text, ..Heard::default() };
            let found = Language::of(&heard);
            prop_assert_eq!(&found, &Language::of(&heard));
            prop_assert!(!found.tag.is_empty() || known.is_empty());
            if let LanguageSource::Detected { percent, instead_of } = &found.source {
                prop_assert!(*percent >= 60 && *percent <= 100);
                prop_assert_eq!(instead_of, &known);
                prop_assert_ne!(&found.tag, &known);
            }
        }
    }
}
