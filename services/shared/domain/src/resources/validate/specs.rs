//! What the other kinds must satisfy.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::{
    region::Country,
    resources::{
        AgentSpec, CalendarSpec, ChannelAccountSpec, ClockTime, Day, Kind, ResourceKey, RoutingRuleSpec,
        Serves, Spec, TenantSpec, WebhookEndpointSpec, Work,
    },
};

/// Most that one conversation of a class may take of an agent's total.
const HEAVIEST: u32 = 1_000;

impl Check<'_> {
    pub(super) fn tenant(&mut self, spec: &TenantSpec) {
        self.display_name(&spec.display_name);
        self.language("spec.locale", &spec.locale);
        self.work(&spec.work);
    }

    fn work(&mut self, work: &Work) {
        for (class, weight) in &work.weights {
            let path = format!("spec.work.weights.{class}");
            self.name(&path, class);
            if !(1..=HEAVIEST).contains(weight) {
                let message = format!("{weight} is out of range; weights go from 1 to {HEAVIEST}");
                self.fail(&path, message);
            }
        }
        for (class, interrupted) in &work.interrupts {
            let path = format!("spec.work.interrupts.{class}");
            self.name(&path, class);
            for (index, other) in interrupted.iter().enumerate() {
                let path = format!("{path}[{index}]");
                self.name(&path, other);
                if other == class {
                    self.fail(&path, "a class does not interrupt itself: that is what capacity is for");
                }
            }
        }
        for (field, period) in [("inactivity", work.inactivity), ("liveness", work.liveness)] {
            if period.as_millis() == 0 {
                self.fail(&format!("spec.work.{field}"), "must be more than 0s");
            }
        }
    }

    pub(super) fn account(&mut self, spec: &ChannelAccountSpec) {
        let known = self.world.context.channels;
        if !known.contains(&spec.channel.as_str()) {
            let meant = self.meant(&spec.channel, known.iter().copied());
            let message =
                format!("unknown channel {:?}; this fleet serves {}", spec.channel, known.join(", "));
            self.fail_meaning("spec.channel", message, meant);
        }
        if let Some(provider) = &spec.provider {
            self.name("spec.provider", provider);
        }
        // Webhooks find their account by channel and name alone.
        let name = &self.document.resource.metadata.name;
        let tenants = self.world.accounts.get(&(spec.channel.as_str(), name.as_str()));
        if tenants.is_some_and(|tenants| tenants.len() > 1) {
            self.fail("metadata.name", format!("another tenant has an account {name:?} on {}", spec.channel));
        }
        if let Some(region) = &spec.region {
            let country = region.parse::<Country>().is_ok();
            if !country && !self.is_region(region) {
                self.unknown_region("spec.region", region);
            }
        }
        for (name, secrets) in &spec.secrets {
            let path = format!("spec.secrets.{name}");
            match secrets.0.as_slice() {
                [] => self.fail(&path, "the list is empty"),
                [only] => self.secret(&path, only),
                several => {
                    for (index, secret) in several.iter().enumerate() {
                        self.secret(&format!("{path}[{index}]"), secret);
                    }
                }
            }
        }
        for (path, url) in
            [("spec.base_url", &spec.base_url), ("spec.public_base_url", &spec.public_base_url)]
        {
            if let Some(url) = url {
                self.url(path, url);
            }
        }
        for (index, window) in spec.windows.iter().enumerate() {
            if spec.windows[..index].iter().any(|other| other.kind == window.kind) {
                let message = format!("the window {:?} is declared twice", window.kind);
                self.fail(&format!("spec.windows[{index}].kind"), message);
            }
        }
        if let Some(limit) = &spec.rate_limit {
            if !(limit.per_second.is_finite() && limit.per_second > 0.0) {
                self.fail("spec.rate_limit.per_second", "must be more than 0");
            }
            if limit.burst == 0 {
                self.fail("spec.rate_limit.burst", "must be at least 1");
            }
        }
    }

    pub(super) fn rule(&mut self, spec: &RoutingRuleSpec) {
        self.channels("spec.match.channels", &spec.matches.channels);
        self.regions("spec.match.regions", &spec.matches.regions);
        for (index, language) in spec.matches.languages.iter().enumerate() {
            self.language(&format!("spec.match.languages[{index}]"), language);
        }
        for (index, keyword) in spec.matches.keywords.iter().enumerate() {
            if keyword.trim().is_empty() {
                self.fail(&format!("spec.match.keywords[{index}]"), "the keyword is empty");
            }
        }
        if spec.when.as_ref().is_some_and(|when| when.trim().is_empty()) {
            self.fail("spec.when", "the condition is empty; leave it out to mean always");
        }
        self.skills("spec.skills", &spec.skills);
    }

    pub(super) fn agent(&mut self, spec: &AgentSpec) {
        self.display_name(&spec.display_name);
        let name = &self.document.resource.metadata.name;
        let login = spec.login.as_deref().unwrap_or(name);
        let path = if spec.login.is_some() { "spec.login" } else { "metadata.name" };
        if login.is_empty() {
            self.fail(path, "the login is empty");
        }
        let holders = self.world.logins.get(&(self.tenant_name(), login));
        if let Some(other) = holders.into_iter().flatten().find(|holder| **holder != name) {
            self.fail(path, format!("agent {other:?} has the login {login:?} too"));
        }
        for skill in spec.skills.keys() {
            self.name(&format!("spec.skills.{skill}"), skill);
        }
        for language in spec.languages.keys() {
            let path = format!("spec.languages.{language}");
            self.language(&path, language);
            self.name(&path, language);
        }
        for (index, serves) in spec.queues.iter().enumerate() {
            let path = format!("spec.queues[{index}]");
            if !(Serves::FIRST_RING..=Serves::LAST_RING).contains(&serves.ring) {
                let message = format!(
                    "{} is out of range; rings go from {} to {}",
                    serves.ring,
                    Serves::FIRST_RING,
                    Serves::LAST_RING
                );
                self.fail(&format!("{path}.ring"), message);
            }
            let other = spec.queues[..index].iter().find(|other| other.queue == serves.queue);
            if let Some(other) = other.filter(|other| other.ring != serves.ring) {
                let message = format!(
                    "{:?} is listed twice, in rings {} and {}",
                    serves.queue, other.ring, serves.ring
                );
                self.fail(&path, message);
            }
        }
        for class in spec.capacity.keys() {
            self.name(&format!("spec.capacity.{class}"), class);
        }
        if spec.roles.is_empty() {
            self.fail("spec.roles", "name at least one role: agent, supervisor");
        }
        if let Some(password) = &spec.password {
            self.secret("spec.password", password);
        }
    }

    pub(super) fn webhook(&mut self, spec: &WebhookEndpointSpec) {
        self.url("spec.url", &spec.url);
        self.channels("spec.channels", &spec.channels);
        self.regions("spec.regions", &spec.regions);
        self.secret("spec.secret", &spec.secret);
        for (index, pattern) in spec.events.iter().enumerate() {
            let token = |text: &str| {
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            };
            let fits = pattern
                .split_once('.')
                .is_some_and(|(family, kind)| token(family) && (kind == "*" || token(kind)));
            if !fits {
                let message =
                    format!("{pattern:?} is no type of event; write it like message.received or message.*");
                self.fail(&format!("spec.events[{index}]"), message);
            }
        }
    }

    pub(super) fn calendar(&mut self, spec: &CalendarSpec) {
        if let Some(zone) = &spec.time_zone {
            self.time_zone("spec.time_zone", zone);
        }
        if spec.time_zone.is_none() {
            self.opened_queues();
        }
        if spec.hours.is_empty() {
            self.fail("spec.hours", "never open: name hours");
        }
        // What is open on each day of the week so far: from, to, and the entry that says so.
        let mut open: BTreeMap<Day, Vec<(ClockTime, ClockTime, usize)>> = BTreeMap::new();
        for (index, hours) in spec.hours.iter().enumerate() {
            let path = format!("spec.hours[{index}]");
            if hours.days.is_empty() {
                self.fail(&format!("{path}.days"), "name at least one day");
            }
            if hours.from >= hours.to {
                self.fail(&format!("{path}.to"), "must be later than from; a night shift is two entries");
                continue;
            }
            for (place, day) in hours.days.iter().enumerate() {
                let entries = open.entry(*day).or_default();
                let overlap = entries.iter().find(|(from, to, _)| *from < hours.to && hours.from < *to);
                if let Some((_, _, other)) = overlap {
                    let path = format!("{path}.days[{place}]");
                    if *other == index {
                        self.fail(&path, format!("{day} is listed twice"));
                    } else {
                        self.fail(&path, format!("overlaps with spec.hours[{other}] on {day}"));
                    }
                }
                entries.push((hours.from, hours.to, index));
            }
        }
        let mut dates = BTreeSet::new();
        for (index, holiday) in spec.holidays.iter().enumerate() {
            if !dates.insert(holiday.date) {
                let message = format!("{} is listed twice", holiday.date);
                self.fail(&format!("spec.holidays[{index}].date"), message);
            }
        }
    }

    /// A calendar without a zone of its own must not be what a queue in force, which is not being applied, opens by. Of one
    /// that is applied, its own field says so.
    fn opened_queues(&mut self) {
        let world = self.world;
        let ResourceKey { tenant, name, .. } = self.document.resource.key();
        for stored in world.context.stored.iter().filter(|stored| stored.metadata.tenant == tenant) {
            let in_force = world.resources.get(&stored.key()).is_some_and(|held| std::ptr::eq(*held, stored));
            if let Spec::Queue(queue) = &stored.spec
                && queue.hours.as_ref() == Some(&name)
                && in_force
            {
                let message = format!(
                    "{}/{} opens by it, and needs one clock: name a time_zone",
                    Kind::Queue,
                    stored.metadata.name
                );
                self.fail("spec.time_zone", message);
            }
        }
    }

    pub(super) fn display_name(&mut self, name: &str) {
        if name.trim().is_empty() {
            self.fail("spec.display_name", "must not be empty");
        }
    }

    /// A BCP 47 tag, by its form: a language of two or three letters and subtags of one to eight characters.
    pub(super) fn language(&mut self, path: &str, tag: &str) {
        let mut parts = tag.split('-');
        let language = parts.next().unwrap_or_default();
        let primary =
            (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let subtag = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !primary || !parts.all(subtag) {
            self.fail(path, format!("{tag:?} is no language tag; write it like pt or pt-BR"));
        }
    }
}
