//! Words and answers by language.

mod asian;
mod english;
mod european;
mod western;

use super::KeywordKind;

/// What is known in a language.
#[derive(Debug)]
pub(super) struct Language {
    /// BCP 47 tag.
    pub(super) tag: &'static str,
    stop: &'static [&'static str],
    start: &'static [&'static str],
    help: &'static [&'static str],
    /// Words that mean something ordinary elsewhere: they count for customers of this language only.
    pub(super) here: &'static [(KeywordKind, &'static str)],
    /// Whether words are understood without diacritics as well.
    pub(super) plain: bool,
    /// Answers to stop, start and help. They fit into one SMS with a name of ten characters.
    replies: [&'static str; 3],
}

impl Language {
    /// The language of a locale such as `pt-BR`, if it is known.
    pub(super) fn of(locale: &str) -> Option<&'static Self> {
        let mut parts = locale.split(['-', '_', '.', '@']);
        let tag = match parts.next()?.to_ascii_lowercase().as_str() {
            "zh" | "yue" => {
                let traditional = parts.any(|part| {
                    ["hant", "tw", "hk", "mo"].iter().any(|known| part.eq_ignore_ascii_case(known))
                });
                if traditional { "zh-Hant" } else { "zh" }
            }
            "no" | "nn" => "nb",
            "iw" => "he",
            "in" | "ms" => "id",
            language => return LANGUAGES.iter().copied().find(|known| known.tag == language),
        };
        LANGUAGES.iter().copied().find(|known| known.tag == tag)
    }

    /// Its words, with what they ask for.
    pub(super) fn words(&self) -> impl Iterator<Item = (KeywordKind, &'static str)> {
        let of = |kind, words: &'static [&'static str]| words.iter().map(move |word| (kind, *word));
        of(KeywordKind::Stop, self.stop)
            .chain(of(KeywordKind::Start, self.start))
            .chain(of(KeywordKind::Help, self.help))
    }

    /// What is answered to a word.
    pub(super) fn reply(&self, kind: KeywordKind) -> &'static str {
        self.replies[kind as usize]
    }
}

/// Every language, English first: its words are used in all of them.
pub(super) static LANGUAGES: &[&Language] = &[
    &english::ENGLISH,
    &western::SPANISH,
    &western::PORTUGUESE,
    &western::FRENCH,
    &western::GERMAN,
    &western::ITALIAN,
    &western::DUTCH,
    &western::SWEDISH,
    &western::DANISH,
    &western::NORWEGIAN,
    &western::FINNISH,
    &european::POLISH,
    &european::CZECH,
    &european::HUNGARIAN,
    &european::ROMANIAN,
    &european::GREEK,
    &european::RUSSIAN,
    &european::UKRAINIAN,
    &european::TURKISH,
    &asian::ARABIC,
    &asian::HEBREW,
    &asian::HINDI,
    &asian::SIMPLIFIED_CHINESE,
    &asian::TRADITIONAL_CHINESE,
    &asian::JAPANESE,
    &asian::KOREAN,
    &asian::THAI,
    &asian::VIETNAMESE,
    &asian::INDONESIAN,
];
