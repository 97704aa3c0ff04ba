//! What is sent, against the description of the Bot API beside the repository, where there is one.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{
    arbitrary::messages,
    support::{call, encode},
};

/// The published methods and types (`PaulSonOfLars/telegram-bot-api-spec`).
struct Api(Value);

impl Api {
    fn read() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../../shared/channels/schemas/telegram/api.json");
        if let Ok(bytes) = std::fs::read(&root) {
            Some(Self(serde_json::from_slice(&bytes).unwrap()))
        } else {
            println!("skipped: there is no {}", root.display());
            None
        }
    }

    /// Every field is known, of a type it may have, and none is missing.
    fn fields(&self, of: &Value, given: &Map<String, Value>, at: &str) -> Result<(), String> {
        let known = of["fields"].as_array().ok_or_else(|| format!("{at}: there is no such thing"))?;
        for field in known.iter().filter(|field| field["required"] == true) {
            let name = field["name"].as_str().unwrap();
            given.get(name).ok_or_else(|| format!("{at}: `{name}` is missing"))?;
        }
        for (name, value) in given {
            let field = known.iter().find(|field| field["name"] == name.as_str());
            let field = field.ok_or_else(|| format!("{at}: `{name}` is not known"))?;
            let types = field["types"].as_array().unwrap();
            let results: Vec<_> = types
                .iter()
                .map(|kind| self.value(kind.as_str().unwrap(), value, &format!("{at}.{name}")))
                .collect();
            if results.iter().all(Result::is_err) {
                return results.into_iter().next().unwrap();
            }
        }
        Ok(())
    }

    fn value(&self, kind: &str, value: &Value, at: &str) -> Result<(), String> {
        let is = |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: {value} is not {kind}")) };
        if let Some(inner) = kind.strip_prefix("Array of ") {
            let items = value.as_array().ok_or_else(|| format!("{at}: {value} is not an array"))?;
            return items.iter().try_for_each(|item| self.value(inner, item, at));
        }
        match kind {
            "Integer" => is(value.is_i64()),
            "Float" => is(value.is_number()),
            "String" => is(value.is_string()),
            "Boolean" => is(value.is_boolean()),
            name => {
                let of = &self.0["types"][name];
                if let Some(subtypes) = of["subtypes"].as_array() {
                    let fits = |name: &Value| self.value(name.as_str().unwrap(), value, at);
                    let results: Vec<_> = subtypes.iter().map(fits).collect();
                    return if results.iter().any(Result::is_ok) {
                        Ok(())
                    } else {
                        Err(format!("{results:?}"))
                    };
                }
                let given = value.as_object().ok_or_else(|| format!("{at}: {value} is not an object"))?;
                self.fields(of, given, &format!("{at}:{name}"))
            }
        }
    }
}

#[test]
fn random_messages_are_calls_that_the_api_has() {
    let Some(api) = Api::read() else { return };
    let config = ProptestConfig { cases: 2000, ..ProptestConfig::default() };
    proptest!(config, |(message in messages())| {
        match encode(&message, None) {
            Ok(request) => {
                let (method, fields) = call(&request);
                if let Err(problem) = api.fields(&api.0["methods"][&method], &fields, &method) {
                    prop_assert!(false, "{}", problem);
                }
            }
            Err(outcome) => prop_assert!(false, "{:?} is not encoded: {:?}", message, outcome),
        }
    });
}

#[test]
fn what_the_api_does_not_have_is_found() {
    let Some(api) = Api::read() else { return };
    let send = &api.0["methods"]["sendMessage"];
    for (given, problem) in [
        (serde_json::json!({ "chat_id": 1 }), "`text` is missing"),
        (serde_json::json!({ "chat_id": 1, "text": "x", "colour": "red" }), "`colour` is not known"),
        (serde_json::json!({ "chat_id": 1, "text": 5 }), "5 is not String"),
        (serde_json::json!({ "chat_id": 1, "text": "x", "reply_parameters": {} }), "`message_id` is missing"),
    ] {
        let found = api.fields(send, given.as_object().unwrap(), "sendMessage").unwrap_err();
        assert!(found.contains(problem), "{found}");
    }
}
