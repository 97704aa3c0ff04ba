//! Templates: approved beforehand, named, and filled in.

use heliograph_channel::Outcome;
use heliograph_proto::v1::{
    Template, TemplateComponent, TemplateParameter, template_parameter::Value as Filling,
};
use serde_json::{Value, json};

/// Kinds of buttons a parameter can name; those with neither a payload nor an address are filled in by an action.
const BUTTONS: [&str; 5] = ["quick_reply", "url", "copy_code", "flow", "catalog"];

/// `{"name", "language", "components"}`; `form` is what a product makes of a value outside buttons.
///
/// # Errors
/// When the template has no name, and where `form` has none for a value.
pub fn filled(
    template: &Template,
    form: impl Fn(&TemplateParameter) -> Result<Value, Outcome>,
) -> Result<Value, Outcome> {
    if template.name.is_empty() {
        return Err(Outcome::permanent("no_template", "the provider knows templates by their name"));
    }
    let filled = template.components.iter().filter(|component| !component.parameters.is_empty());
    let filled =
        filled.map(|part| if part.part == "button" { Ok(button(part)) } else { component(part, &form) });
    let components = filled.collect::<Result<Vec<_>, _>>()?;
    // `pt-BR` is `pt_BR` here.
    let language = json!({ "code": template.language.replace('-', "_") });
    Ok(json!({ "name": template.name, "language": language, "components": components }))
}

fn component(
    component: &TemplateComponent,
    form: impl Fn(&TemplateParameter) -> Result<Value, Outcome>,
) -> Result<Value, Outcome> {
    let parameters = component.parameters.iter().map(form).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "type": component.part, "parameters": parameters }))
}

/// A button, by its place; of the kind its first parameter names, or else what its value is good for.
fn button(component: &TemplateComponent) -> Value {
    let first = component.parameters.first();
    let named = BUTTONS.into_iter().find(|kind| first.is_some_and(|first| first.name == *kind));
    let kind = named.unwrap_or(match first.and_then(|first| first.value.as_ref()) {
        Some(Filling::Text(_)) => "url",
        _ => "quick_reply",
    });
    let parameters = component.parameters.iter().map(|parameter| {
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
    });
    let (index, parameters) = (component.index.to_string(), parameters.collect::<Value>());
    json!({ "type": "button", "sub_type": kind, "index": index, "parameters": parameters })
}
