//! LINE's own description of its API accepts what we send. The description stands beside the repository, or not.

use std::{collections::BTreeSet, path::Path};

use heliograph_channel::{Body, Caller, Provider};
use heliograph_channel_line::Line;
use heliograph_proto::v1::{
    Address, Custom, ReadMark, SignalRequest, Typing, content::Kind, signal_request::Signal,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    random::{kind, message, pushed},
    support::{USER, whole},
};

/// Schemas of an OpenAPI document, with discriminators that stand in base types: `type: text` makes a `Message` a
/// `TextMessage`.
struct Schemas(Value);

impl Schemas {
    fn load(file: &str) -> Option<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/channels/schemas/line");
        let text = std::fs::read_to_string(Path::new(folder).join(file)).ok();
        if text.is_none() {
            eprintln!("skipped: there is no {file} in {folder}");
        }
        let document: Value = serde_saphyr::from_str(&text?).unwrap();
        Some(Self(document["components"]["schemas"].clone()))
    }

    /// What is wrong with `value` as a `name`.
    fn problems(&self, name: &str, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(&self.0[name], value, name, true, &mut problems);
        problems
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(path) => &self.0[path.rsplit('/').next().unwrap()],
            None => schema,
        }
    }

    /// `dispatch`: not as the base of another.
    fn check(&self, schema: &Value, value: &Value, at: &str, dispatch: bool, problems: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let mut fail = |problem: String| problems.push(format!("{at}: {problem}"));
        if let (true, Some(property)) = (dispatch, schema["discriminator"]["propertyName"].as_str()) {
            let kind = value[property].as_str().unwrap_or_default();
            return match schema["discriminator"]["mapping"][kind].as_str() {
                Some(path) => {
                    let name = path.rsplit('/').next().unwrap();
                    self.check_whole(&self.0[name], value, &format!("{at}({kind})"), problems);
                }
                None => fail(format!("there is no {property} `{kind}`")),
            };
        }
        if dispatch {
            return self.check_whole(schema, value, at, problems);
        }
        let right = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
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
        let length =
            value.as_str().map_or_else(|| value.as_array().map(Vec::len), |text| Some(text.chars().count()));
        for (least, most) in [("minLength", "maxLength"), ("minItems", "maxItems")] {
            let limit = |name: &str| schema[name].as_u64().map(|limit| usize::try_from(limit).unwrap());
            let low = limit(least).zip(length).is_some_and(|(limit, length)| length < limit);
            let high = limit(most).zip(length).is_some_and(|(limit, length)| length > limit);
            if low || high {
                fail(format!("{length:?} is outside {least} and {most}"));
            }
        }
        let number = value.as_f64();
        let below = schema["minimum"].as_f64().zip(number).is_some_and(|(limit, number)| number < limit);
        let above = schema["maximum"].as_f64().zip(number).is_some_and(|(limit, number)| number > limit);
        if below || above {
            fail(format!("{value} is outside minimum and maximum"));
        }
        if schema["format"] == "uri" && url::Url::parse(value.as_str().unwrap_or_default()).is_err() {
            fail(format!("{value} is not a URI"));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value[name].is_null() {
                fail(format!("{name} is missing"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.check(property, value, &format!("{at}.{name}"), true, problems);
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{index}]"), true, problems);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, false, problems);
        }
    }

    /// A type with all it is made of; what none of that knows is wrong.
    fn check_whole(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        self.check(schema, value, at, false, problems);
        let mut known = BTreeSet::new();
        self.properties(schema, &mut known);
        if !known.is_empty() {
            for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                if !known.contains(name) {
                    problems.push(format!("{at}: nothing is called {name} here"));
                }
            }
        }
    }

    fn properties(&self, schema: &Value, known: &mut BTreeSet<String>) {
        let schema = self.resolve(schema);
        known.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.properties(part, known);
        }
    }
}

#[test]
fn lines_description_accepts_what_is_pushed_and_replied() {
    let Some(schemas) = Schemas::load("messaging-api.yml") else { return };
    let (account, mut runner) = (whole(), TestRunner::default());
    let outcome = runner.run(&kind(), |kind| {
        let body = pushed(&account, &message(kind));
        let problems = schemas.problems("PushMessageRequest", &body);
        prop_assert!(problems.is_empty(), "{:#?}\n{:#}", problems, body);
        let reply = json!({ "replyToken": "t", "messages": body["messages"] });
        let problems = schemas.problems("ReplyMessageRequest", &reply);
        prop_assert!(problems.is_empty(), "{:#?}", problems);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn lines_description_accepts_its_own_objects_as_they_are_passed_on() {
    let Some(schemas) = Schemas::load("messaging-api.yml") else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/outbound");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let message = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let problems = schemas.problems("PushMessageRequest", &pushed(&whole(), &message));
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
        checked += 1;
    }
    assert!(checked > 10);
}

#[test]
fn lines_description_accepts_signals() {
    let Some(schemas) = Schemas::load("messaging-api.yml") else { return };
    let account = whole();
    let of = |signal| SignalRequest {
        address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
        signal: Some(signal),
        ..SignalRequest::default()
    };
    let typing = Line.encode_signal(&Caller::new(&account, 0), &of(Signal::Typing(Typing { on: true })));
    let read = of(Signal::ReadMark(ReadMark::default()));
    let read = Line.encode_signal_upon(&Caller::new(&account, 0), &read, &"nz0x74mZT2mRn".into());
    for (request, name) in
        [(typing, "ShowLoadingAnimationRequest"), (read, "MarkMessagesAsReadByTokenRequest")]
    {
        let Body::Json(body) = request.unwrap().body else { panic!("not JSON") };
        let problems = schemas.problems(name, &serde_json::from_slice(&body).unwrap());
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let Some(schemas) = Schemas::load("messaging-api.yml") else { return };
    let custom = Custom { kind: "flex".to_owned(), fallback: "x".to_owned(), data: None };
    let sent = pushed(&whole(), &message(Kind::Custom(Custom { kind: "unknown".to_owned(), ..custom })));
    assert!(schemas.problems("PushMessageRequest", &sent).is_empty());
    for (name, value) in [
        ("text", json!(1)),
        ("colour", json!("red")),
        ("type", json!("hologram")),
        ("sender", json!({ "name": "a name of more than twenty letters" })),
        ("quickReply", json!({ "items": [{ "action": { "type": "postback", "data": "x".repeat(301) } }] })),
    ] {
        let mut wrong = sent.clone();
        wrong["messages"][0][name] = value;
        assert!(!schemas.problems("PushMessageRequest", &wrong).is_empty(), "{name}");
    }
}

#[test]
fn what_the_channel_is_tested_with_is_what_line_describes() {
    let Some(schemas) = Schemas::load("webhook.yml") else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/inbound");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let problems = schemas.problems("CallbackRequest", &body);
        let wrong = ["new_", "event_without_an_id", "several_users_and_a_bad_one"];
        let wrong = wrong.iter().any(|start| name.starts_with(start));
        assert_eq!(problems.is_empty(), !wrong, "{name}: {problems:#?}");
        checked += 1;
    }
    assert!(checked > 40);
}
