//! What is answered.

use std::collections::BTreeMap;

use heliograph_domain::resources::{ConsentSettings, Replies};

use crate::fault::Faults;

use super::{
    Help, KeywordKind,
    KeywordKind::{Start, Stop},
    LANGUAGES, Words, fold,
};

/// A name of ten characters.
const NAME: &str = "Acme Shops";

/// Characters of one septet, and of two, in the default alphabet of GSM 03.38.
const ONE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const TWO: &str = "^{}\\[~]|€";

/// Room that a text takes, and how much there is in one message.
fn room(text: &str) -> (usize, usize) {
    let septets: Option<usize> = text
        .chars()
        .map(|character| if ONE.contains(character) { Some(1) } else { TWO.contains(character).then_some(2) })
        .sum();
    septets.map_or_else(|| (text.encode_utf16().count(), 70), |septets| (septets, 160))
}

#[test]
fn each_answer_fits_into_one_message_and_says_what_it_must() {
    let words = Words::default();
    let mut wrong = Vec::new();
    for language in LANGUAGES {
        for kind in KeywordKind::ALL {
            let text = words.reply(kind, language.tag, NAME);
            let (taken, room) = room(&text);
            if taken > room {
                wrong.push(format!("{} {kind:?}: {taken} of {room}: {text}", language.tag));
            }
            if !text.starts_with(NAME) || text.contains(['{', '}']) {
                wrong.push(format!("{} {kind:?} does not say who writes: {text}", language.tag));
            }
            // How to come back; how to get help and how to stop; how to stop.
            let named: &[KeywordKind] = match kind {
                Stop => &[Start],
                Start => &[Help, Stop],
                Help => &[Stop, Start],
            };
            for other in named {
                let own = language.words().chain(LANGUAGES[0].words());
                let plain = |text: &str| fold::without_diacritics(&fold::fold(text));
                let said = own
                    .filter(|(kind, _)| kind == other)
                    .any(|(_, word)| plain(&text).contains(&plain(word)));
                if !said {
                    wrong.push(format!("{} {kind:?} does not say how to {other:?}: {text}", language.tag));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_that_answers_name_are_understood() {
    // Whatever an answer writes in capitals is a word for customers of its language.
    let words = Words::default();
    for language in LANGUAGES {
        for kind in KeywordKind::ALL {
            let text = words.reply(kind, language.tag, "");
            let capitals = text
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| word.chars().count() > 2 && word.chars().all(char::is_uppercase));
            for word in capitals {
                let folded = fold::fold(word);
                let known = language.words().chain(LANGUAGES[0].words()).any(|(_, known)| {
                    fold::fold(known)
                        .split(' ')
                        .any(|part| part == folded || fold::without_diacritics(part) == folded)
                });
                assert!(known, "{word} in {text}");
            }
        }
    }
}

#[test]
fn the_tenants_answers_come_first() {
    let own = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
        texts.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect()
    };
    let settings = ConsentSettings {
        replies: Replies {
            stop: own(&[
                ("en", "{name} is sorry to see you go. {name}"),
                ("pt", "Tchau, {name}"),
                ("pt-PT", "Adeus, {name}"),
                ("zh-Hant", "再見"),
            ]),
            help: own(&[("fr", "Appelez-nous.")]),
            ..Replies::default()
        },
        ..ConsentSettings::default()
    };
    let words = Words::compile(&settings, &mut Faults::default());
    for (kind, locale, expected) in [
        (Stop, "en-GB", "Acme is sorry to see you go. Acme"),
        (Stop, "pt-BR", "Tchau, Acme"),
        (Stop, "pt_pt", "Adeus, Acme"),
        (Stop, "zh-HK", "再見"),
        // A language that nobody knows, or none.
        (Stop, "sw-KE", "Acme is sorry to see you go. Acme"),
        (Stop, "", "Acme is sorry to see you go. Acme"),
        (Help, "fr-CA", "Appelez-nous."),
    ] {
        assert_eq!(words.reply(kind, locale, "Acme"), expected, "{kind:?} {locale}");
    }
    // Ours where there is none.
    assert!(words.reply(Stop, "zh-CN", "Acme").contains("退订"));
    assert!(words.reply(Help, "de", "Acme").starts_with("Acme: Schreiben"));
    assert!(words.reply(Help, "", "Acme").starts_with("Acme: Write"));
    assert!(words.reply(Start, "no", "Acme").contains("STOPP"));
}
