//! Where a customer is, and how we know.

use std::sync::Arc;

use heliograph_domain::region::Country;
use serde::{Deserialize, Serialize};

use crate::CompiledPolicy;

/// How a customer's region was found, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionSource {
    /// An agent or integrator said so.
    Explicit,
    /// From the customer's phone number.
    Number,
    /// The customer said so.
    Declared,
    /// From the channel account that was written to.
    Account,
    /// From the customer's locale.
    Locale,
    /// Nothing was known.
    Nothing,
}

impl RegionSource {
    /// How far it is to be trusted, in percent. A number tells where it was issued, not where its owner is; a locale tells
    /// what a device was set to.
    pub fn confidence(self) -> u8 {
        match self {
            Self::Explicit => 100,
            Self::Number => 90,
            Self::Declared => 70,
            Self::Account => 50,
            Self::Locale => 30,
            Self::Nothing => 0,
        }
    }

    /// The source as it is written in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Number => "number",
            Self::Declared => "declared",
            Self::Account => "account",
            Self::Locale => "locale",
            Self::Nothing => "nothing",
        }
    }
}

/// What is known about where a customer is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// A country an agent or integrator gave.
    pub explicit: Option<Country>,
    /// The customer's phone number, in E.164 with `+`.
    pub number: Option<&'a str>,
    /// A country the customer gave.
    pub declared: Option<Country>,
    /// The `region` of the channel account: a country, or a region of the policy.
    pub account: Option<&'a str>,
    /// The customer's locale, such as `pt-BR`.
    pub locale: Option<&'a str>,
}

/// A customer's region, with how it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegionFinding {
    /// Name of the region; `default` when no region of the policy fits.
    pub region: Arc<str>,
    /// The country, where one was found.
    pub country: Option<Country>,
    /// How it was found.
    pub source: RegionSource,
    /// How far that is to be trusted, in percent.
    pub confidence: u8,
    /// The term of the policy that named the country or the number, such as `region:419` or `number:+1787`.
    pub term: Option<Arc<str>>,
}

/// Places a customer. The best source that says anything decides; the others are not asked.
pub fn find_region(policy: &CompiledPolicy, hints: &Hints<'_>) -> RegionFinding {
    let placed = |country: Option<Country>, source| country.map(|country| policy.place(country, source));
    let account = || {
        let name = hints.account?;
        if let Ok(country) = name.parse() {
            return Some(policy.place(country, RegionSource::Account));
        }
        let region = policy.region_named(name)?;
        Some(RegionFinding {
            region,
            country: None,
            source: RegionSource::Account,
            confidence: RegionSource::Account.confidence(),
            term: None,
        })
    };
    placed(hints.explicit, RegionSource::Explicit)
        .or_else(|| policy.place_number(hints.number?))
        .or_else(|| placed(hints.declared, RegionSource::Declared))
        .or_else(account)
        .or_else(|| placed(hints.locale.and_then(Country::of_locale), RegionSource::Locale))
        .unwrap_or_else(|| RegionFinding {
            region: policy.default_name(),
            country: None,
            source: RegionSource::Nothing,
            confidence: RegionSource::Nothing.confidence(),
            term: None,
        })
}
