//! Who should answer: the tenant's routing rules, asked about what policy is asked about.

use heliograph_policy::Customer;
use heliograph_proto::v1::Wanted;
use heliograph_routing::{Facts, Heard, Language, Routing, wire};

use super::Asked;
use crate::time::moment;

/// What a customer said, beside what policy is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saying<'a> {
    /// BCP 47 tag of the language, where the channel says it of the message; empty otherwise.
    pub(crate) language: &'a str,
    /// What a person would read.
    pub(crate) text: &'a str,
}

/// Applies the rules; the first that matches decides.
pub(crate) fn wanted(asked: &Asked<'_>, saying: &Saying<'_>) -> Wanted {
    let in_force = asked.in_force();
    let customer = Customer::new(&in_force, asked.contact, Some(asked.address));
    let region = customer.place();
    let known = customer.facts(&region);
    let language = Language::of(&Heard {
        said: saying.language,
        address: &asked.address.locale,
        contact: asked.contact.and_then(|contact| contact.locale.as_deref()).unwrap_or_default(),
        text: saying.text,
    });
    let facts = Facts {
        policy: &in_force.policy,
        about: &heliograph_policy::Facts { kind: asked.kind, ..known },
        text: saying.text,
        language: &language,
        now: moment(asked.now_ms),
    };
    let nothing = Routing::default();
    let routing = asked.tenant.map_or(&nothing, |tenant| &tenant.routing);
    wire::wanted(&routing.decide(&facts))
}
