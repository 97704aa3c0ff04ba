//! Making spellings of one word the same.

use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

/// Folds a message or a word: case, widths and compatible forms, spaces and hyphens within, punctuation around.
pub(super) fn fold(text: &str) -> String {
    let compatible = ComposingNormalizer::new_nfkc().normalize(text).to_lowercase();
    let plain: String = compatible.chars().filter_map(letter).collect();
    let mut folded = String::with_capacity(plain.len());
    for word in plain.trim_matches(is_around).split(is_between).filter(|word| !word.is_empty()) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// Leaves diacritics of Latin and Greek letters out. What other scripts write as marks are letters to them.
pub(super) fn without_diacritics(folded: &str) -> String {
    let mut plain = String::with_capacity(folded.len());
    let mut strip = false;
    for character in DecomposingNormalizer::new_nfkd().normalize(folded).chars() {
        if matches!(character, '\u{300}'..='\u{36f}') && strip {
            continue;
        }
        strip = matches!(character, 'a'..='z' | '\u{370}'..='\u{3ff}');
        match character {
            'ł' => plain.push('l'),
            'ø' => plain.push('o'),
            'đ' => plain.push('d'),
            'æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            _ => plain.push(character),
        }
    }
    ComposingNormalizer::new_nfkc().normalize(&plain).into_owned()
}

/// One spelling of letters that are written in several ways; none for what is not seen.
fn letter(character: char) -> Option<char> {
    Some(match character {
        // Turkish has an i with a dot, which is a mark once it is small, and one without; keyboards of others have one i.
        'ı' => 'i',
        '’' | 'ʼ' | '`' => '\'',
        // Romanian was long written with cedillas.
        'ş' => 'ș',
        'ţ' => 'ț',
        // Arabic alef with and without hamza or madda.
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        // That mark; Arabic vowel marks and the stretched line; zero width, directions, soft hyphens, variation selectors.
        '\u{307}'
        | '\u{64b}'..='\u{652}'
        | '\u{670}'
        | '\u{640}'
        | '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' => return None,
        other => other,
    })
}

/// What may stand around a word without being a part of it.
fn is_around(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || character.is_ascii_punctuation()
        || matches!(character,
            '¡' | '¿' | '«' | '»' | '·' | '´' | '¨'
            | '\u{2010}'..='\u{205e}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '・'
            // Arabic comma, semicolon, question mark and full stop; Hebrew maqaf and quotes; Devanagari dandas.
            | '،' | '؛' | '؟' | '۔' | '־' | '׳' | '״' | '।' | '॥')
}

/// What stands between the words of one phrase.
fn is_between(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '_')
}
