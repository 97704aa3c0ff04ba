//! Asking policy, and its answer on the wire.

use heliograph_domain::region::Country;
use heliograph_policy::{
    CompiledPolicy, Consent, Direction, Facts, Hints, MessageClass, Outcome, Reason, RegionSource, Verdict,
    Window, decide, find_region,
};
use heliograph_proto::v1::{self, Address, verdict};
use heliograph_store::contacts::Contact;

use super::Tenant;
use crate::time::{millis, moment, timestamp};

/// A customer's event, as policy is asked about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) address: &'a Address,
    /// None before the contact is known.
    pub(crate) contact: Option<&'a Contact>,
    /// Our clock.
    pub(crate) now_ms: i64,
}

/// What policy says of a customer's event: where they are, and whether their channel may be answered on.
///
/// The best source of the region decides: what an agent or integrator declared of the contact, the number, the country
/// the provider declares, the account that was written to, the locale.
pub(crate) fn judge(asked: &Asked<'_>) -> v1::Verdict {
    let Asked { tenant, address, contact, now_ms } = asked;
    let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
    let filled = |text: &'_ str| !text.is_empty();
    let contact_locale = contact.and_then(|contact| contact.locale.as_deref());
    let hints = Hints {
        explicit: contact.and_then(|contact| contact.country.as_deref()).and_then(country),
        number: Some(address.phone.as_str()).filter(|text| filled(text)),
        declared: country(&address.country),
        account: tenant.and_then(|tenant| tenant.account_region(&address.channel, &address.account)),
        locale: Some(address.locale.as_str()).filter(|text| filled(text)).or(contact_locale),
    };
    let nothing;
    let policy = if let Some(tenant) = tenant {
        &tenant.policy
    } else {
        nothing = CompiledPolicy::nothing();
        &nothing
    };
    let region = find_region(policy, &hints);
    let available: Vec<&str> =
        tenant.map_or_else(Vec::new, |tenant| tenant.available.iter().map(String::as_str).collect());
    let facts = Facts {
        direction: Direction::Inbound,
        channel: Some(&address.channel),
        class: MessageClass::Service,
        region: &region,
        consent: Consent::Unknown,
        window: Window::Unlimited,
        available: Some(&available),
    };
    on_wire(&decide(policy, &facts, moment(*now_ms)))
}

fn on_wire(verdict: &Verdict) -> v1::Verdict {
    let region = &verdict.region;
    let until = match &verdict.outcome {
        Outcome::Defer(until) => Some(timestamp(until.as_millisecond())),
        _ => None,
    };
    debug_assert!(until.as_ref().is_none_or(|until| millis(until) >= 0));
    v1::Verdict {
        outcome: outcome(&verdict.outcome).into(),
        policy: verdict.policy.to_string(),
        policy_version: i64::try_from(verdict.policy_version).unwrap_or(i64::MAX),
        region: Some(v1::Region {
            name: region.region.to_string(),
            country: region.country.map_or_else(String::new, |country| country.code().to_owned()),
            source: source(region.source).to_owned(),
            confidence: f64::from(region.confidence) / 100.0,
        }),
        fired: verdict.rules_fired.iter().map(reason).collect(),
        tried: verdict.rules_tried.iter().map(reason).collect(),
        channels: verdict.alternatives.iter().map(ToString::to_string).collect(),
        until,
    }
}

fn outcome(outcome: &Outcome) -> verdict::Outcome {
    match outcome {
        Outcome::Allow => verdict::Outcome::Allow,
        Outcome::Deny => verdict::Outcome::Deny,
        Outcome::UseChannel(_) => verdict::Outcome::UseChannel,
        Outcome::Defer(_) => verdict::Outcome::Defer,
        Outcome::NeedsTemplate => verdict::Outcome::NeedsTemplate,
        Outcome::NeedsConsent => verdict::Outcome::NeedsConsent,
    }
}

fn source(source: RegionSource) -> &'static str {
    match source {
        RegionSource::Nothing => "none",
        known => known.as_str(),
    }
}

fn reason(reason: &Reason) -> v1::Reason {
    v1::Reason { code: format!("policy.{}", reason.code()), text: reason.to_string(), detail: None }
}
