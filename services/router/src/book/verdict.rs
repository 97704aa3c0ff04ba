//! Asking policy.

use heliograph_domain::region::Country;
use heliograph_policy::{CompiledPolicy, Facts, Hints, decide, find_region, wire};
use heliograph_proto::v1::{self, Address};
use heliograph_store::contacts::Contact;

use super::Tenant;
use crate::time::moment;

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
    let facts =
        Facts { channel: Some(&address.channel), available: Some(&available), ..Facts::about(&region) };
    wire::verdict(&decide(policy, &facts, moment(*now_ms)))
}
