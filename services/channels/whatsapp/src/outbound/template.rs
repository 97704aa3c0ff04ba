//! Templates: named, and filled in.

use heliograph_channel::Outcome;
use heliograph_proto::{
    Timestamp,
    v1::{Money, Template, TemplateParameter, template_parameter::Value as Filling},
};
use serde_json::{Value, json};

use super::{location, media, of_type};

pub(super) fn template(template: &Template) -> Result<Value, Outcome> {
    let mut filled = heliograph_graph::filled(template, parameter)?;
    filled["language"]["policy"] = "deterministic".into();
    Ok(of_type("template", filled))
}

fn parameter(parameter: &TemplateParameter) -> Result<Value, Outcome> {
    let Some(value) = &parameter.value else {
        return Err(Outcome::permanent("no_value", "a template's parameter has no value"));
    };
    let mut filled = match value {
        Filling::Text(text) => of_type("text", text.as_str().into()),
        Filling::Media(media) => media::header(media)?,
        Filling::Location(place) => of_type("location", location(place)),
        Filling::Payload(payload) => of_type("payload", payload.as_str().into()),
        Filling::Money(money) => of_type("currency", currency(money)),
        Filling::Time(time) => of_type("date_time", json!({ "fallback_value": date(time) })),
    };
    // A template's parameters are numbered or named, as it was made.
    if !parameter.name.is_empty() && !parameter.name.bytes().all(|byte| byte.is_ascii_digit()) {
        filled["parameter_name"] = parameter.name.as_str().into();
    }
    Ok(filled)
}

fn currency(money: &Money) -> Value {
    let thousandths = money.units.saturating_mul(1000).saturating_add(i64::from(money.nanos / 1_000_000));
    let (sign, all) = (if thousandths < 0 { "-" } else { "" }, thousandths.unsigned_abs());
    let shown = format!("{sign}{}.{:02} {}", all / 1000, all % 1000 / 10, money.currency);
    json!({ "fallback_value": shown, "code": money.currency, "amount_1000": thousandths })
}

/// As a customer reads it whose phone does not know better.
fn date(time: &Timestamp) -> String {
    let time = jiff::Timestamp::from_second(time.seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
