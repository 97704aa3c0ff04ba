//! Meta's own description of its API accepts what we send. The description stands beside the repository, or not.
//!
//! It has mistakes, which are put right here before it is used: closed objects inside `allOf` that no message can
//! satisfy, coordinates as text, interactive types and parameters that its own examples use and its lists lack, a button's
//! index of which no digit is allowed, and no recipient but a number.

use std::path::Path;

use heliograph_proto::v1::Address;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    random::kind,
    support::{account, message, sent},
};

struct Schemas(Value);

impl Schemas {
    fn load() -> Option<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/channels/schemas/meta");
        let text = std::fs::read_to_string(Path::new(folder).join("business-messaging-api_v23.0.yaml")).ok();
        if text.is_none() {
            eprintln!("skipped: there is no description of the API in {folder}");
        }
        let document: Value = serde_saphyr::from_str(&text?).unwrap();
        let mut schemas = document["components"]["schemas"].clone();
        open(&mut schemas);
        let extend = |list: &mut Value, more: &[&str]| {
            list.as_array_mut().unwrap().extend(more.iter().map(|name| Value::from(*name)));
        };
        extend(
            &mut schemas["InteractiveObject"]["properties"]["type"]["enum"],
            &["cta_url", "location_request_message", "carousel"],
        );
        for shape in ["cards", "name"] {
            let shape = json!({ "required": [shape] });
            schemas["ActionObject"]["oneOf"].as_array_mut().unwrap().push(shape);
        }
        for coordinate in ["latitude", "longitude"] {
            schemas["LocationMessage"]["allOf"][1]["properties"]["location"]["properties"][coordinate]["type"] =
                "number".into();
        }
        for component in ["TemplateComponent", "ButtonComponent"] {
            for path in ["/properties/index", "/allOf/1/properties/index"] {
                if let Some(index) = schemas[component].pointer_mut(path) {
                    *index = json!({ "type": "string" });
                }
            }
        }
        Some(Self(schemas))
    }

    fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(&self.0["Message"], value, "message", &mut problems);
        problems
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => &self.0[path.rsplit('/').next().unwrap()],
            None => schema,
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let mut fail = |problem: String| problems.push(format!("{at}: {problem}"));
        let discriminator = &schema["discriminator"];
        // A base type names those made of it; they name it in turn.
        if schema["oneOf"].is_array() && discriminator.is_object() {
            let kind = value[discriminator["propertyName"].as_str().unwrap()].as_str().unwrap_or_default();
            return match discriminator["mapping"][kind].as_str() {
                Some(path) => self.check(&json!({ "$ref": path }), value, &format!("{at}({kind})"), problems),
                None => fail(format!("there is no type `{kind}`")),
            };
        }
        let right = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !right {
            fail(format!("{value} is not of type {}", schema["type"]));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            fail(format!("{value} is not one of {}", schema["enum"]));
        }
        let length = value.as_str().map(|text| text.chars().count()).or(value.as_array().map(Vec::len));
        for (least, most) in [("minLength", "maxLength"), ("minItems", "maxItems")] {
            let limit = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
            let low = limit(least).zip(length).is_some_and(|(limit, length)| length < limit);
            let high = limit(most).zip(length).is_some_and(|(limit, length)| length > limit);
            if low || high {
                fail(format!("{length:?} is outside {least} and {most}"));
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value[name].is_null() {
                fail(format!("{name} is missing"));
            }
        }
        if schema["additionalProperties"] == false {
            let known = &schema["properties"];
            for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                if known[name].is_null() {
                    fail(format!("nothing is called {name} here"));
                }
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.check(property, value, &format!("{at}.{name}"), problems);
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{index}]"), problems);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, problems);
        }
        if let Some(shapes) = schema["oneOf"].as_array() {
            let tried = shapes.iter().map(|shape| {
                let mut problems = Vec::new();
                self.check(shape, value, at, &mut problems);
                problems
            });
            let tried: Vec<_> = tried.collect();
            if !tried.iter().any(Vec::is_empty) {
                problems.extend(tried.into_iter().flatten());
            }
        }
    }
}

/// Opens what is closed inside `allOf`, and media, whose names and voices the description has not heard of.
fn open(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for part in fields.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
                part.as_object_mut().map(|part| part.remove("additionalProperties"));
            }
            fields.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

#[test]
fn metas_description_accepts_what_is_sent() {
    let Some(schemas) = Schemas::load() else { return };
    let account = account(&json!({}));
    let outcome = TestRunner::default().run(&kind(), |kind| {
        let mut message = message(kind);
        // The description is older than user ids.
        message.address = Some(Address { user_id: "16505551234".to_owned(), ..Address::default() });
        let body = sent(&account, &message);
        let problems = schemas.problems(&body);
        prop_assert!(problems.is_empty(), "{:#?}\n{:#}", problems, body);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let Some(schemas) = Schemas::load() else { return };
    let base =
        json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "16505551234" });
    let with = |kind: &str, said: Value| {
        let mut body = base.clone();
        body["type"] = kind.into();
        body[kind] = said;
        body
    };
    assert!(schemas.problems(&with("text", json!({ "body": "x" }))).is_empty());
    for (kind, said) in [
        ("hologram", json!({})),
        ("text", json!({ "body": 1 })),
        ("text", json!({ "bodi": "x" })),
        ("sticker", json!({})),
        ("image", json!({ "caption": "x" })),
        ("interactive", json!({ "type": "button", "action": { "buttons": [] } })),
        ("interactive", json!({ "type": "button", "action": {} })),
        ("template", json!({ "name": "x" })),
        ("contacts", json!([])),
    ] {
        assert!(!schemas.problems(&with(kind, said.clone())).is_empty(), "{kind} {said}");
    }
    let mut unaddressed = with("text", json!({ "body": "x" }));
    unaddressed.as_object_mut().unwrap().remove("to");
    assert!(!schemas.problems(&unaddressed).is_empty());
}
