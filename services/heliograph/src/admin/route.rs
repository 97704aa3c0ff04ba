//! Asking routing rules the way the router does.

use std::sync::Arc;

use heliograph_domain::resources::{Spec, Stored};
use heliograph_policy::{Customer, Facts, Keyword, RegionFinding, TenantPolicy};
use heliograph_proto::v1::{self, Address};
use heliograph_routing::{Explanation, Heard, Language, Routing, wire};
use heliograph_store::contacts::Contact;
use jiff::Timestamp;

use super::{Admin, AdminError, Question, explain};

/// What is said: a message of text.
const KIND: &str = "text";

/// What is asked: who answers a message.
#[derive(Clone, Debug)]
pub struct RouteQuestion {
    /// Who writes to whom, by what channel and account, when; its other parts are not looked at.
    pub who: Question,
    /// What they write.
    pub text: String,
    /// BCP 47 tag, where the channel says it of the message.
    pub language: Option<String>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Routed {
    /// What the rules say.
    pub explanation: Explanation,
    /// Where the customer is.
    pub region: RegionFinding,
    /// The word for the system that the message is, if it is one: it is recorded, and no agent is asked.
    pub word: Option<Keyword>,
    /// The account that was taken because it is the tenant's only one on the channel, where none was named.
    pub assumed_account: Option<String>,
    /// The contact that was found.
    pub contact: Option<Arc<Contact>>,
}

impl Routed {
    /// The answer as the contract writes it.
    pub fn on_wire(&self) -> v1::ExplainRoutingResponse {
        v1::ExplainRoutingResponse {
            region: Some(heliograph_policy::wire::region(&self.region)),
            unattended: self.word.is_some(),
            ..wire::explained(&self.explanation)
        }
    }
}

impl Admin {
    /// Asks the routing rules in force about a message, with what is stored of the customer.
    pub async fn explain_route(&self, question: &RouteQuestion) -> Result<Routed, AdminError> {
        let resources = self.list(Some(&question.who.tenant), None).await?;
        let mut question = question.clone();
        let in_force = explain::in_force(&resources, &question.who.tenant)?;
        let (account, _) = explain::account(&in_force, &question.who)?;
        let contact = self.customer(&mut question.who, account).await?;
        route(&resources, &in_force, &question, contact.as_ref(), Timestamp::now())
    }
}

/// Asks the routing rules among one tenant's resources about somebody of whom nothing is stored.
pub fn explain_route(
    resources: &[Stored],
    question: &RouteQuestion,
    now: Timestamp,
) -> Result<Routed, AdminError> {
    if question.who.contact.is_some() {
        let problem = "files know no contacts; name the customer by their number or id".to_owned();
        return Err(AdminError::Question { field: "contact", problem });
    }
    let in_force = explain::in_force(resources, &question.who.tenant)?;
    route(resources, &in_force, question, None, now)
}

fn route(
    resources: &[Stored],
    in_force: &TenantPolicy,
    question: &RouteQuestion,
    contact: Option<&Arc<Contact>>,
    now: Timestamp,
) -> Result<Routed, AdminError> {
    let who = &question.who;
    let own = || resources.iter().filter(|stored| stored.resource.metadata.tenant == who.tenant);
    let (routing, unusable) = Routing::build(own());
    if let Some(found) = unusable.into_iter().next() {
        return Err(found.into());
    }
    let (account, assumed) = explain::account(in_force, who)?;
    let address: Address = explain::address(who, account);
    let customer = Customer::new(in_force, contact.map(|contact| &**contact), Some(&address));
    let region = customer.place();
    let contact_locale = contact.and_then(|contact| contact.locale.as_deref());
    let language = Language::of(&Heard {
        said: question.language.as_deref().unwrap_or_default(),
        address: &address.locale,
        contact: contact_locale.unwrap_or_default(),
        text: &question.text,
    });
    let known = customer.facts(&region);
    let facts = heliograph_routing::Facts {
        policy: &in_force.policy,
        about: &Facts { kind: KIND, ..known },
        text: &question.text,
        language: &language,
        now: who.at.unwrap_or(now),
    };
    let explanation = routing.explain(&facts);
    let tenant_locale = own().find_map(|stored| match &stored.resource.spec {
        Spec::Tenant(tenant) => Some(tenant.locale.as_str()),
        _ => None,
    });
    let locale = known.contact.locale.or(tenant_locale).unwrap_or_default();
    let word = in_force.policy.keyword(&address.channel, &question.text, locale);
    let assumed_account = account.filter(|_| assumed).map(str::to_owned);
    Ok(Routed { explanation, region: region.clone(), word, assumed_account, contact: contact.cloned() })
}
