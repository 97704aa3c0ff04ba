//! What a test expects, and whether it is so.

use heliograph_domain::resources::Period;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Outcome, Verdict};

/// One name, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first, which is the only one once a test is spread.
    pub fn one(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a text, or a list of texts")]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(name) => Self(vec![name]),
            Written::Several(names) => Self(names),
        })
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

/// The kind of an [`Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// It may go.
    Allow,
    /// It may not.
    Deny,
    /// By another channel.
    UseChannel,
    /// Later.
    Defer,
    /// As a template.
    NeedsTemplate,
    /// Once the customer agrees.
    NeedsConsent,
}

impl Decided {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::UseChannel => "use_channel",
            Self::Defer => "defer",
            Self::NeedsTemplate => "needs_template",
            Self::NeedsConsent => "needs_consent",
        }
    }
}

/// What is to be answered. What is not given may be anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// What is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Decided>,
    /// For `defer`: until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The region the customer is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The rules of the policy that have a say, each of these among them.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub rule: Names,
    /// Rules of the policy that have no say.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub without: Names,
    /// The code of the reason that decides, such as `region.forbids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Exactly the channels to use, or those that are left besides, the best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// The fallback that is taken; `none` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Exactly the channels the fallback tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_to: Option<Vec<String>>,
    /// How long the fallback waits for a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_after: Option<Period>,
    /// The template that stands in; `none` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the customer's words mean: `stop`, `start`, `help`, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
}

impl Expect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as expected of a verdict, a sentence each.
    pub(super) fn faults(&self, verdict: &Verdict) -> Vec<String> {
        let mut faults = Vec::new();
        let got = verdict.outcome.as_str();
        if let Some(expected) = self.outcome
            && expected.as_str() != got
        {
            faults.push(format!("outcome is {got}, not {}", expected.as_str()));
        }
        if let Some(until) = self.until {
            match &verdict.outcome {
                Outcome::Defer(got) if *got == until => {}
                Outcome::Defer(got) => faults.push(format!("it waits until {got}, not {until}")),
                _ => faults.push(format!("it does not wait until {until}")),
            }
        }
        if let Some(region) = &self.region
            && *region != *verdict.region.region
        {
            faults.push(format!("region is {}, not {region}", verdict.region.region));
        }
        if let Some(code) = &self.reason
            && code != verdict.reason().code()
        {
            faults.push(format!("the reason is {}, not {code}", verdict.reason().code()));
        }
        if let Some(channels) = &self.channels {
            let got = match &verdict.outcome {
                Outcome::UseChannel(channels) => channels,
                _ => &verdict.alternatives,
            };
            if !got.iter().map(|channel| &**channel).eq(channels.iter().map(String::as_str)) {
                faults.push(format!("channels are [{}], not [{}]", got.join(", "), channels.join(", ")));
            }
        }
        let has_say = |rule: &String| {
            verdict.rules_fired.iter().any(|reason| reason.rule().is_some_and(|name| **name == *rule))
        };
        faults.extend(
            self.rule.0.iter().filter(|rule| !has_say(rule)).map(|rule| format!("rule {rule} has no say")),
        );
        faults.extend(
            self.without.0.iter().filter(|rule| has_say(rule)).map(|rule| format!("rule {rule} has a say")),
        );
        faults
    }
}
