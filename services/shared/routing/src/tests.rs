#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conditions;
mod explained;
mod properties;
mod rules;

use std::collections::BTreeMap;

use heliograph_domain::resources::{ChannelPolicySpec, Resource, Stored};
use heliograph_policy::{
    Calendars, CompiledPolicy, ContactFacts, Facts as About, RegionFinding, RegionSource,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Facts, Language, LanguageSource, Routing};

fn stored(kind: &str, name: &str, spec: &Value) -> Stored {
    let value = json!({
        "apiVersion": "heliograph.dev/v1", "kind": kind, "metadata": { "tenant": "acme", "name": name }, "spec": spec,
    });
    Stored {
        resource: Resource::from_json(&value).unwrap(),
        version: 7,
        applied_by: "test".to_owned(),
        applied_at: Timestamp::UNIX_EPOCH,
    }
}

fn rule(name: &str, spec: &Value) -> Stored {
    stored("RoutingRule", name, spec)
}

fn queue(name: &str, spec: Value) -> Stored {
    let mut spec = spec;
    spec["display_name"] = name.into();
    stored("Queue", name, &spec)
}

fn routing(resources: &[Stored]) -> Routing {
    let (routing, unusable) = Routing::build(resources);
    assert_eq!(unusable, []);
    routing
}

/// A policy of one region, whose clocks show the time of São Paulo.
fn policy() -> CompiledPolicy {
    let spec: ChannelPolicySpec = serde_json::from_value(json!({
        "regions": [{ "name": "brazil", "countries": ["BR"], "channels": ["sms"], "time_zone": "America/Sao_Paulo" }],
        "default": { "channels": ["sms"] },
    }))
    .unwrap();
    CompiledPolicy::compile("default", 1, &spec, &Calendars::new()).unwrap()
}

/// A Monday, noon in London.
fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Somebody who writes.
struct Customer {
    policy: CompiledPolicy,
    region: RegionFinding,
    attributes: BTreeMap<String, String>,
    language: Language,
    locale: Option<&'static str>,
    channel: &'static str,
    text: String,
}

impl Customer {
    /// A Brazilian who writes by SMS.
    fn brazilian(text: &str) -> Self {
        let policy = policy();
        let region = policy.place("BR".parse().unwrap(), RegionSource::Number);
        let tag = "pt-BR".to_owned();
        Self {
            policy,
            region,
            attributes: BTreeMap::from([("vip".to_owned(), "yes".to_owned())]),
            language: Language { tag, source: LanguageSource::Contact },
            locale: Some("pt-BR"),
            channel: "sms",
            text: text.to_owned(),
        }
    }

    fn ask<T>(&self, question: impl FnOnce(&Facts<'_>) -> T) -> T {
        let about = About {
            channel: Some(self.channel),
            account: Some("acme-br"),
            kind: "text",
            contact: ContactFacts {
                number: Some("+5511987654321"),
                locale: self.locale,
                channels: &["sms", "whatsapp"],
                attributes: Some(&self.attributes),
                first_seen: Some("2026-01-01T00:00:00Z".parse().unwrap()),
                ..ContactFacts::default()
            },
            ..About::about(&self.region)
        };
        question(&Facts {
            policy: &self.policy,
            about: &about,
            text: &self.text,
            language: &self.language,
            now: now(),
        })
    }
}
