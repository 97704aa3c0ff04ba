//! What a question offers.

use heliograph_proto::v1::{Answer, Option as Offered, option::Action};

/// What stands on an option: its title, or its id where it has none that can be seen.
pub fn label(option: &Offered) -> &str {
    if option.title.trim().is_empty() { &option.id } else { &option.title }
}

/// What an answer brings back beside its option's id. Links, numbers to call and places bring back nothing.
pub fn payload(option: &Offered) -> &str {
    match &option.action {
        Some(Action::Answer(Answer { payload })) => payload,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_called_by_its_title_and_carries_its_answer() {
        let option = |title: &str, action| {
            let action = Some(action);
            Offered { id: "tea".to_owned(), title: title.to_owned(), action, ..Offered::default() }
        };
        let tea = option("Tea", Action::Answer(Answer { payload: "green".to_owned() }));
        let bare = option(" ", Action::Url("https://example.com/".to_owned()));
        assert_eq!([label(&tea), label(&bare)], ["Tea", "tea"]);
        assert_eq!([payload(&tea), payload(&bare)], ["green", ""]);
    }
}
