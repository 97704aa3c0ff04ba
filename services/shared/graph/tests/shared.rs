//! What both channels take from here: what a question offers, what a code means, and who the app is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse, Secrets};
use heliograph_graph::{App, Meaning, Offers, check, check_id, filled, lines, refused};
use heliograph_proto::v1::{
    Answer, AskLocation, Option as Offered, Template, TemplateComponent, TemplateParameter, option::Action,
    template_parameter::Value as Filling,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

fn option(id: &str, action: Option<Action>) -> Offered {
    Offered { id: id.to_owned(), title: id.to_uppercase(), action, ..Offered::default() }
}

#[test]
fn what_has_no_button_stands_below() {
    let options = [
        option("tea", Some(Action::Answer(Answer { payload: "green".to_owned() }))),
        option("shop", Some(Action::Url("https://example.com".to_owned()))),
        option("call", Some(Action::Phone("+6493070700".to_owned()))),
        option("where", Some(Action::AskLocation(AskLocation {}))),
        option("coffee", None),
    ];
    let offers = Offers::of(&options);
    let carried: Vec<&str> = offers.answers.iter().map(|(_, carried)| carried.as_str()).collect();
    assert_eq!(carried, ["hg:3:teagreen", "coffee"]);
    assert_eq!(offers.below("Hello", 1), "Hello\nCALL: +6493070700\nWHERE");
    assert!(!offers.only_asks_location());

    let offers = Offers::of(&options[3..4]);
    assert!(offers.only_asks_location());
    assert_eq!(offers.below("Hello", 0), "Hello");
    assert_eq!(lines(["a", " ", "", "b"]), "a\nb");
}

#[test]
fn lengths_are_refused_by_name() {
    let code = |length| match check("card_title", length, 1..=3) {
        Err(Outcome::Permanent { code, .. }) => code,
        other => format!("{other:?}"),
    };
    assert_eq!([0, 3, 4].map(code), ["card_title_empty", "Ok(())", "card_title_too_long"]);
}

fn answer(status: u16, wait: Option<&str>, body: &Value) -> ProviderResponse {
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert("retry-after", wait.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    ProviderResponse { status, headers, body: body.to_string().into(), now_ms: 0 }
}

#[test]
fn the_table_goes_before_the_status_and_the_providers_wait_before_the_usual() {
    let error = |code: i64| json!({ "error": { "code": code, "message": "no" } });
    let outcome = |response: ProviderResponse| {
        refused(&response, |error| (error.code == 7).then_some(Meaning::Slower(Duration::from_secs(5))))
    };
    let waits = |outcome| match outcome {
        Some(Outcome::Retry { after, account_wide, rate_limited, .. }) => {
            (after.map(|after| after.as_secs()), account_wide, rate_limited)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(waits(outcome(answer(400, None, &error(7)))), (Some(5), false, true));
    assert_eq!(waits(outcome(answer(400, Some("9"), &error(7)))), (Some(9), false, true));
    assert_eq!(waits(outcome(answer(429, None, &error(8)))), (Some(60), true, true));
    assert_eq!(waits(outcome(answer(500, None, &error(8)))), (None, false, false));
    assert_eq!(waits(outcome(answer(503, None, &json!("away")))), (None, false, false));
    assert!(matches!(outcome(answer(400, None, &error(8))), Some(Outcome::Permanent { .. })));
    assert!(matches!(outcome(answer(403, None, &json!("no"))), Some(Outcome::Auth { .. })));
    assert_eq!(outcome(answer(200, None, &json!({ "messages": [] }))), None);
}

#[test]
fn templates_are_filled_in_part_by_part() {
    let parameter = |name: &str, value| TemplateParameter { name: name.to_owned(), value: Some(value) };
    let part = |part: &str, index, parameters| TemplateComponent { part: part.to_owned(), index, parameters };
    let text = |name: &str| parameter(name, Filling::Text("x".to_owned()));
    let template = Template {
        name: "order".to_owned(),
        language: "pt-BR".to_owned(),
        components: vec![
            part("header", 0, vec![]),
            part("body", 0, vec![text("1")]),
            part("button", 1, vec![text("")]),
            part("button", 2, vec![text("flow")]),
            part("button", 3, vec![parameter("", Filling::Payload("p".to_owned()))]),
        ],
        ..Template::default()
    };
    let form = |parameter: &TemplateParameter| Ok(json!({ "called": parameter.name }));
    let expected = json!({
        "name": "order", "language": { "code": "pt_BR" }, "components": [
            { "type": "body", "parameters": [{ "called": "1" }] },
            { "type": "button", "sub_type": "url", "index": "1", "parameters": [{ "type": "text", "text": "x" }] },
            { "type": "button", "sub_type": "flow", "index": "2", "parameters": [
                { "type": "action", "action": { "flow_token": "x" } },
            ] },
            { "type": "button", "sub_type": "quick_reply", "index": "3", "parameters": [
                { "type": "payload", "payload": "p" },
            ] },
        ],
    });
    assert_eq!(filled(&template, form).unwrap(), expected);
    assert!(filled(&Template::default(), form).is_err());
}

#[test]
fn an_app_names_what_it_lacks() {
    let mut secrets = Secrets::default();
    let build = |version: Option<&str>, secrets: &Secrets| {
        App::build(version.map(str::to_owned), true, secrets).map_err(|error| error.field)
    };
    for name in ["app_secret", "verify_token", "access_token"] {
        assert_eq!(build(None, &secrets).unwrap_err(), format!("spec.secrets.{name}"));
        secrets.add(name, "made-up".into());
    }
    let app = build(Some("v19.0"), &secrets).unwrap();
    assert_eq!((app.api_version.as_str(), app.proof.is_some()), ("v19.0", true));
    for version in ["19.0", "v19", "v+1.0", "v1/.0"] {
        assert_eq!(build(Some(version), &secrets).unwrap_err(), "spec.settings.api_version");
    }
    assert!(check_id("page_id", "123", "Page").is_ok());
    assert_eq!(check_id("page_id", "12a", "Page").unwrap_err().field, "spec.settings.page_id");
}
