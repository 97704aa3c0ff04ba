//! What a resource must satisfy beyond its form: names, neighbours, meaning.

mod policy;
mod queue;
mod skills;
mod specs;

use std::collections::{BTreeMap, BTreeSet};

use super::{Document, Effect, Kind, Problem, Problems, Resource, ResourceKey, SecretRef, Spec};
use crate::{ids, nearest::nearest, region::Country};

/// Channels that a policy may name whether this fleet serves them or not, so that rules can be written before a channel
/// is set up.
pub const KNOWN_CHANNELS: &[&str] = &[
    "apple-messages",
    "bottle",
    "email",
    "instagram",
    "kakaotalk",
    "line",
    "messenger",
    "rcs",
    "signal",
    "slack",
    "sms",
    "teams",
    "telegram",
    "viber",
    "voice",
    "webchat",
    "wechat",
    "whatsapp",
    "zalo",
];

/// How many problems are shown with what was probably meant.
const SUGGESTIONS: usize = 200;

/// What resources are checked against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Channels that this fleet serves. Accounts exist on these only.
    pub channels: &'a [&'a str],
    /// Resources in force. Those that are being applied replace them.
    pub stored: &'a [Resource],
    /// Whether the fleet runs in development: secrets may stand in resources.
    pub dev: bool,
}

/// Checks documents that are applied together, against each other and what is in force.
///
/// # Errors
/// All problems, in the order of the documents.
pub fn validate(documents: &[Document], context: &Context<'_>) -> Result<(), Problems> {
    let world = World::new(documents, context);
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for document in documents {
        let mut check = Check { document, world: &world, problems: &mut problems };
        check.metadata();
        if !seen.insert(document.resource.key()) {
            check.fail("metadata.name", "this resource is declared twice");
        }
        match &document.resource.spec {
            Spec::Tenant(spec) => check.tenant(spec),
            Spec::ChannelAccount(spec) => check.account(spec),
            Spec::ChannelPolicy(spec) => {
                check.policy(spec);
                check.orphans();
            }
            Spec::Queue(spec) => check.queue(spec),
            Spec::RoutingRule(spec) => check.rule(spec),
            Spec::Agent(spec) => check.agent(spec),
            Spec::WebhookEndpoint(spec) => check.webhook(spec),
            Spec::Calendar(spec) => check.calendar(spec),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// The resources another one names, with the field that names them. Its tenant is the first of them.
pub fn references(resource: &Resource) -> Vec<(String, ResourceKey)> {
    let key = |kind, name: &str| ResourceKey {
        tenant: resource.metadata.tenant.clone(),
        kind,
        name: name.to_owned(),
    };
    let mut found = Vec::new();
    if resource.kind() != Kind::Tenant {
        found.push(("metadata.tenant".to_owned(), key(Kind::Tenant, &resource.metadata.tenant)));
    }
    match &resource.spec {
        Spec::RoutingRule(rule) => {
            found.push(("spec.queue".to_owned(), key(Kind::Queue, &rule.queue)));
            for (index, account) in rule.matches.accounts.iter().enumerate() {
                found.push((format!("spec.match.accounts[{index}]"), key(Kind::ChannelAccount, account)));
            }
        }
        Spec::ChannelPolicy(policy) => {
            for (index, rule) in policy.rules.iter().enumerate() {
                if let Effect::Hours(calendar) = &rule.then {
                    found.push((format!("spec.rules[{index}].then.hours"), key(Kind::Calendar, calendar)));
                }
            }
        }
        Spec::Queue(queue) => {
            found.extend(queue.onward().into_iter().map(|(path, to)| (path, key(Kind::Queue, to))));
            let calendar = queue.hours.as_deref();
            found.extend(calendar.map(|hours| ("spec.hours".to_owned(), key(Kind::Calendar, hours))));
        }
        Spec::Agent(agent) => {
            for (index, queue) in agent.queue_names().enumerate() {
                found.push((format!("spec.queues[{index}]"), key(Kind::Queue, queue)));
            }
        }
        _ => {}
    }
    found
}

/// The regions another resource names.
fn named_regions(resource: &Resource) -> Vec<&str> {
    match &resource.spec {
        Spec::RoutingRule(rule) => rule.matches.regions.iter().map(String::as_str).collect(),
        Spec::WebhookEndpoint(endpoint) => endpoint.regions.iter().map(String::as_str).collect(),
        Spec::ChannelAccount(account) => account
            .region
            .as_deref()
            .filter(|region| region.parse::<Country>().is_err())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Everything that will be in force: what is stored, replaced by what is applied.
struct World<'a> {
    context: &'a Context<'a>,
    resources: BTreeMap<ResourceKey, &'a Resource>,
    /// Names of regions by tenant.
    regions: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Names of accounts on a channel, with the tenants that have one of the name.
    accounts: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
    /// Sign-in names of a tenant, with the agents that have it.
    logins: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
}

impl<'a> World<'a> {
    fn new(documents: &'a [Document], context: &'a Context<'a>) -> Self {
        let applied = documents.iter().map(|document| &document.resource);
        let resources: BTreeMap<ResourceKey, &Resource> =
            context.stored.iter().chain(applied).map(|resource| (resource.key(), resource)).collect();
        let mut world = Self {
            context,
            resources: BTreeMap::new(),
            regions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            logins: BTreeMap::new(),
        };
        for resource in resources.values() {
            let (tenant, name) = (resource.metadata.tenant.as_str(), resource.metadata.name.as_str());
            match &resource.spec {
                Spec::ChannelPolicy(spec) => {
                    let names = spec.regions.iter().map(|region| region.name.as_str());
                    world.regions.entry(tenant).or_default().extend(names);
                }
                Spec::ChannelAccount(spec) => {
                    world.accounts.entry((&spec.channel, name)).or_default().insert(tenant);
                }
                Spec::Agent(spec) => {
                    let login = spec.login.as_deref().unwrap_or(name);
                    world.logins.entry((tenant, login)).or_default().insert(name);
                }
                _ => {}
            }
        }
        world.resources = resources;
        world
    }
}

/// One document under examination.
struct Check<'a> {
    document: &'a Document,
    world: &'a World<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn fail(&mut self, path: &str, message: impl Into<String>) {
        self.fail_meaning(path, message, None);
    }

    fn fail_meaning(&mut self, path: &str, message: impl Into<String>, meant: Option<String>) {
        let mut problem = self.document.problem(path, message);
        problem.suggestion = meant;
        self.problems.push(problem);
    }

    /// The known word that was probably meant. With so many problems that nobody reads them all it is not looked for: that
    /// would take longer than everything else.
    fn meant<'k>(&self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
        (self.problems.len() < SUGGESTIONS).then(|| nearest(word, known)).flatten().map(str::to_owned)
    }

    fn tenant_name(&self) -> &str {
        &self.document.resource.metadata.tenant
    }

    fn metadata(&mut self) {
        let resource = &self.document.resource;
        let (tenant, name) = (&resource.metadata.tenant, &resource.metadata.name);
        self.name("metadata.name", name);
        if tenant.is_empty() {
            return self.fail("metadata.tenant", "missing field tenant");
        }
        if resource.kind() == Kind::Tenant && tenant != name {
            return self
                .fail("metadata.tenant", format!("a tenant is its own: leave it out or write {name:?}"));
        }
        for (path, key) in references(resource) {
            self.exists(&path, &key);
        }
    }

    /// The name of a tenant, region, queue, skill and the like.
    fn name(&mut self, path: &str, name: &str) {
        if !ids::is_name(name) {
            let message =
                format!("{name:?} is no name: lower-case letters, digits and inner hyphens, at most 63");
            let plain: String = name
                .chars()
                .map(
                    |character| {
                        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
                    },
                )
                .collect();
            let plain = plain.trim_matches('-').to_owned();
            self.fail_meaning(path, message, ids::is_name(&plain).then_some(plain));
        }
    }

    fn exists(&mut self, path: &str, key: &ResourceKey) {
        if self.world.resources.contains_key(key) {
            return;
        }
        let same = |other: &&ResourceKey| {
            other.kind == key.kind && (key.kind == Kind::Tenant || other.tenant == key.tenant)
        };
        let names = self.world.resources.keys().filter(same).map(|other| other.name.as_str());
        let meant = self.meant(&key.name, names);
        self.fail_meaning(path, format!("there is no {} {:?}", key.kind, key.name), meant);
    }

    /// A policy must not take away a region that a resource in force, which is not being applied, still names.
    fn orphans(&mut self) {
        let world = self.world;
        let tenant = self.tenant_name().to_owned();
        for stored in world.context.stored.iter().filter(|stored| stored.metadata.tenant == tenant) {
            let in_force = world.resources.get(&stored.key()).is_some_and(|held| std::ptr::eq(*held, stored));
            for region in named_regions(stored) {
                if in_force && !self.is_region(region) {
                    let message =
                        format!("{} still names the region {region:?}, which is gone", stored.key());
                    self.fail("spec.regions", message);
                }
            }
        }
    }

    /// A list of channels a policy, rule or endpoint names.
    fn channels(&mut self, path: &str, channels: &[String]) {
        for (index, channel) in channels.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if self.channel(&path, channel) && channels[..index].contains(channel) {
                self.fail(&path, format!("channel {channel:?} is listed twice"));
            }
        }
    }

    /// Whether it is a channel, here or elsewhere.
    fn channel(&mut self, path: &str, channel: &str) -> bool {
        let channels = self.world.context.channels;
        let known = || channels.iter().chain(KNOWN_CHANNELS).copied();
        let is_known = known().any(|known| known == channel);
        if !is_known {
            let meant = self.meant(channel, known());
            self.fail_meaning(path, format!("unknown channel {channel:?}"), meant);
        }
        is_known
    }

    /// A list of regions of the tenant's policies.
    fn regions(&mut self, path: &str, regions: &[String]) {
        for (index, region) in regions.iter().enumerate() {
            if !self.is_region(region) {
                self.unknown_region(&format!("{path}[{index}]"), region);
            }
        }
    }

    fn is_region(&self, region: &str) -> bool {
        let regions = self.world.regions.get(self.tenant_name());
        region == "default" || regions.is_some_and(|regions| regions.contains(region))
    }

    fn unknown_region(&mut self, path: &str, region: &str) {
        let regions = self.world.regions.get(self.tenant_name());
        let known = regions.into_iter().flatten().copied().chain(["default"]);
        let meant = self.meant(region, known);
        self.fail_meaning(path, format!("no policy of the tenant has a region {region:?}"), meant);
    }

    fn secret(&mut self, path: &str, secret: &SecretRef) {
        match secret {
            SecretRef::Value(_) if !self.world.context.dev => {
                self.fail(path, "a secret may stand in a resource in development only; use env or file");
            }
            SecretRef::Env(text) | SecretRef::File(text) if text.is_empty() => {
                self.fail(path, "the reference is empty");
            }
            _ => {}
        }
    }

    fn url(&mut self, path: &str, url: &str) {
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = url.chars().all(|character| !character.is_whitespace() && !character.is_control());
        if !plain || host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            self.fail(path, format!("{url:?} is no http or https URL"));
        }
    }
}
