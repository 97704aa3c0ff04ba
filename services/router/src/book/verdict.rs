//! Asking policy.

use std::sync::Arc;

use heliograph_policy::{ContactFacts, Customer, Facts, TenantPolicy, decide, wire};
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
    /// What was said, by its kind of content; empty when nothing was.
    pub(crate) kind: &'a str,
    /// Where this process runs; none where residency is not to be looked at.
    pub(crate) site: Option<&'a str>,
    /// Our clock.
    pub(crate) now_ms: i64,
}

impl Asked<'_> {
    pub(super) fn in_force(&self) -> Arc<TenantPolicy> {
        self.tenant.map_or_else(TenantPolicy::nothing, |tenant| Arc::clone(&tenant.in_force))
    }
}

/// What policy says of a customer's event: where they are, and whether their channel may be answered on.
///
/// Nothing of it is kept: a customer who writes with another number, or from another address, is placed anew with that
/// very event.
pub(crate) fn judge(asked: &Asked<'_>) -> v1::Verdict {
    let Asked { address, contact, kind, site, now_ms, .. } = *asked;
    let (in_force, now) = (asked.in_force(), moment(now_ms));
    let customer = Customer::new(&in_force, contact, Some(address));
    let region = customer.place();
    let known = customer.facts(&region);
    let contact = ContactFacts { last_inbound: Some(now), ..known.contact };
    wire::verdict(&decide(&in_force.policy, &Facts { kind, contact, site, ..known }, now))
}

/// The name of the region that the customer is in.
pub(crate) fn region(asked: &Asked<'_>) -> String {
    Customer::new(&asked.in_force(), asked.contact, Some(asked.address)).place().region.to_string()
}
