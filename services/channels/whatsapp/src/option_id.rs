//! Options carry one id each; ours have an id and a payload.

/// Longest id and payload of an option together, in bytes: a list's rows take 200 characters, and what joins the two
/// takes up to five.
pub(crate) const LIMIT: usize = 195;

/// Starts an id with a payload behind it.
const MARK: char = '~';

/// `id`, or `~<length of the id>~<id><payload>`.
pub(crate) fn join(id: &str, payload: &str) -> String {
    if payload.is_empty() && !id.starts_with(MARK) {
        id.to_owned()
    } else {
        format!("{MARK}{}{MARK}{id}{payload}", id.len())
    }
}

/// The id and the payload that [`join`] joined. What is not of our making is an id.
pub(crate) fn split(joined: &str) -> (&str, &str) {
    let parts = || {
        let (length, rest) = joined.strip_prefix(MARK)?.split_once(MARK)?;
        rest.split_at_checked(length.parse().ok()?)
    };
    parts().unwrap_or((joined, ""))
}

#[cfg(test)]
mod tests {
    use super::{join, split};

    #[test]
    fn what_is_joined_is_split_again() {
        for (id, payload) in
            [("tea", ""), ("tea", "cup=2"), ("", "x"), ("~1~ab", ""), ("~", "~~"), ("茶", "杯")]
        {
            assert_eq!(split(&join(id, payload)), (id, payload));
        }
        assert_eq!(join("tea", ""), "tea");
    }

    #[test]
    fn what_others_made_is_an_id() {
        for odd in ["", "~", "~~", "~9~ab", "~x~ab", "~1~茶", "cancel-button"] {
            assert_eq!(split(odd), (odd, ""));
        }
    }
}
