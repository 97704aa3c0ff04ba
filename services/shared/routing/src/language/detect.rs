//! Telling the language of a text by its letters.
//!
//! A wrong language sends a customer to somebody who cannot read them, and no language sends them to whoever is there. So
//! the doubtful is left alone: what is too short, what several languages could have written, and what is no language at
//! all, such as links and numbers.

use whatlang::{Detector, Info, Lang, Script};

/// How much of a text is looked at, in characters.
const ENOUGH: usize = 500;
/// Least confidence where nothing else is known.
const FLOOR: f64 = 0.6;
/// Least confidence in a script whose languages are taken for each other: Russian without its own letters is Bulgarian.
const FLOOR_BETWEEN_NEIGHBOURS: f64 = 0.9;
/// Least confidence to put a text before what is known of the customer.
const CLEARLY: f64 = 0.9;
/// Least number of letters of a script that many languages share.
const LETTERS: usize = 20;
/// Least number of letters to put such a text before what is known of the customer: more than a name or a quotation.
const MANY_LETTERS: usize = 30;
/// Least number of letters of a script that one language has for itself.
const OWN_LETTERS: usize = 4;
/// Least number of Chinese characters: fewer may as well be Japanese.
const IDEOGRAPHS: usize = 6;

/// Languages that are taken for each other. Between these a text does not tell more than what is known.
const NEIGHBOURS: [&[&str]; 6] = [
    &["no", "nb", "nn", "da"],
    &["hr", "sr", "bs", "sl"],
    &["id", "ms", "jv"],
    &["cs", "sk"],
    &["tl", "fil"],
    &["ru", "uk", "be", "bg", "mk"],
];

/// A language that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// BCP 47 tag.
    pub(super) tag: &'static str,
    /// 0 to 1.
    confidence: f64,
    /// Whether there is enough of it to put it before what is known.
    long: bool,
}

impl Found {
    /// The confidence in percent.
    pub(super) fn percent(&self) -> u8 {
        u8::try_from((self.confidence.clamp(0.0, 1.0) * 100.0).round() as i64).unwrap_or(100)
    }

    /// Whether it counts although the customer is known to speak this language.
    pub(super) fn overrides(&self, known: &str) -> bool {
        let known = known.to_ascii_lowercase();
        let related =
            NEIGHBOURS.iter().any(|group| group.contains(&self.tag) && group.contains(&known.as_str()));
        self.long && self.confidence >= CLEARLY && self.tag != known && !related
    }
}

/// The language of a text, if it tells.
pub(super) fn detect(text: &str) -> Option<Found> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| is_word(word)).collect();
    let plain: String = words.join(" ").chars().take(ENOUGH).collect();
    let info = Detector::with_denylist(NOBODYS.to_vec()).detect(&plain)?;
    let letters = plain.chars().filter(|letter| letter.is_alphabetic()).count();
    let (least, many) = least(&info);
    let floor = if info.script() == Script::Cyrillic { FLOOR_BETWEEN_NEIGHBOURS } else { FLOOR };
    if letters < least || info.confidence() < floor {
        return None;
    }
    Some(Found { tag: tag(info.lang())?, confidence: info.confidence(), long: letters >= many })
}

/// Whether it may be part of a sentence: no link, no address, no number or code.
fn is_word(word: &str) -> bool {
    !word.contains("://")
        && !word.contains('@')
        && !word.starts_with("www.")
        && !word.contains(|it: char| it.is_numeric())
}

/// How many letters it takes: to tell at all, and to tell against what is known.
fn least(info: &Info) -> (usize, usize) {
    match info.script() {
        Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari | Script::Hebrew => {
            (LETTERS, MANY_LETTERS)
        }
        Script::Mandarin => (IDEOGRAPHS, IDEOGRAPHS),
        _ => (OWN_LETTERS, OWN_LETTERS),
    }
}

/// The BCP 47 tag of a language that customers write in; none for those that are but guessed.
fn tag(lang: Lang) -> Option<&'static str> {
    let (_, tag) = TAGS.iter().find(|(known, _)| *known == lang)?;
    Some(tag)
}

/// Languages that nobody writes to a company in, and that take confidence from those that somebody does.
const NOBODYS: [Lang; 2] = [Lang::Epo, Lang::Lat];

/// Akan, Javanese, Shona, Turkmen, Welsh, Yiddish and Zulu are not among them: they catch what is none of the others, and
/// so tell nothing.
const TAGS: &[(Lang, &str)] = &[
    (Lang::Afr, "af"),
    (Lang::Amh, "am"),
    (Lang::Ara, "ar"),
    (Lang::Aze, "az"),
    (Lang::Bel, "be"),
    (Lang::Ben, "bn"),
    (Lang::Bul, "bg"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Cmn, "zh"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Est, "et"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Guj, "gu"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Hye, "hy"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Kan, "kn"),
    (Lang::Kat, "ka"),
    (Lang::Khm, "km"),
    (Lang::Kor, "ko"),
    (Lang::Lav, "lv"),
    (Lang::Lit, "lt"),
    (Lang::Mal, "ml"),
    (Lang::Mar, "mr"),
    (Lang::Mkd, "mk"),
    (Lang::Mya, "my"),
    (Lang::Nep, "ne"),
    (Lang::Nld, "nl"),
    (Lang::Nob, "nb"),
    (Lang::Ori, "or"),
    (Lang::Pan, "pa"),
    (Lang::Pes, "fa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Sin, "si"),
    (Lang::Slk, "sk"),
    (Lang::Slv, "sl"),
    (Lang::Spa, "es"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tam, "ta"),
    (Lang::Tel, "te"),
    (Lang::Tgl, "tl"),
    (Lang::Tha, "th"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Urd, "ur"),
    (Lang::Uzb, "uz"),
    (Lang::Vie, "vi"),
];
