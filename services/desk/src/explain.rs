//! What a policy says of a country and of a customer, ready to be shown. Pure.

use std::{collections::BTreeMap, str::FromStr};

use heliograph_domain::{
    region::Country,
    resources::{MessageClass, PolicyRegion},
};
use heliograph_policy::{
    CompiledPolicy, Direction, Facts, RegionFinding, RegionSource, decide, find_region, wire,
};
use heliograph_proto::v1;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::policies::Declared;

/// A policy with its regions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    policy: String,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<Timestamp>,
    /// A newer version that was applied and cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable_version: Option<u64>,
    /// Channels on which the tenant has an account in use.
    in_use: Vec<String>,
    /// The default region comes last.
    regions: Vec<RegionView>,
}

/// A region of a policy.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionView {
    name: String,
    is_default: bool,
    /// In order of preference.
    channels: Vec<String>,
    classes: BTreeMap<&'static str, Vec<String>>,
    residency: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// As declared.
    terms: Vec<String>,
    countries: Vec<CountryView>,
}

/// A country of a region.
#[derive(Debug, Serialize)]
struct CountryView {
    code: &'static str,
    /// The term of the policy that named it; none in the default region.
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<String>,
}

/// What the policy is, and where every country falls.
pub(crate) fn overview(policy: &CompiledPolicy, declared: Option<&Declared>, in_use: &[String]) -> Overview {
    let in_force = declared.filter(|declared| declared.version == policy.version());
    let newer = declared.filter(|declared| declared.version > policy.version());
    let mut regions: Vec<RegionView> = policy
        .region_names()
        .map(|name| RegionView {
            channels: policy.channels_of(&name).iter().map(ToString::to_string).collect(),
            name: name.to_string(),
            ..RegionView::default()
        })
        .collect();
    for country in Country::all() {
        let found = policy.place(country, RegionSource::Explicit);
        if let Some(region) = regions.iter_mut().find(|region| *region.name == *found.region) {
            let term = found.term.map(|term| term.to_string());
            region.countries.push(CountryView { code: country.code(), term });
        }
    }
    if let Some(last) = regions.last_mut() {
        last.is_default = true;
    }
    for region in &mut regions {
        let Some(declared) = in_force else { break };
        let spec = declared.spec.regions.iter().find(|spec| spec.name == region.name);
        let plan = spec.map_or_else(|| declared.spec.default.clone(), PolicyRegion::plan);
        let by_class = plan.classes.into_iter();
        region.classes = by_class.map(|(class, channels)| (class.as_str(), channels)).collect();
        region.residency = plan.residency;
        region.time_zone = plan.time_zone;
        region.terms = spec.map(|spec| spec.countries.clone()).unwrap_or_default();
    }
    Overview {
        policy: policy.name().to_string(),
        version: policy.version(),
        applied_by: in_force.map(|declared| declared.applied_by.clone()),
        applied_at: in_force.map(|declared| declared.applied_at),
        unusable_version: newer.map(|declared| declared.version),
        in_use: in_use.to_vec(),
        regions,
    }
}

/// What is asked of a country. All but the country may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Question {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: String,
    /// Absent: every channel there is.
    #[serde(default)]
    pub(crate) channel: Option<String>,
    /// Absent: `service`.
    #[serde(default)]
    pub(crate) class: Option<String>,
    /// `inbound` or `outbound`; absent: `outbound`.
    #[serde(default)]
    pub(crate) direction: Option<String>,
}

/// A question that means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadQuestion {
    /// No such country.
    #[error("country: two letters of ISO 3166-1, such as BR")]
    Country,
    /// No such class.
    #[error("class: service, utility, marketing, authentication or emergency")]
    Class,
    /// No such direction.
    #[error("direction: inbound or outbound")]
    Direction,
}

/// The answer: where the country falls, and what becomes of a message on each channel.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    country: &'static str,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<String>,
    pub(crate) verdicts: Vec<Judged>,
}

/// What becomes of a message on a channel.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) channel: String,
    pub(crate) verdict: v1::Verdict,
}

/// Explains a policy for a country: for a customer of whom nothing else is known.
pub(crate) fn explain(
    policy: &CompiledPolicy,
    in_use: &[String],
    question: &Question,
    now: Timestamp,
) -> Result<Answer, BadQuestion> {
    let country =
        Country::from_str(&question.country.to_ascii_uppercase()).map_err(|_| BadQuestion::Country)?;
    let class = match question.class.as_deref() {
        None | Some("") => MessageClass::Service,
        Some(name) => MessageClass::named(name).ok_or(BadQuestion::Class)?,
    };
    let direction = match question.direction.as_deref() {
        None | Some("" | "outbound") => Direction::Outbound,
        Some("inbound") => Direction::Inbound,
        Some(_) => return Err(BadQuestion::Direction),
    };
    let region = policy.place(country, RegionSource::Explicit);
    let available: Vec<&str> = in_use.iter().map(String::as_str).collect();
    let judge = |channel: String| {
        let facts = Facts {
            direction,
            channel: Some(&channel),
            class,
            kind: "text",
            available: Some(&available),
            ..Facts::about(&region)
        };
        let verdict = wire::verdict(&decide(policy, &facts, now));
        Judged { channel, verdict }
    };
    let channels = match question.channel.as_deref() {
        None | Some("") => channels(policy, &region, in_use),
        Some(channel) => vec![channel.to_owned()],
    };
    Ok(Answer {
        country: country.code(),
        verdicts: channels.into_iter().map(judge).collect(),
        region: region.region.to_string(),
        term: region.term.map(|term| term.to_string()),
    })
}

/// The region's channels in their order, then what else the policy names or the tenant has.
fn channels(policy: &CompiledPolicy, region: &RegionFinding, in_use: &[String]) -> Vec<String> {
    let mut channels: Vec<String> =
        policy.channels_of(&region.region).iter().map(ToString::to_string).collect();
    let named = policy.region_names().flat_map(|name| policy.channels_of(&name).to_vec());
    let mut others: Vec<String> =
        named.map(|channel| channel.to_string()).chain(in_use.iter().cloned()).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|other| !channels.contains(other));
    channels.append(&mut others);
    channels
}

/// Where a conversation's customer is, as it stands on the wire, in the terms of the policy in force.
pub(crate) fn place(policy: &CompiledPolicy, region: Option<&v1::Region>) -> RegionFinding {
    let Some(region) = region else { return find_region(policy, &heliograph_policy::Hints::default()) };
    if let Ok(country) = Country::from_str(&region.country) {
        return policy.place(country, source(&region.source));
    }
    let hints =
        heliograph_policy::Hints { account: Some(&region.name), ..heliograph_policy::Hints::default() };
    find_region(policy, &hints)
}

fn source(name: &str) -> RegionSource {
    use RegionSource::{Account, Declared, Explicit, Locale, Nothing, Number};
    let known = [Explicit, Number, Declared, Account, Locale];
    known.into_iter().find(|source| source.as_str() == name).unwrap_or(Nothing)
}

#[cfg(test)]
mod tests;
