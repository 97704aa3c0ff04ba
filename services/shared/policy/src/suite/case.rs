//! What stands in a file of tests.

use std::collections::BTreeMap;

use heliograph_domain::{
    region::Country,
    resources::{MessageClass, Trigger},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Expect, Names};
use crate::Consent;

/// Most cases one test may stand for, over all its lists.
const MOST_CASES: usize = 10_000;

/// Why a file of tests cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {problem}", if *.line > 0 { format!(":{line}:{column}") } else { String::new() })]
pub struct SuiteError {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1; 0 when it is not known.
    pub line: u64,
    /// Column, from 1; 0 when it is not known.
    pub column: u64,
    /// What is wrong.
    pub problem: String,
}

/// A file of tests.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// The file, as the caller named it.
    pub file: String,
    /// The policy it is about; none where there is only one.
    pub policy: Option<String>,
    /// Its cases, every table spread out.
    pub cases: Vec<Case>,
}

/// One question to the policy, and the answer it is to give.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name of the test.
    pub name: String,
    /// Line of the test, from 1.
    pub line: u64,
    /// What is asked.
    pub given: Given,
    /// What is to be answered.
    pub expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    given: Given,
    tests: Vec<Spanned<Test>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    #[serde(default)]
    given: Given,
    #[serde(default)]
    cases: Vec<Given>,
    expect: Expect,
}

/// What is asked. What is not given is not known, or what the file's own `given` says.
///
/// Lists in `to`, `from`, `country`, `channel`, `class` and `sender` stand for a case of each of their entries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Given {
    /// The customer who is written to: a phone number, or what else the channel calls them.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub to: Names,
    /// The customer who writes.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub from: Names,
    /// The customer's country, known for certain.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub country: Names,
    /// The country the customer declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Country>,
    /// The region or country of the channel account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_region: Option<String>,
    /// The channel account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The channel; none asks for the best.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub channel: Names,
    /// What the message is for.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub class: Names,
    /// A kind of content, such as `text` or `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What kind of sender the account writes as.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub sender: Names,
    /// What the customer said about being written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// The channel's messaging window; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowGiven>,
    /// Whether the channel takes templates outside its window; yes unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<bool>,
    /// When it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Channels on which the tenant has accounts; all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Vec<String>>,
    /// The site that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What is known of the customer.
    #[serde(skip_serializing_if = "ContactGiven::is_empty")]
    pub contact: ContactGiven,
    /// What was sent to the customer lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Vec<SentGiven>>,
    /// For fallback: what happened to the message on its channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// For fallback: channels that were tried already, beside the message's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<Vec<String>>,
    /// For consent by words: what the customer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// A channel's messaging window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowGiven {
    /// The channel has none.
    None,
    /// It is open.
    Open,
    /// It is closed.
    Closed,
}

/// What is known of the customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactGiven {
    /// Their IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Their locale, such as `pt-BR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Channels on which they have an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// What else is known of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// When they were first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<When>,
    /// When they last wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound: Option<When>,
}

impl ContactGiven {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A message that was sent to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentGiven {
    /// When.
    pub at: When,
    /// By which channel; that of the message in question unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What for; as the message in question unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MessageClass>,
}

/// A time: `2026-03-07T23:30:00-05:00`, or `-2h` before the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct When(pub String);

/// Takes what the more particular one says, field by field.
macro_rules! overlay {
    ($base:expr, $over:expr, options: [$($option:ident),*], names: [$($names:ident),*]) => {
        $(if $over.$option.is_some() { $base.$option.clone_from(&$over.$option); })*
        $(if !$over.$names.is_empty() { $base.$names.clone_from(&$over.$names); })*
    };
}

impl Given {
    /// This with what `over` says in place of it.
    fn with(&self, over: &Self) -> Self {
        let mut given = self.clone();
        // A customer is written to or writes, not both.
        if !over.from.is_empty() {
            given.to = Names::default();
        } else if !over.to.is_empty() {
            given.from = Names::default();
        }
        overlay!(given, over,
            options: [declared, account_region, account, kind, consent, window, templates, at, available,
                      site, sent, trigger, tried, says],
            names: [to, from, country, channel, class, sender]);
        overlay!(given.contact, over.contact,
            options: [time_zone, locale, channels, attributes, first_seen, last_inbound], names: []);
        given
    }

    /// A case of each entry of the lists.
    fn spread(&self) -> Vec<Self> {
        let mut cases = vec![self.clone()];
        let lists: [fn(&mut Self) -> &mut Names; 6] = [
            |given| &mut given.to,
            |given| &mut given.from,
            |given| &mut given.country,
            |given| &mut given.channel,
            |given| &mut given.class,
            |given| &mut given.sender,
        ];
        for list in lists {
            cases = cases
                .into_iter()
                .flat_map(|case| {
                    let names = list(&mut case.clone()).clone();
                    if names.0.len() < 2 {
                        return vec![case];
                    }
                    let one = |name: String| {
                        let mut case = case.clone();
                        *list(&mut case) = Names(vec![name]);
                        case
                    };
                    names.0.into_iter().map(one).collect()
                })
                .collect();
        }
        cases
    }
}

/// Reads a file of tests. `file` is only named in errors.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(file: &str, text: &str) -> Result<TestFile, SuiteError> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let read: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        let problem = error.without_snippet().to_string();
        SuiteError { file: file.to_owned(), line, column, problem }
    })?;
    let mut cases = Vec::new();
    for test in read.tests {
        let (line, column) = (test.referenced.line(), test.referenced.column());
        let wrong = |problem: String| SuiteError { file: file.to_owned(), line, column, problem };
        let test = test.value;
        let base = read.given.with(&test.given);
        let rows = if test.cases.is_empty() { vec![Given::default()] } else { test.cases };
        let before = cases.len();
        for row in &rows {
            for given in base.with(row).spread() {
                super::facts::check(&given)
                    .map_err(|problem| wrong(format!("{:?}: {problem}", test.name)))?;
                cases.push(Case { name: test.name.clone(), line, given, expect: test.expect.clone() });
            }
        }
        if test.expect.is_empty() {
            return Err(wrong(format!("{:?}: expects nothing, so it cannot fail", test.name)));
        }
        if cases.len() - before > MOST_CASES {
            return Err(wrong(format!("{:?}: stands for more than {MOST_CASES} cases", test.name)));
        }
    }
    Ok(TestFile { file: file.to_owned(), policy: read.policy, cases })
}
