//! What policy says of a message to a customer, now: the one place that gathers the facts.
//!
//! The Send API asks it before it accepts a message, and the delivery of every message asks it again when it is about to
//! leave, so what a dry run says is what happens, as far as nothing changes in between.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::{phone, region::Country};
use heliograph_policy::{
    Consent, ContactFacts, Direction, Facts, Hints, MessageClass, Outcome, RegionFinding, Sent, Verdict,
    Window, decide, find_region,
};
use heliograph_proto::v1::{Address, Notice};
use heliograph_store::{
    contacts::{self, Contact},
    windows::WindowKey,
};
use jiff::Timestamp;

use crate::{
    book::Tenant,
    error::{Failure, consent_of},
    history::Earlier,
    line::Shared,
};

/// Attribute of a contact that holds their IANA time zone, where somebody said it.
const TIME_ZONE: &str = "time_zone";
/// Attribute of a contact that holds their number in E.164, where somebody said it.
const PHONE: &str = "phone";

/// A message to a customer, as policy is asked about it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) tenant: String,
    /// What holds for the tenant.
    pub(crate) book: Arc<Tenant>,
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

impl Shared {
    /// Looks up what policy has to know of writing to `address`.
    ///
    /// # Errors
    /// When consent cannot be read: nothing is decided then.
    pub(crate) async fn look_up(&self, asked: &Asked, address: &Address) -> Result<Known, Failure> {
        let region = asked.region(Some(address));
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
            _ => consent_of(said.as_ref()),
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
        let contact = asked.contact.as_deref();
        let attributes: BTreeMap<String, String> = contact.map_or_else(BTreeMap::new, |contact| {
            contact.attributes.iter().map(|(name, known)| (name.clone(), known.value.clone())).collect()
        });
        let mut channels: Vec<&str> = address.iter().map(|address| address.channel.as_str()).collect();
        for known in contact.map_or(&[][..], |contact| &contact.addresses) {
            if !channels.contains(&known.channel.as_str()) {
                channels.push(&known.channel);
            }
        }
        let sent: Vec<Sent<'_>> = known.sent.iter().map(Earlier::as_fact).collect();
        let available = asked.book.available();
        let account = address.and_then(|address| asked.book.account(&address.account));
        let facts = Facts {
            direction: Direction::Outbound,
            channel: address.map(|address| address.channel.as_str()),
            account: address.map(|address| address.account.as_str()),
            sender: account.and_then(|account| account.sender),
            class: asked.class,
            kind: asked.kind,
            contact: ContactFacts {
                number: asked.number(address).or(asked.said(PHONE)),
                time_zone: contact.and_then(|contact| contact.time_zone.as_deref()).or(asked.said(TIME_ZONE)),
                locale: asked.locale(address),
                channels: &channels,
                attributes: (!attributes.is_empty()).then_some(&attributes),
                first_seen: contact.map(|contact| moment(contact.first_seen_ms)),
                last_inbound: asked.last_inbound_ms.map(moment),
                sent: &sent,
            },
            consent: known.consent,
            window,
            available: Some(&available),
            site: self.config.site.as_deref(),
            ..Facts::about(&known.region)
        };
        decide(&asked.book.policy, &facts, moment(now_ms))
    }

    /// The customer's window as Redis knows it. What it does not know is found out when the message leaves.
    pub(crate) async fn window(&self, tenant: &str, address: &Address, now_ms: i64) -> Window {
        let key = WindowKey::new(tenant, &address.channel, &address.account, &address.user_id);
        let Ok(windows) = self.windows.get(&key).await else { return Window::Unlimited };
        match windows.best(now_ms) {
            _ if windows.is_empty() => Window::Unlimited,
            Some(window) if window.allows(now_ms) => {
                Window::Open { until: Some(moment(window.expires_at_ms)), templates: true }
            }
            _ => Window::Closed { templates: true },
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
            region: self.region(None),
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
        let in_use = |known: &&contacts::Address| {
            known.channel == channel
                && self.book.account(&known.account).is_some_and(|account| account.channel == channel)
        };
        let found = contact.addresses.iter().rev().filter(in_use);
        found
            .map(|known| Address {
                channel: known.channel.clone(),
                account: known.account.clone(),
                user_id: known.user_id.clone(),
                display_name: contact.display_name.clone().unwrap_or_default(),
                locale: contact.locale.clone().unwrap_or_default(),
                ..Address::default()
            })
            .collect()
    }

    /// Where the customer is, found anew from what is known of them and their address.
    fn region(&self, address: Option<&Address>) -> RegionFinding {
        let country = |code: &str| code.to_ascii_uppercase().parse::<Country>().ok();
        let contact = self.contact.as_deref();
        let account = address.and_then(|address| self.book.account(&address.account));
        let hints = Hints {
            explicit: contact.and_then(|contact| contact.country.as_deref()).and_then(country),
            number: self.number(address),
            declared: address.and_then(|address| country(&address.country)),
            account: account.and_then(|account| account.region.as_deref()),
            locale: self.locale(address),
        };
        find_region(&self.book.policy, &hints)
    }

    /// The number that places the customer: the address's own; without an address, that of any of theirs. A user id counts
    /// as a number where it is one in full.
    fn number<'b>(&'b self, address: Option<&'b Address>) -> Option<&'b str> {
        let number = |text: &&str| text.starts_with('+') && phone::country(text).is_some();
        let Some(address) = address else {
            let known = self.contact.iter().flat_map(|contact| contact.addresses.iter().rev());
            return known.map(|address| address.user_id.as_str()).find(number);
        };
        [address.phone.as_str(), &address.user_id].into_iter().find(number)
    }

    fn locale<'b>(&'b self, address: Option<&'b Address>) -> Option<&'b str> {
        let said = address.map(|address| address.locale.as_str()).filter(|locale| !locale.is_empty());
        said.or_else(|| self.contact.as_ref()?.locale.as_deref())
    }

    fn said(&self, name: &str) -> Option<&str> {
        Some(self.contact.as_ref()?.attributes.get(name)?.value.as_str())
    }
}
