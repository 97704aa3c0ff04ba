//! What policy says of a message to a customer, now: the one place that gathers the facts.
//!
//! The Send API asks it before it accepts a message, and the delivery of every message asks it again when it is about to
//! leave, so what a dry run says is what happens, as far as nothing changes in between.

use std::sync::Arc;

use heliograph_policy::{
    Consent, ContactFacts, Customer, Direction, Facts, MessageClass, Outcome, RegionFinding, Sent,
    TenantPolicy, Verdict, Window, decide,
};
use heliograph_proto::v1::{Address, Notice};
use heliograph_store::{
    contacts::Contact,
    windows::{WindowKey, WindowSet},
};
use jiff::Timestamp;

use crate::{error::Failure, history::Earlier, line::Shared};

/// A message to a customer, as policy is asked about it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) tenant: String,
    /// What holds for the tenant.
    pub(crate) book: Arc<TenantPolicy>,
    /// Empty for a customer that is none yet.
    pub(crate) contact_id: String,
    /// What is known of the contact.
    pub(crate) contact: Option<Arc<Contact>>,
    pub(crate) class: MessageClass,
    /// What is said, by its kind of content.
    pub(crate) kind: &'static str,
    /// What the rules on consent require may be said against an opt-out.
    pub(crate) notice: Notice,
    /// When the customer last wrote, where that is known.
    pub(crate) last_inbound_ms: Option<i64>,
    /// It was tried before, and so is among what was sent: it does not count against itself.
    pub(crate) counted: bool,
}

/// What had to be looked up about one address.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) region: RegionFinding,
    pub(crate) consent: Consent,
    /// How the customer said so; empty when they said nothing.
    pub(crate) source: String,
    sent: Vec<Earlier>,
}

/// What policy said, and what it was founded on.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) known: Known,
    pub(crate) verdict: Verdict,
}

/// A moment in milliseconds since 1970.
pub(crate) fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// The windows of a channel that has some, as policy looks at them. `templates`: whether it takes those once they are closed.
pub(crate) fn as_fact(windows: &WindowSet, now_ms: i64, templates: bool) -> Window {
    match windows.best(now_ms) {
        Some(window) if window.allows(now_ms) => {
            Window::Open { until: Some(moment(window.expires_at_ms)), templates }
        }
        _ => Window::Closed { templates },
    }
}

impl Shared {
    /// Looks up what policy has to know of writing to `address`.
    ///
    /// # Errors
    /// When consent cannot be read: nothing is decided then.
    pub(crate) async fn look_up(&self, asked: &Asked, address: &Address) -> Result<Known, Failure> {
        let region = asked.customer(Some(address)).place();
        let said = match (asked.contact_id.as_str(), asked.notice) {
            ("", _) | (_, Notice::OptOut | Notice::Help) => None,
            (contact, _) => {
                let (class, channel) = (asked.class.as_str(), &address.channel);
                self.consent.effective(&asked.tenant, contact, channel, class).await?
            }
        };
        let consent = match asked.notice {
            // The answers to STOP and HELP may follow an opt-out.
            Notice::OptOut | Notice::Help => Consent::OptedIn,
            _ => Consent::from(said.as_ref().map(|said| said.choice)),
        };
        let source = said.map_or_else(String::new, |said| said.source);
        let sent = if asked.counted { Vec::new() } else { self.sent_lately(asked).await? };
        Ok(Known { region, consent, source, sent })
    }

    /// What policy says of writing to `address`.
    pub(crate) async fn judge(
        &self,
        asked: &Asked,
        address: &Address,
        window: Window,
        now_ms: i64,
    ) -> Result<Judged, Failure> {
        let known = self.look_up(asked, address).await?;
        let verdict = self.weigh(asked, Some(address), &known, window, now_ms);
        Ok(Judged { known, verdict })
    }

    /// What policy says, given what was looked up. Without an address: which channels there are.
    pub(crate) fn weigh(
        &self,
        asked: &Asked,
        address: Option<&Address>,
        known: &Known,
        window: Window,
        now_ms: i64,
    ) -> Verdict {
        let customer = asked.customer(address);
        let sent: Vec<Sent<'_>> = known.sent.iter().map(Earlier::as_fact).collect();
        let about = customer.facts(&known.region);
        let facts = Facts {
            direction: Direction::Outbound,
            class: asked.class,
            kind: asked.kind,
            contact: ContactFacts {
                last_inbound: asked.last_inbound_ms.map(moment),
                sent: &sent,
                ..about.contact
            },
            consent: known.consent,
            window,
            site: self.config.site.as_deref(),
            ..about
        };
        decide(&asked.book.policy, &facts, moment(now_ms))
    }

    /// The customer's window as Redis knows it. What it does not know is found out when the message leaves.
    pub(crate) async fn window(&self, tenant: &str, address: &Address, now_ms: i64) -> Window {
        let key = WindowKey::new(tenant, &address.channel, &address.account, &address.user_id);
        match self.windows.get(&key).await {
            Ok(windows) if !windows.is_empty() => as_fact(&windows, now_ms, true),
            _ => Window::Unlimited,
        }
    }
}

impl Asked {
    /// Says who the customer is.
    pub(crate) fn about(&mut self, contact: Option<Arc<Contact>>) {
        self.contact_id = contact.as_ref().map_or_else(String::new, |contact| contact.id.clone());
        self.contact = contact;
    }

    /// What is known when no address is chosen.
    pub(crate) fn anywhere(&self) -> Known {
        Known {
            region: self.customer(None).place(),
            consent: Consent::Unknown,
            source: String::new(),
            sent: Vec::new(),
        }
    }

    /// Whether a verdict lets the message go: a template passes where a template is needed, and stands in for other
    /// content where the policy names one.
    pub(crate) fn may_go(&self, verdict: &Verdict, channel: &str) -> bool {
        match verdict.outcome {
            Outcome::Allow => true,
            Outcome::NeedsTemplate => {
                self.kind == "template"
                    || self.book.policy.template(&verdict.region.region, channel).is_some()
            }
            _ => false,
        }
    }

    /// The contact's addresses on a channel with an account in use, the one that became known last first: it is the one
    /// most likely in use.
    pub(crate) fn addresses(&self, channel: &str) -> Vec<Address> {
        let Some(contact) = &self.contact else { return Vec::new() };
        let known = contact.addresses.iter().rev().filter(|known| {
            known.channel == channel && self.book.account_on(channel, &known.account).is_some()
        });
        known
            .map(|known| Address {
                display_name: contact.display_name.clone().unwrap_or_default(),
                locale: contact.locale.clone().unwrap_or_default(),
                ..Address::from(known)
            })
            .collect()
    }

    /// The customer, seen through one of their addresses.
    fn customer<'b>(&'b self, address: Option<&'b Address>) -> Customer<'b> {
        Customer::new(&self.book, self.contact.as_deref(), address)
    }
}
