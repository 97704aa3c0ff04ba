//! Secrets that stand in resources are for the services, not for screens.

use serde_json::Value;

const MASK: &str = "********";

/// A resource's JSON with the values of inline secrets masked. References stay: they say where a secret is, not what.
pub fn masked(mut json: Value) -> Value {
    if let Some(spec) = json.get_mut("spec") {
        for name in ["password", "secret"] {
            hide(spec.get_mut(name));
        }
        if let Some(Value::Object(secrets)) = spec.get_mut("secrets") {
            for references in secrets.values_mut() {
                match references {
                    Value::Array(several) => several.iter_mut().for_each(|one| hide(Some(one))),
                    one => hide(Some(one)),
                }
            }
        }
    }
    json
}

fn hide(reference: Option<&mut Value>) {
    if let Some(value) = reference.and_then(|reference| reference.get_mut("value")) {
        *value = Value::from(MASK);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked;

    #[test]
    fn values_are_masked_and_references_are_not() {
        let shown = masked(json!({ "spec": {
            "password": { "value": "hush" },
            "secrets": { "a": { "env": "A" }, "b": [{ "value": "hush" }, { "file": "/b" }] },
        } }));
        assert!(!shown.to_string().contains("hush"));
        assert_eq!(shown["spec"]["secrets"]["a"], json!({ "env": "A" }));
        assert_eq!(shown["spec"]["secrets"]["b"][1], json!({ "file": "/b" }));
    }
}
