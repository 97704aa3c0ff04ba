//! Templates: named, and filled in.

use heliograph_channel::Outcome;
use heliograph_proto::{
    Timestamp,
    v1::{Money, Template, TemplateComponent, TemplateParameter, template_parameter::Value as Filling},
};
use serde_json::{Value, json};

use super::{location, media, of_type};

/// Kinds of buttons a parameter can name; those with neither a payload nor an address are filled in by an action.
const BUTTONS: [&str; 5] = ["quick_reply", "url", "copy_code", "flow", "catalog"];

pub(super) fn template(template: &Template) -> Result<Value, Outcome> {
    if template.name.is_empty() {
        return Err(Outcome::permanent("no_template", "WhatsApp knows templates by their name"));
    }
    let filled = template.components.iter().filter(|component| !component.parameters.is_empty());
    let components = filled.map(component).collect::<Result<Vec<_>, _>>()?;
    // `pt-BR` is `pt_BR` here.
    let code = template.language.replace('-', "_");
    let language = json!({ "policy": "deterministic", "code": code });
    let template = json!({ "name": template.name, "language": language, "components": components });
    Ok(of_type("template", template))
}

fn component(component: &TemplateComponent) -> Result<Value, Outcome> {
    if component.part != "button" {
        let parameters = component.parameters.iter().map(parameter).collect::<Result<Vec<_>, _>>()?;
        return Ok(json!({ "type": component.part, "parameters": parameters }));
    }
    let first = &component.parameters[0];
    let named = BUTTONS.into_iter().find(|kind| *kind == first.name);
    let kind = named.unwrap_or(match first.value {
        Some(Filling::Text(_)) => "url",
        _ => "quick_reply",
    });
    let parameters: Vec<Value> =
        component.parameters.iter().map(|parameter| button(kind, parameter)).collect();
    Ok(json!({
        "type": "button", "sub_type": kind, "index": component.index.to_string(), "parameters": parameters,
    }))
}

fn button(kind: &str, parameter: &TemplateParameter) -> Value {
    let text = match &parameter.value {
        Some(Filling::Text(text) | Filling::Payload(text)) => text.as_str(),
        _ => "",
    };
    match kind {
        "url" => json!({ "type": "text", "text": text }),
        "copy_code" => json!({ "type": "coupon_code", "coupon_code": text }),
        "flow" => json!({ "type": "action", "action": { "flow_token": text } }),
        "catalog" => json!({ "type": "action", "action": { "thumbnail_product_retailer_id": text } }),
        _ => json!({ "type": "payload", "payload": text }),
    }
}

fn parameter(parameter: &TemplateParameter) -> Result<Value, Outcome> {
    let filling = parameter.value.as_ref();
    let filling =
        filling.ok_or_else(|| Outcome::permanent("no_value", "a template's parameter has no value"))?;
    let mut filled = match filling {
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
