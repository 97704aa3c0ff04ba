//! The customer's time zones.

use std::{borrow::Cow, sync::LazyLock};

use heliograph_domain::{
    region::Country,
    zone::{time_zone, time_zones_of_number, zones_of},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::{CompiledPolicy, Facts, plan::Region};

/// Time zones that count for a customer; at least one.
pub(crate) type Zones<'a> = Cow<'a, [TimeZone]>;

/// The zones of each country, in the order of [`Country::index`].
static BY_COUNTRY: LazyLock<Vec<Vec<TimeZone>>> = LazyLock::new(|| {
    let zones = |country| zones_of(country).iter().filter_map(|name| time_zone(name)).collect();
    Country::all().map(zones).collect()
});

/// For customers of whom nothing is known.
static NOBODY: [TimeZone; 1] = [TimeZone::UTC];

impl CompiledPolicy {
    /// What the customer's clock shows, where it is known: their own zone counts, else those of their number, of their
    /// region, of their country.
    pub fn clock(&self, facts: &Facts<'_>, now: Timestamp) -> Option<Zoned> {
        clock(&of(self.region(&facts.region.region), facts), now)
    }
}

/// The customer's own zone, else those of their number, else the region's, else those of their country. UTC when nothing is
/// known.
pub(crate) fn of<'a>(region: &'a Region, facts: &Facts<'_>) -> Zones<'a> {
    let contact = &facts.contact;
    if let Some(own) = contact.time_zone.and_then(time_zone) {
        return Cow::Owned(vec![own]);
    }
    let numbered = contact.number.map(time_zones_of_number).unwrap_or_default();
    if !numbered.is_empty() {
        return Cow::Borrowed(numbered);
    }
    if let Some(zone) = &region.time_zone {
        return Cow::Borrowed(std::slice::from_ref(zone));
    }
    let country = facts.region.country.map(|country| BY_COUNTRY[country.index()].as_slice());
    Cow::Borrowed(country.filter(|zones| !zones.is_empty()).unwrap_or(&NOBODY))
}

/// What the customer's clock shows, where all their zones show the same.
pub(crate) fn clock(zones: &[TimeZone], now: Timestamp) -> Option<Zoned> {
    let (first, others) = zones.split_first()?;
    let offset = first.to_offset(now);
    others.iter().all(|zone| zone.to_offset(now) == offset).then(|| now.to_zoned(first.clone()))
}
