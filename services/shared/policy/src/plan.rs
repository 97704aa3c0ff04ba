//! Regions, ready to be looked up.

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::{
    region::CountrySet,
    resources::{MessageClass, RegionPlan},
    zone::time_zone,
};
use jiff::tz::TimeZone;

use crate::{fault::Faults, names::Names};

/// A region of the policy.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) name: Arc<str>,
    pub(crate) is_default: bool,
    /// Countries that fall into it.
    pub(crate) countries: CountrySet,
    /// Channels in order of preference: for every class, then for those classes that have their own.
    channels: Vec<Vec<Arc<str>>>,
    /// For each class its place in `channels`.
    by_class: [usize; MessageClass::ALL.len()],
    /// The time zone of customers whose own cannot be told.
    pub(crate) time_zone: Option<TimeZone>,
    /// Sites that may hold its events; none at all means every site.
    pub(crate) residency: Vec<Arc<str>>,
}

impl Region {
    /// Reads what holds in a region. Its countries are filled in later.
    pub(crate) fn compile(
        name: &str,
        is_default: bool,
        plan: &RegionPlan,
        path: &str,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) -> Self {
        let mut channels = vec![names.channels(&plan.channels)];
        let mut by_class = [0; MessageClass::ALL.len()];
        for (class, own) in &plan.classes {
            by_class[*class as usize] = channels.len();
            channels.push(names.channels(own));
        }
        let time_zone = plan.time_zone.as_deref().and_then(|name| {
            let zone = time_zone(name);
            if zone.is_none() {
                faults.add(format!("{path}.time_zone"), format!("there is no time zone {name:?}"));
            }
            zone
        });
        Self {
            name: name.into(),
            is_default,
            countries: CountrySet::EMPTY,
            channels,
            by_class,
            time_zone,
            residency: plan.residency.iter().map(|site| site.as_str().into()).collect(),
        }
    }

    /// Channels for messages of a class, in order of preference.
    pub(crate) fn channels(&self, class: MessageClass) -> &[Arc<str>] {
        &self.channels[self.by_class[class as usize]]
    }

    /// Channels for messages of most classes.
    pub(crate) fn usual_channels(&self) -> &[Arc<str>] {
        &self.channels[0]
    }

    /// Whether a site may hold its events.
    pub(crate) fn may_live_at(&self, site: &str) -> bool {
        self.residency.is_empty() || self.residency.iter().any(|known| **known == *site)
    }

    /// What there is to show of it.
    pub(crate) fn view(&self) -> RegionView<'_> {
        let own = MessageClass::ALL.into_iter().filter(|class| self.by_class[*class as usize] > 0);
        RegionView {
            name: &self.name,
            is_default: self.is_default,
            countries: &self.countries,
            channels: self.usual_channels(),
            classes: own.map(|class| (class, self.channels(class))).collect(),
            residency: &self.residency,
        }
    }
}

/// A region of a policy, to be shown.
#[derive(Debug, Clone)]
pub struct RegionView<'a> {
    /// Its name.
    pub name: &'a Arc<str>,
    /// Whether it is that of everybody else.
    pub is_default: bool,
    /// Countries that fall into it.
    pub countries: &'a CountrySet,
    /// Channels in order of preference.
    pub channels: &'a [Arc<str>],
    /// Channels of classes that have their own.
    pub classes: BTreeMap<MessageClass, &'a [Arc<str>]>,
    /// Sites that may hold its events; none at all means every site.
    pub residency: &'a [Arc<str>],
}
