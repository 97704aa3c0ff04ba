//! The variables of a channel policy's conditions.

use heliograph_domain::resources::{MessageClass, SenderIdentity};
use jiff::{Timestamp, Zoned};

use super::{
    schema::{Read, Values, Variable, World},
    time::Moment,
};
use crate::{Consent, Direction, Facts, Window};

/// What conditions of a channel policy are about.
#[derive(Debug, Clone, Copy)]
pub struct PolicyFacts;

/// One message, at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) now: Timestamp,
    pub(super) local: Option<&'a Zoned>,
}

const fn variable(name: &'static str, read: Read<PolicyFacts>) -> Variable<PolicyFacts> {
    Variable { name, values: Values::Any, read }
}

const fn one_of(
    name: &'static str,
    values: &'static [&'static str],
    read: Read<PolicyFacts>,
) -> Variable<PolicyFacts> {
    Variable { name, values: Values::OneOf(values), read }
}

const fn country(name: &'static str) -> Variable<PolicyFacts> {
    Variable {
        name,
        values: Values::Country,
        read: Read::Text(|scene| {
            scene.facts.region.country.map_or("", heliograph_domain::region::Country::code)
        }),
    }
}

const CLASSES: &[&str] = &["service", "utility", "marketing", "authentication", "emergency"];
/// Kinds of content that a message may have; empty where nothing is known of it.
pub const KINDS: &[&str] = &[
    "",
    "text",
    "media",
    "location",
    "contact_card",
    "choice",
    "list",
    "card",
    "carousel",
    "template",
    "reaction",
    "edit",
    "deletion",
    "call_signal",
    "custom",
    "selection",
];
const SENDERS: &[&str] = &["", "alphanumeric", "short_code", "toll_free", "10dlc", "long_code"];
/// What a customer's region may be known from.
pub const SOURCES: &[&str] = &["explicit", "number", "declared", "account", "locale", "nothing"];

impl World for PolicyFacts {
    type Scene<'a> = Scene<'a>;

    const VARIABLES: &'static [Variable<Self>] = &[
        one_of(
            "message.direction",
            &["inbound", "outbound"],
            Read::Text(|scene| match scene.facts.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
            }),
        ),
        one_of("message.class", CLASSES, Read::Text(|scene| MessageClass::as_str(scene.facts.class))),
        one_of("message.kind", KINDS, Read::Text(|scene| scene.facts.kind)),
        variable("channel", Read::Text(|scene| scene.facts.channel.unwrap_or_default())),
        variable("account", Read::Text(|scene| scene.facts.account.unwrap_or_default())),
        one_of("sender", SENDERS, Read::Text(|scene| scene.facts.sender.map_or("", sender))),
        variable("region.name", Read::Text(|scene| &scene.facts.region.region)),
        country("region.country"),
        one_of("region.source", SOURCES, Read::Text(|scene| scene.facts.region.source.as_str())),
        variable("region.confidence", Read::Int(|scene| scene.facts.region.confidence.into())),
        country("contact.country"),
        variable("contact.locale", Read::Text(|scene| scene.facts.contact.locale.unwrap_or_default())),
        variable(
            "contact.language",
            Read::Text(|scene| {
                let locale = scene.facts.contact.locale.unwrap_or_default();
                locale.split(['-', '_']).next().unwrap_or_default()
            }),
        ),
        variable("contact.number", Read::Text(|scene| scene.facts.contact.number.unwrap_or_default())),
        variable("contact.time_zone", Read::Text(|scene| scene.facts.contact.time_zone.unwrap_or_default())),
        variable("contact.channels", Read::Texts(|scene| scene.facts.contact.channels)),
        variable("contact.attributes", Read::Map(|scene| scene.facts.contact.attributes)),
        variable("contact.first_seen", Read::Moment(|scene| scene.facts.contact.first_seen.map(Moment::utc))),
        variable(
            "contact.last_inbound",
            Read::Moment(|scene| scene.facts.contact.last_inbound.map(Moment::utc)),
        ),
        variable(
            "contact.sent",
            Read::Int(|scene| i64::try_from(scene.facts.contact.sent.len()).unwrap_or(i64::MAX)),
        ),
        one_of(
            "consent",
            &["opted_in", "opted_out", "unknown"],
            Read::Text(|scene| match scene.facts.consent {
                Consent::OptedIn => "opted_in",
                Consent::OptedOut => "opted_out",
                Consent::Unknown => "unknown",
            }),
        ),
        variable(
            "window.open",
            Read::Bool(|scene| match scene.facts.window {
                Window::Unlimited => true,
                Window::Open { until, .. } => until.is_none_or(|until| scene.now < until),
                Window::Closed { .. } => false,
            }),
        ),
        variable("now", Read::Moment(|scene| Some(Moment::utc(scene.now)))),
        variable("local", Read::Moment(|scene| scene.local.map(Moment::zoned))),
    ];
}

fn sender(kind: SenderIdentity) -> &'static str {
    match kind {
        SenderIdentity::Alphanumeric => "alphanumeric",
        SenderIdentity::ShortCode => "short_code",
        SenderIdentity::TollFree => "toll_free",
        SenderIdentity::TenDlc => "10dlc",
        SenderIdentity::LongCode => "long_code",
    }
}
