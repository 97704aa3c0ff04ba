//! What is wrong with what a tenant says about words.

use std::collections::{BTreeMap, HashMap};

use heliograph_domain::resources::ConsentSettings;

use super::{KeywordKind, fold::fold, known};
use crate::fault::Faults;

/// Finds words that can never count as they are meant, and answers that cannot be given.
pub(super) fn check(settings: &ConsentSettings, faults: &mut Faults) {
    let (words, replies) = (&settings.keywords, &settings.replies);
    let mut seen: HashMap<String, KeywordKind> = HashMap::new();
    for (kind, words) in [
        (KeywordKind::Stop, &words.stop),
        (KeywordKind::Start, &words.start),
        (KeywordKind::Help, &words.help),
    ] {
        for (index, word) in words.iter().enumerate() {
            let path = format!("spec.consent.keywords.{}[{index}]", kind.as_str());
            let folded = fold(word);
            if folded.is_empty() {
                faults.add(path, format!("{word:?} has no letters"));
                continue;
            }
            let always = known(&folded, None).filter(|known| known.kind == KeywordKind::Stop);
            if always.is_some() && kind != KeywordKind::Stop {
                faults.add(path, format!("{word:?} always takes consent away"));
                continue;
            }
            let other = *seen.entry(folded).or_insert(kind);
            if other != kind {
                faults.add(path, format!("{word:?} is a word for {} already", other.as_str()));
            }
        }
    }
    for (kind, texts) in [
        (KeywordKind::Stop, &replies.stop),
        (KeywordKind::Start, &replies.start),
        (KeywordKind::Help, &replies.help),
    ] {
        check_replies(kind, texts, faults);
    }
}

fn check_replies(kind: KeywordKind, texts: &BTreeMap<String, String>, faults: &mut Faults) {
    for (tag, text) in texts {
        let path = format!("spec.consent.replies.{}.{tag}", kind.as_str());
        let mut parts = tag.split(['-', '_']);
        let language = parts.next().unwrap_or_default();
        let is_tag = (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            && parts.all(|part| {
                (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if !is_tag {
            faults.add(&path, format!("{tag:?} is no language tag; write it like pt or pt-BR"));
        }
        if text.trim().is_empty() {
            faults.add(&path, "is empty");
        }
        if text.replace("{name}", "").contains(['{', '}']) {
            let message = "nothing but {name} stands for something in an answer".to_owned();
            faults.add_meaning(path, message, Some("{name}".to_owned()));
        }
    }
}
