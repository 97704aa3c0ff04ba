#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod phrases;
mod replies;

use heliograph_domain::resources::{ChannelPolicySpec, ConsentSettings, Keywords};

use super::{
    KNOWN, Keyword,
    KeywordKind::{self, Help, Start, Stop},
    LANGUAGES, Words, fold,
};
use crate::{Calendars, CompiledPolicy, check, fault::Faults};

fn usual(text: &str, locale: &str) -> Option<Keyword> {
    Words::default().keyword("sms", text, locale)
}

#[test]
fn every_listed_word_counts_in_its_language() {
    for language in LANGUAGES {
        for (kind, word) in language.words().chain(language.here.iter().copied()) {
            let found = usual(word, language.tag).unwrap_or_else(|| panic!("{word} of {}", language.tag));
            assert_eq!((found.kind, found.language), (kind, language.tag), "{word} of {}", language.tag);
            let lower = usual(&word.to_lowercase(), language.tag).map(|found| found.kind);
            assert_eq!(lower, Some(kind), "{word} of {} in lower case", language.tag);
        }
    }
}

#[test]
fn no_word_asks_for_two_things() {
    for (folded, meanings) in KNOWN.iter() {
        let kinds: Vec<KeywordKind> = meanings.iter().map(|known| known.kind).collect();
        assert!(kinds.windows(2).all(|pair| pair[0] == pair[1]), "{folded:?} asks for {kinds:?}");
    }
}

#[test]
fn the_answer_is_in_the_customers_language_or_the_words() {
    for (text, locale, language) in [
        ("STOP", "", "en"),
        ("STOP", "en-US", "en"),
        ("STOP", "de-AT", "de"),
        // English words are used everywhere.
        ("UNSUBSCRIBE", "pt_BR", "pt"),
        ("UNSUBSCRIBE", "sw-KE", "en"),
        ("PARAR", "", "es"),
        ("PARAR", "pt-BR", "pt"),
        ("SAIR", "en-US", "pt"),
        ("停止", "ja-JP", "ja"),
        ("停止", "zh-TW", "zh-Hant"),
        ("停止", "", "zh"),
        ("STOPP", "nn-NO", "nb"),
        ("הסר", "iw_IL", "he"),
        ("berhenti", "in-ID", "id"),
    ] {
        assert_eq!(usual(text, locale).unwrap().language, language, "{text} {locale}");
    }
}

#[test]
fn some_words_count_for_some_customers_only() {
    for (text, locale, kind) in [
        ("TD", "zh-CN", Some(Stop)),
        ("TD", "en-CA", None),
        ("TC", "vi-VN", Some(Stop)),
        ("tc", "", None),
        ("RET", "tr", Some(Stop)),
        ("Ret", "da-DK", None),
        ("PARE", "pt-BR", Some(Stop)),
        ("pare", "sr-RS", None),
        ("ALTA", "es-MX", Some(Start)),
        ("altă", "ro-RO", None),
        ("alta", "it-IT", None),
    ] {
        assert_eq!(usual(text, locale).map(|found| found.kind), kind, "{text} {locale}");
    }
}

#[test]
fn a_tenant_says_where_and_which() {
    let keywords = |stop: &[&str], start: &[&str], help: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Keywords { stop: owned(stop), start: owned(start), help: owned(help) }
    };
    let settings = ConsentSettings {
        channels: Some(vec!["sms".to_owned(), "whatsapp".to_owned()]),
        keywords: keywords(
            &["Basta ya", "both"],
            &["YES", "both", "stop", "..."],
            &["Who are you", "cancel"],
        ),
        ..ConsentSettings::default()
    };
    let words = Words::compile(&settings, &mut Faults::default());
    let found = |channel: &str, text: &str| {
        words.keyword(channel, text, "fr-CA").map(|found| (found.kind, found.word, found.language))
    };
    assert_eq!(found("whatsapp", "stop"), Some((Stop, "STOP".to_owned(), "fr")));
    assert_eq!(found("webchat", "stop"), None);
    assert_eq!(found("sms", "¡BASTA  YA!"), Some((Stop, "Basta ya".to_owned(), "fr")));
    assert_eq!(found("sms", "yes."), Some((Start, "YES".to_owned(), "fr")));
    assert_eq!(found("sms", "who are you?"), Some((Help, "Who are you".to_owned(), "fr")));
    // What asks for less counts, and what takes consent away always holds.
    assert_eq!(found("sms", "both"), Some((Stop, "both".to_owned(), "fr")));
    assert_eq!(found("sms", "Stop"), Some((Stop, "STOP".to_owned(), "fr")));
    assert_eq!(found("sms", "Cancel"), Some((Stop, "CANCEL".to_owned(), "fr")));
    assert_eq!(found("sms", "..."), None);
    // Nowhere at all.
    let silent = ConsentSettings { channels: Some(Vec::new()), ..ConsentSettings::default() };
    let silent = Words::compile(&silent, &mut Faults::default());
    assert_eq!(silent.keyword("sms", "STOP", "en"), None);
    // By default on SMS only.
    assert!(usual("STOP", "en").is_some());
    assert_eq!(Words::default().keyword("webchat", "STOP", "en"), None);
}

#[test]
fn a_policy_knows_its_words() {
    let mut spec = ChannelPolicySpec::default();
    spec.consent.keywords.start = vec!["YES".to_owned()];
    spec.consent.replies.stop.insert("en".to_owned(), "Bye from {name}.".to_owned());
    let policy = CompiledPolicy::compile("default", 1, &spec, &Calendars::new()).unwrap();
    assert_eq!(policy.keyword("sms", "yes", "en").map(|found| found.kind), Some(Start));
    assert_eq!(policy.reply(Stop, "en-US", "Acme"), "Bye from Acme.");
    assert_eq!(CompiledPolicy::nothing().keyword("sms", "yes", "en"), None);
}

#[test]
fn words_that_cannot_count_are_refused() {
    let mut spec = ChannelPolicySpec::default();
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    spec.consent.keywords.stop = owned(&["Genug", "!!!", "STOP"]);
    spec.consent.keywords.start = owned(&["YES", "Cancel", "genug!", "yes"]);
    spec.consent.keywords.help = owned(&["HELP", "Yes?"]);
    spec.consent.replies.stop.insert("english".to_owned(), "Bye".to_owned());
    spec.consent.replies.start.insert("pt-BR".to_owned(), "Oi {nome}".to_owned());
    spec.consent.replies.help.insert("de".to_owned(), " ".to_owned());
    spec.consent.replies.help.insert("zh-Hant-TW".to_owned(), "{name}：您好".to_owned());
    let found: Vec<String> = check(&spec, &Calendars::new()).iter().map(ToString::to_string).collect();
    let expected = [
        "spec.consent.keywords.stop[1]: \"!!!\" has no letters",
        "spec.consent.keywords.start[1]: \"Cancel\" always takes consent away",
        "spec.consent.keywords.start[2]: \"genug!\" is a word for stop already",
        "spec.consent.keywords.help[1]: \"Yes?\" is a word for start already",
        "spec.consent.replies.stop.english: \"english\" is no language tag; write it like pt or pt-BR",
        "spec.consent.replies.start.pt-BR: nothing but {name} stands for something in an answer; did you mean \"{name}\"?",
        "spec.consent.replies.help.de: is empty",
    ];
    assert_eq!(found, expected);
}

#[test]
fn folding_is_done_once() {
    for text in [
        "  ＳＴＯＰ!! ",
        "«Désinscrire»",
        "İPTAL",
        "OPT–OUT",
        "إيقافٌ",
        "OPREŞTE",
        "ＳＴＯＰ　ＡＬＬ",
        "",
        "!?",
    ] {
        let once = fold::fold(text);
        assert_eq!(fold::fold(&once), once, "{text}");
    }
}
