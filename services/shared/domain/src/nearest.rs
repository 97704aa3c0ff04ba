//! What somebody probably meant to write.

/// The known word closest to `word`, if one is close enough to be worth suggesting; the first one among equals.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0 => 0,
        1..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let distance = strsim::damerau_levenshtein(word, candidate);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_only_what_is_close() {
        let channels = ["sms", "wechat", "webchat", "bottle"];
        assert_eq!(nearest("wehcat", channels), Some("wechat"));
        assert_eq!(nearest("smss", channels), Some("sms"));
        assert_eq!(nearest("carrier-pigeon", channels), None);
        assert_eq!(nearest("", channels), None);
    }
}
