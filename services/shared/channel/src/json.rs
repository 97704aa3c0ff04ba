//! Reading and writing JSON as providers have it: what is not there, or is another thing than it should be, is empty.

use serde_json::Value;

/// A text.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A text to keep.
pub fn owned(value: &Value, name: &str) -> String {
    text(value, name).to_owned()
}

/// Yes, or not.
pub fn flag(value: &Value, name: &str) -> bool {
    value[name].as_bool().unwrap_or(false)
}

/// What stands in a list.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[name].as_array().into_iter().flatten()
}

/// A whole number, though some write it as text.
pub fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A whole number; 0 where there is none.
pub fn whole(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

/// The fields of an object that are none of the words in `known`.
pub fn beyond<'a>(value: &'a Value, known: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let known: Vec<&str> = known.split_whitespace().collect();
    let mut names: Vec<&str> =
        value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| !known.contains(name));
    names.into_iter()
}

/// A number, though some write it as text.
pub fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// Whether an object has a field that is none of `known`.
pub fn has_beyond(value: &Value, known: &[&str]) -> bool {
    value.as_object().is_some_and(|fields| fields.keys().any(|name| !known.contains(&name.as_str())))
}

/// The first text that says something, or else the second.
pub fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// Without the fields that say nothing: null, and empty texts, lists and objects, however deep.
pub fn without_empty(mut value: Value) -> Value {
    prune(&mut value);
    value
}

fn prune(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    fields.values_mut().for_each(prune);
    fields.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_or_is_something_else_is_empty() {
        let said = json!({ "a": "x", "b": 1, "c": ["y"], "d": true });
        assert_eq!([text(&said, "a"), text(&said, "b"), text(&said, "none")], ["x", "", ""]);
        assert_eq!((list(&said, "c").count(), list(&said, "a").count()), (1, 0));
        assert_eq!((flag(&said, "d"), flag(&said, "b")), (true, false));
        assert_eq!(
            [json!(7), json!("7"), json!("x"), json!(null)].map(|it| integer(&it)),
            [Some(7), Some(7), None, None]
        );
        assert_eq!([whole(&said, "b"), whole(&said, "a")], [1, 0]);
        assert_eq!(beyond(&said, "a b\n x").collect::<Vec<_>>(), ["c", "d"]);
        assert!(has_beyond(&said, &["a", "b", "c"]) && !has_beyond(&said, &["a", "b", "c", "d"]));
    }

    #[test]
    fn fields_that_say_nothing_are_left_out() {
        let empty = json!({ "a": "", "b": [], "c": { "d": "" }, "j": null });
        assert_eq!(without_empty(empty), json!({}));
        let said = json!({ "e": { "f": 0, "g": {} }, "h": false, "i": ["", "x"] });
        assert_eq!(without_empty(said), json!({ "e": { "f": 0 }, "h": false, "i": ["", "x"] }));
    }
}
