//! What a button carries: one string for an option's id and what it is to bring back.
//!
//! An id alone stands as it is. With a payload it is `hg:<length of the id>:<id><payload>`, so that any id and any
//! payload come back as they were, and what somebody else put behind a button is never taken apart.

use heliograph_proto::v1::Selection;

/// What [`carried`] adds to an id and a payload, at most.
pub(crate) const OVERHEAD: usize = "hg:1000:".len();

const MARK: &str = "hg:";

/// An option's id and payload as one string.
pub fn carried(id: &str, payload: &str) -> String {
    if payload.is_empty() && !id.starts_with(MARK) {
        id.to_owned()
    } else {
        format!("{MARK}{}:{id}{payload}", id.len())
    }
}

/// The id and the payload in what came back.
fn answered(payload: &str) -> (&str, &str) {
    let apart = || {
        let (length, rest) = payload.strip_prefix(MARK)?.split_once(':')?;
        rest.split_at_checked(length.parse().ok()?)
    };
    apart().unwrap_or((payload, ""))
}

/// What was chosen, by what came back; without its title.
pub fn chosen(payload: &str) -> Selection {
    let (option_id, payload) = answered(payload);
    let (option_id, payload) = (option_id.to_owned(), payload.to_owned());
    Selection { option_id, payload, ..Selection::default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OVERHEAD, answered, carried};

    #[test]
    fn what_others_put_behind_their_buttons_is_an_id() {
        for foreign in ["", "GET_STARTED", "hg:", "hg:x:y", "hg:9:short", "hg:1:é", "a|b"] {
            assert_eq!(answered(foreign), (foreign, ""), "{foreign}");
        }
        assert_eq!(carried("tea", ""), "tea");
    }

    proptest! {
        #[test]
        fn ids_and_payloads_come_back(id in ".{0,60}", payload in ".{0,60}") {
            let together = carried(&id, &payload);
            prop_assert!(together.len() <= id.len() + payload.len() + OVERHEAD);
            prop_assert_eq!(answered(&together), (id.as_str(), payload.as_str()));
        }
    }
}
