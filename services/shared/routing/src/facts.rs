//! What rules are asked about, and the variables of their conditions.
//!
//! | variable | type | what it is |
//! | --- | --- | --- |
//! | `message.text` | string | what the customer wrote, in lower case |
//! | `message.language` | string | the language they write in, such as `pt`; empty when it is not known |
//! | `message.kind` | string | `text`, `media`, `selection` …; empty when nothing is known of what is said |
//! | `channel` | string | the channel |
//! | `account` | string | name of the channel account |
//! | `region.name` | string | region of the policy, or `default` |
//! | `region.country`, `contact.country` | string | ISO 3166-1 alpha-2; empty when it is not known |
//! | `region.source` | string | `explicit`, `number`, `declared`, `account`, `locale` or `nothing` |
//! | `region.confidence` | int | how far that is to be trusted, in percent |
//! | `contact.locale` | string | such as `pt-BR`; empty when it is not known |
//! | `contact.language` | string | the language of the locale, such as `pt` |
//! | `contact.number` | string | E.164 with `+`; empty when it is not known |
//! | `contact.time_zone` | string | IANA name, where somebody said it; empty otherwise |
//! | `contact.channels` | list of strings | channels on which the customer has an address |
//! | `contact.attributes` | map of strings | what else is known: `contact.attributes["vip"] == "yes"` |
//! | `contact.first_seen` | timestamp | unknown for a customer that nothing is recorded of |
//! | `now` | timestamp | its hours and days are those of UTC |
//! | `local` | timestamp | the same moment by the customer's clock; unknown where their time zone is |

use std::cell::OnceCell;

use heliograph_domain::region::Country;
use heliograph_policy::{
    CompiledPolicy,
    condition::{Condition, KINDS, Moment, Read, SOURCES, Values, Variable, World},
};
use jiff::{Timestamp, Zoned};

use crate::Language;

/// What a decision is founded on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The policy in force, for the customer's clock.
    pub policy: &'a CompiledPolicy,
    /// What is known of the customer and their message, as policy is asked about it.
    pub about: &'a heliograph_policy::Facts<'a>,
    /// What a person would read of the message.
    pub text: &'a str,
    /// The language it is in.
    pub language: &'a Language,
    /// When.
    pub now: Timestamp,
}

/// What conditions of routing rules are about.
#[derive(Debug, Clone, Copy)]
pub struct RoutingFacts;

/// One message, at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    about: &'a heliograph_policy::Facts<'a>,
    text: &'a str,
    language: &'a str,
    contact_language: &'a str,
    now: Timestamp,
    local: Option<&'a Zoned>,
}

/// A message before the rules, with what is found out about it once.
pub(crate) struct Case<'a> {
    pub(crate) facts: &'a Facts<'a>,
    /// The text in lower case.
    pub(crate) text: String,
    language: String,
    contact_language: String,
    /// The customer's clock, once it is asked for.
    local: OnceCell<Option<Zoned>>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(facts: &'a Facts<'a>) -> Self {
        let locale = facts.about.contact.locale.unwrap_or_default();
        let primary = locale.split(['-', '_']).next().unwrap_or_default();
        Self {
            facts,
            text: facts.text.to_lowercase(),
            language: facts.language.primary().to_ascii_lowercase(),
            contact_language: primary.to_ascii_lowercase(),
            local: OnceCell::new(),
        }
    }

    /// What comes of a condition; none where that hangs on something unknown.
    pub(crate) fn test(&self, condition: &Condition<RoutingFacts>) -> Option<bool> {
        let Facts { policy, about, now, .. } = *self.facts;
        let local = if condition.reads("local") {
            self.local.get_or_init(|| policy.clock(about, now)).as_ref()
        } else {
            None
        };
        condition.test(&Scene {
            about,
            text: &self.text,
            language: &self.language,
            contact_language: &self.contact_language,
            now,
            local,
        })
    }
}

const fn variable(name: &'static str, values: Values, read: Read<RoutingFacts>) -> Variable<RoutingFacts> {
    Variable { name, values, read }
}

const fn country(name: &'static str) -> Variable<RoutingFacts> {
    let read = Read::<RoutingFacts>::Text(|scene| scene.about.region.country.map_or("", Country::code));
    variable(name, Values::Country, read)
}

impl World for RoutingFacts {
    type Scene<'a> = Scene<'a>;

    const VARIABLES: &'static [Variable<Self>] = &[
        variable("message.text", Values::LowerCase, Read::Text(|scene| scene.text)),
        variable("message.language", Values::Language, Read::Text(|scene| scene.language)),
        variable("message.kind", Values::OneOf(KINDS), Read::Text(|scene| scene.about.kind)),
        variable("channel", Values::Any, Read::Text(|scene| scene.about.channel.unwrap_or_default())),
        variable("account", Values::Any, Read::Text(|scene| scene.about.account.unwrap_or_default())),
        variable("region.name", Values::Any, Read::Text(|scene| &scene.about.region.region)),
        country("region.country"),
        variable(
            "region.source",
            Values::OneOf(SOURCES),
            Read::Text(|scene| scene.about.region.source.as_str()),
        ),
        variable("region.confidence", Values::Any, Read::Int(|scene| scene.about.region.confidence.into())),
        country("contact.country"),
        variable(
            "contact.locale",
            Values::Any,
            Read::Text(|scene| scene.about.contact.locale.unwrap_or_default()),
        ),
        variable("contact.language", Values::Language, Read::Text(|scene| scene.contact_language)),
        variable(
            "contact.number",
            Values::Any,
            Read::Text(|scene| scene.about.contact.number.unwrap_or_default()),
        ),
        variable(
            "contact.time_zone",
            Values::Any,
            Read::Text(|scene| scene.about.contact.time_zone.unwrap_or_default()),
        ),
        variable("contact.channels", Values::Any, Read::Texts(|scene| scene.about.contact.channels)),
        variable("contact.attributes", Values::Any, Read::Map(|scene| scene.about.contact.attributes)),
        variable(
            "contact.first_seen",
            Values::Any,
            Read::Moment(|scene| scene.about.contact.first_seen.map(Moment::utc)),
        ),
        variable("now", Values::Any, Read::Moment(|scene| Some(Moment::utc(scene.now)))),
        variable("local", Values::Any, Read::Moment(|scene| scene.local.map(Moment::zoned))),
    ];
}
