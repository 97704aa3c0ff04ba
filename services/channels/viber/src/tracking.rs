//! What a message carries for the customer's next one: Viber hands `tracking_data` back with it.

use heliograph_proto::v1::{Answer, MessageReference, Option as Offered, Selection, option::Action};
use serde::{Deserialize, Serialize};

/// Characters that Viber keeps.
const MOST: usize = 4000;

/// Marks the text that a tapped button sends.
const TAP: &str = "hg:";

/// Which question the customer has before them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tracking {
    /// Our id of the message.
    #[serde(rename = "m")]
    message: String,
    /// Its options: id, title, payload.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<(String, String, String)>,
    /// They were numbered.
    #[serde(rename = "n", default, skip_serializing_if = "std::ops::Not::not")]
    numbered: bool,
}

impl Tracking {
    /// Of a question with these options.
    pub(crate) fn new<'a>(
        message: &str,
        options: impl IntoIterator<Item = &'a Offered>,
        numbered: bool,
    ) -> Self {
        let answers = options.into_iter().filter_map(|option| {
            Some((option.id.clone(), option.title.clone(), payload(option)?.to_owned()))
        });
        Self { message: message.to_owned(), options: answers.collect(), numbered }
    }

    /// As it goes out; without the options where there are too many.
    pub(crate) fn encode(&self) -> String {
        let whole = serde_json::to_string(self).unwrap_or_default();
        if whole.chars().count() <= MOST {
            return whole;
        }
        let bare = Self { options: Vec::new(), ..self.clone() };
        serde_json::to_string(&bare).unwrap_or_default()
    }

    /// What came back; `None` when it is nothing of ours.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What an answer carries; `None` for options that do something else.
fn payload(option: &Offered) -> Option<&str> {
    match &option.action {
        Some(Action::Answer(Answer { payload })) => Some(payload),
        None => Some(""),
        Some(Action::Url(_) | Action::Phone(_) | Action::AskLocation(_)) => None,
    }
}

/// What a button sends when it is tapped; `None` for options that do something else.
pub(crate) fn tap(option: &Offered) -> Option<String> {
    let payload = payload(option)?;
    let mut pairs = url::form_urlencoded::Serializer::for_suffix(TAP.to_owned(), TAP.len());
    pairs.append_pair("o", &option.id);
    if !payload.is_empty() {
        pairs.append_pair("p", payload);
    }
    Some(pairs.finish())
}

/// The option a text means: a button that was tapped, or the words or the number of an option that was just asked.
pub(crate) fn selection(text: &str, tracking: Option<&Tracking>) -> Option<Selection> {
    let question = tracking.map(|tracking| MessageReference {
        message_id: tracking.message.clone(),
        ..MessageReference::default()
    });
    let options = tracking.map_or(&[][..], |tracking| &tracking.options);
    if let Some(tapped) = text.strip_prefix(TAP) {
        let pairs: Vec<_> = url::form_urlencoded::parse(tapped.as_bytes()).collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string());
        let option_id = get("o").filter(|id| !id.is_empty())?;
        let asked = options.iter().find(|(id, ..)| *id == option_id);
        return Some(Selection {
            title: asked.map(|(_, title, _)| title.clone()).unwrap_or_default(),
            payload: get("p").unwrap_or_default(),
            // A button of an earlier question can be tapped, too.
            question: question.filter(|_| asked.is_some()),
            option_id,
            typed: false,
        });
    }
    let said = text.trim();
    let number =
        said.trim_end_matches('.').parse::<usize>().ok().filter(|_| tracking.is_some_and(|it| it.numbered));
    let by_number = number.and_then(|number| options.get(number.checked_sub(1)?));
    let by_title = || options.iter().find(|(_, title, _)| title.trim().to_lowercase() == said.to_lowercase());
    let (id, title, payload) = by_number.or_else(by_title)?;
    Some(Selection {
        option_id: id.clone(),
        title: title.clone(),
        payload: payload.clone(),
        question,
        typed: true,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn option(id: &str, title: &str, payload: &str) -> Offered {
        let action = (!payload.is_empty()).then(|| Action::Answer(Answer { payload: payload.to_owned() }));
        Offered { id: id.to_owned(), title: title.to_owned(), action, ..Offered::default() }
    }

    #[test]
    fn a_tap_names_its_option_whatever_it_is_called() {
        for (id, payload) in [("tea", ""), ("a&b=c", "x y"), ("茶", "hg:o=1"), ("o", "p&o=q")] {
            let option = option(id, "Tea", payload);
            let tracking = Tracking::new("msg_1", [&option], false);
            let back = Tracking::decode(&tracking.encode()).unwrap();
            let found = selection(&tap(&option).unwrap(), Some(&back)).unwrap();
            assert_eq!((found.option_id.as_str(), found.payload.as_str()), (id, payload));
            assert_eq!((found.title.as_str(), found.typed), ("Tea", false));
            assert_eq!(found.question.unwrap().message_id, "msg_1");
        }
        assert_eq!(tap(&option("tea", "Tea", "")).unwrap(), "hg:o=tea");
    }

    #[test]
    fn words_and_numbers_mean_the_options_that_were_asked() {
        let options = [option("t", "Tea", ""), option("c", "Coffee", "black")];
        let numbered = Tracking::new("msg_1", &options, true);
        let tapped = Tracking::new("msg_1", &options, false);
        let means = |text: &str, tracking: &Tracking| selection(text, Some(tracking)).map(|it| it.option_id);
        assert_eq!(means(" coffee ", &tapped).as_deref(), Some("c"));
        assert_eq!(means("2.", &numbered).as_deref(), Some("c"));
        for (text, tracking) in [("2", &tapped), ("0", &numbered), ("3", &numbered), ("cocoa", &numbered)] {
            assert_eq!(means(text, tracking), None, "{text}");
        }
        assert_eq!(selection("Tea", None), None);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let options: Vec<Offered> = (0..50).map(|n| option(&format!("{n}"), &"x".repeat(100), "")).collect();
        let encoded = Tracking::new("msg_1", &options, false).encode();
        assert_eq!(encoded, r#"{"m":"msg_1"}"#);
        assert_eq!(Tracking::decode("something else"), None);
        assert_eq!(Tracking::decode(r#"{"m":"msg_1","x":1}"#), None);
    }
}
