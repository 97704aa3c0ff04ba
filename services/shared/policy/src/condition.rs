//! Conditions: CEL over the facts of a message.
//!
//! A condition is parsed as CEL, checked against the variables that there are, and lowered to a small typed tree. What a
//! customer's message could do wrong was ruled out by then: [`Condition::test`] always answers, and answers the same for
//! the same facts.
//!
//! The language is one; what it speaks of is a [`World`]: its variables, and what they are read from. This crate has the
//! world of a channel policy, [`PolicyFacts`]; whoever has conditions on something else brings a world of their own.
//!
//! # What can be written
//!
//! Strings, whole numbers, fractions, `true`, `false`, lists of strings or whole numbers; `&&`, `||`, `!`, `? :`; `==`,
//! `!=`, `<`, `<=`, `>`, `>=`, `in`; `+`, `-`, `*`, `/`, `%` on whole numbers; `startsWith`, `endsWith`, `contains`,
//! `matches` (a literal regular expression) and `size` on strings; `size`, `exists` and `all` on lists; `has`;
//! `timestamp("2026-11-22T18:00:00Z")` and `duration("36h")`, their sums, differences and order; `getFullYear`, `getMonth`
//! (January is 0), `getDate`, `getDayOfMonth` (from 0), `getDayOfWeek` (Sunday is 0), `getDayOfYear` (from 0), `getHours`,
//! `getMinutes` and `getSeconds` of a timestamp; `getHours`, `getMinutes` and `getSeconds` of a duration.
//!
//! # Variables of a channel policy
//!
//! | variable | type | what it is |
//! | --- | --- | --- |
//! | `message.direction` | string | `inbound` or `outbound` |
//! | `message.class` | string | `service`, `utility`, `marketing`, `authentication` or `emergency` |
//! | `message.kind` | string | `text`, `media`, `template` …; empty when nothing is known of what is said |
//! | `channel` | string | the channel; empty when the best one is asked for |
//! | `account` | string | name of the channel account; empty when it is not known |
//! | `sender` | string | `alphanumeric`, `short_code`, `toll_free`, `10dlc` or `long_code`; empty when it is not known |
//! | `region.name` | string | region of the policy, or `default` |
//! | `region.country`, `contact.country` | string | ISO 3166-1 alpha-2; empty when it is not known |
//! | `region.source` | string | `explicit`, `number`, `declared`, `account`, `locale` or `nothing` |
//! | `region.confidence` | int | how far that is to be trusted, in percent |
//! | `contact.locale` | string | such as `pt-BR`; empty when it is not known |
//! | `contact.language` | string | the language of the locale, such as `pt` |
//! | `contact.number` | string | E.164 with `+`; empty when it is not known |
//! | `contact.time_zone` | string | IANA name, where somebody said it; empty otherwise |
//! | `contact.channels` | list of strings | channels on which the customer has an address |
//! | `contact.attributes` | map of strings | what else is known: `contact.attributes["vip"] == "yes"`, `"vip" in contact.attributes` |
//! | `contact.first_seen` | timestamp | unknown for a customer that nothing is recorded of |
//! | `contact.last_inbound` | timestamp | when the customer last wrote; unknown if never |
//! | `contact.sent` | int | messages sent to the customer lately, as far back as the policy's frequency caps look |
//! | `consent` | string | `opted_in`, `opted_out` or `unknown` |
//! | `window.open` | bool | whether the channel lets the business write freely |
//! | `now` | timestamp | its hours and days are those of UTC |
//! | `local` | timestamp | the same moment by the customer's clock; unknown where their time zone is |
//!
//! # What is not known
//!
//! A timestamp may be unknown, and so is an attribute that a customer does not have. What is computed from something unknown
//! is unknown, and so are a division by zero and a sum that is too large; but `unknown || true` is true and
//! `unknown && false` is false. A condition that comes out unknown does not hold. `has(…)` tells: whether a timestamp is
//! known, an attribute is there, a string or a list is not empty.

mod error;
mod facts;
mod lower;
mod schema;
mod syntax;
mod time;
mod tree;

use heliograph_domain::nearest::nearest;
use jiff::{Timestamp, Zoned};

pub use error::ConditionError;
pub use facts::{KINDS, PolicyFacts, SOURCES};
pub use schema::{Read, Values, Variable, World};
pub use time::Moment;

use crate::Facts;
use facts::Scene;
use tree::{Bindings, Test};

/// A condition over what a world knows.
#[derive(Debug, Clone)]
pub struct Condition<W: World> {
    root: Test<W>,
    /// Variables that it reads.
    reads: Vec<&'static str>,
}

/// A condition over the facts of a message, as channel policies have them.
pub type PolicyCondition = Condition<PolicyFacts>;

impl<W: World> Condition<W> {
    /// Reads a condition, and refuses what could not be evaluated.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let parsed = syntax::parse(text)?;
        let (root, reads) = lower::condition(&parsed)?;
        Ok(Self { root, reads })
    }

    /// Whether it reads a variable: what it does not read need not be found out.
    pub fn reads(&self, variable: &str) -> bool {
        self.reads.contains(&variable)
    }

    /// What comes out; none where that hangs on something unknown.
    pub fn test<'a>(&'a self, scene: &'a W::Scene<'a>) -> Option<bool> {
        self.root.test(scene, &Bindings::default())
    }
}

impl PolicyCondition {
    /// Whether it holds. `local` is `now` by the customer's clock, where their time zone is known.
    pub fn holds(&self, facts: &Facts<'_>, now: Timestamp, local: Option<&Zoned>) -> bool {
        let scene = Scene { facts, now, local };
        self.test(&scene) == Some(true)
    }
}

#[cfg(test)]
mod tests;
