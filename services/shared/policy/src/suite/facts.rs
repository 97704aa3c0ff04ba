//! From what a test gives to what policy is asked.

use heliograph_domain::{
    phone,
    region::Country,
    resources::{MessageClass, Period, SenderIdentity},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize as _, de::IntoDeserializer as _};

use super::case::{Given, When, WindowGiven};
use crate::{
    CompiledPolicy, ContactFacts, Direction, Facts, Hints, RegionFinding, Sent, Verdict, Window, decide,
    find_region,
};

/// When a test is asked that does not say: a Wednesday, at noon UTC.
const NOON: &str = "2026-01-14T12:00:00Z";

impl When {
    /// The time it means at `now`.
    fn resolve(&self, now: Timestamp) -> Result<Timestamp, String> {
        let wrong = || format!("{:?} is no time; write 2026-03-07T23:30:00-05:00, or -2h", self.0);
        match self.0.strip_prefix('-') {
            Some(ago) => {
                let period: Period = ago.parse().map_err(|_| wrong())?;
                let ago = SignedDuration::try_from(period.duration()).map_err(|_| wrong())?;
                now.checked_sub(ago).map_err(|_| wrong())
            }
            None => self.0.parse().map_err(|_| wrong()),
        }
    }
}

/// Whether everything in it can be understood.
pub(super) fn check(given: &Given) -> Result<(), String> {
    Known::of(given).map(|_| ())
}

/// What a test gives, understood.
pub(super) struct Known<'a> {
    given: &'a Given,
    /// When it is asked.
    pub(super) at: Timestamp,
    /// Which way the message goes.
    direction: Direction,
    number: Option<String>,
    country: Option<Country>,
    /// What the message is for.
    pub(super) class: MessageClass,
    sender: Option<SenderIdentity>,
    first_seen: Option<Timestamp>,
    last_inbound: Option<Timestamp>,
    sent: Vec<(Timestamp, &'a str, MessageClass)>,
}

impl<'a> Known<'a> {
    pub(super) fn of(given: &'a Given) -> Result<Self, String> {
        let at = match given.at {
            Some(at) => at,
            None => NOON.parse().expect("noon is a time"),
        };
        let direction = if given.from.is_empty() { Direction::Outbound } else { Direction::Inbound };
        let customer = given.from.one().or_else(|| given.to.one());
        let country = given.country.one().map(|code| {
            code.parse::<Country>()
                .map_err(|error| format!("{error}; it is an ISO 3166-1 code of two letters"))
        });
        let class = match given.class.one() {
            None => MessageClass::Service,
            Some(name) => class_of(name)?,
        };
        let own = given.channel.one().unwrap_or_default();
        let sent = given.sent.iter().flatten().map(|sent| {
            let channel = sent.channel.as_deref().unwrap_or(own);
            Ok((sent.at.resolve(at)?, channel, sent.class.unwrap_or(class)))
        });
        let mut sent = sent.collect::<Result<Vec<_>, String>>()?;
        sent.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let resolve = |when: &'a Option<When>| when.as_ref().map(|when| when.resolve(at)).transpose();
        Ok(Self {
            given,
            at,
            direction,
            number: customer.and_then(phone::normalize),
            country: country.transpose()?,
            class,
            sender: given.sender.one().map(sender_of).transpose()?,
            first_seen: resolve(&given.contact.first_seen)?,
            last_inbound: resolve(&given.contact.last_inbound)?,
            sent,
        })
    }

    /// The channel in question.
    pub(super) fn channel(&self) -> Option<&'a str> {
        self.given.channel.one()
    }

    /// Where the customer is.
    pub(super) fn region(&self, policy: &CompiledPolicy) -> RegionFinding {
        let hints = Hints {
            explicit: self.country,
            number: self.number.as_deref(),
            declared: self.given.declared,
            account: self.given.account_region.as_deref(),
            locale: self.given.contact.locale.as_deref(),
        };
        find_region(policy, &hints)
    }

    /// Asks the policy.
    pub(super) fn judge(&self, policy: &CompiledPolicy, region: &RegionFinding) -> Verdict {
        let given = self.given;
        let names = |names: &'a Option<Vec<String>>| -> Option<Vec<&'a str>> {
            names.as_ref().map(|names| names.iter().map(String::as_str).collect())
        };
        let (available, channels) = (names(&given.available), names(&given.contact.channels));
        let sent: Vec<Sent<'_>> =
            self.sent.iter().map(|(at, channel, class)| Sent { at: *at, channel, class: *class }).collect();
        let templates = given.templates.unwrap_or(true);
        let facts = Facts {
            direction: self.direction,
            channel: self.channel(),
            account: given.account.as_deref(),
            sender: self.sender,
            class: self.class,
            kind: given.kind.as_deref().unwrap_or_default(),
            region,
            contact: ContactFacts {
                number: self.number.as_deref(),
                time_zone: given.contact.time_zone.as_deref(),
                locale: given.contact.locale.as_deref(),
                channels: channels.as_deref().unwrap_or_default(),
                attributes: given.contact.attributes.as_ref(),
                first_seen: self.first_seen,
                last_inbound: self.last_inbound,
                sent: &sent,
            },
            consent: given.consent.unwrap_or_default(),
            window: match given.window.unwrap_or(WindowGiven::None) {
                WindowGiven::None => Window::Unlimited,
                WindowGiven::Open => Window::Open { until: None, templates },
                WindowGiven::Closed => Window::Closed { templates },
            },
            available: available.as_deref(),
            site: given.site.as_deref(),
        };
        decide(policy, &facts, self.at)
    }
}

fn class_of(name: &str) -> Result<MessageClass, String> {
    MessageClass::named(name).ok_or_else(|| {
        let names = MessageClass::ALL.map(MessageClass::as_str);
        format!("there is no class {name:?}; there are {}", names.join(", "))
    })
}

fn sender_of(name: &str) -> Result<SenderIdentity, String> {
    SenderIdentity::deserialize(name.into_deserializer())
        .map_err(|error: serde::de::value::Error| error.to_string())
}
