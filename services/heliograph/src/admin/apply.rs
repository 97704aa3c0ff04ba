//! From files to resources in force: read, check, compare, write.

use heliograph_domain::resources::{
    Change, Context, Document, Kind, Problem, Problems, Resource, ResourceKey, Spec, Stored, diff, parse,
    validate,
};
use heliograph_policy::{Calendars, Fault};
use heliograph_store::resources::{Expect, Outcome};
use serde::Serialize;
use serde_json::Value;

use super::{Admin, AdminError, Rules};
use crate::{accounts, channels};

/// A file of resources.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its name, for problems.
    pub file: String,
    /// Its text: YAML documents or JSON.
    pub text: String,
}

/// What became of a resource, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Created,
    /// It says something else.
    Updated,
    /// It says the same.
    Unchanged,
    /// It is gone.
    Deleted,
}

/// One resource and what became of it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Which resource.
    pub key: ResourceKey,
    /// What became of it.
    pub action: Action,
    /// The version it has now; the one it would have had without the change, in a dry run.
    pub version: u64,
    /// The fields that differ, secrets masked.
    pub fields: Vec<Change>,
    /// The resource as it stands; none in a dry run that would create it.
    pub stored: Option<Stored>,
}

/// A resource that was checked and is to be written.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The resource.
    pub resource: Resource,
    /// What is in force in its place.
    pub before: Option<Stored>,
}

impl Planned {
    /// What writing it would do.
    pub fn changed(&self) -> Changed {
        let key = self.resource.key();
        let (action, fields) = match &self.before {
            None => (Action::Created, created(&self.resource)),
            Some(before) => match diff(&before.resource, &self.resource) {
                same if same.is_empty() => (Action::Unchanged, same),
                fields => (Action::Updated, fields),
            },
        };
        let version = self.before.as_ref().map_or(0, |before| before.version);
        Changed { key, action, version, fields, stored: self.before.clone() }
    }
}

/// A new resource as one change of its spec.
fn created(resource: &Resource) -> Vec<Change> {
    let json = super::masked(resource.to_json());
    vec![Change { path: "spec".to_owned(), old: None, new: json.get("spec").cloned() }]
}

impl Admin {
    /// Reads and checks files against each other and what is in force. Nothing is written.
    pub async fn plan(&self, manifests: &[Manifest]) -> Result<Vec<Planned>, AdminError> {
        let stored = self.list(None, None).await?;
        let in_force: Vec<Resource> = stored.iter().map(|stored| stored.resource.clone()).collect();
        let documents = check(manifests, &in_force, &self.rules)?;
        let mut planned: Vec<Planned> = documents
            .into_iter()
            .map(|document| {
                let before = stored.iter().find(|stored| stored.resource.key() == document.resource.key());
                Planned { resource: document.resource, before: before.cloned() }
            })
            .collect();
        // What others refer to is written first, so that a watcher never sees a reference to nothing.
        planned.sort_by_key(|planned| Kind::ALL.iter().position(|kind| *kind == planned.resource.kind()));
        Ok(planned)
    }

    /// Applies files. What was checked together is written one after another; each write fails when somebody else
    /// changed the resource since it was checked.
    pub async fn apply(
        &self,
        manifests: &[Manifest],
        dry_run: bool,
        by: &str,
    ) -> Result<Vec<Changed>, AdminError> {
        self.carry_out(self.plan(manifests).await?, dry_run, by).await
    }

    /// Writes what was planned.
    pub async fn carry_out(
        &self,
        planned: Vec<Planned>,
        dry_run: bool,
        by: &str,
    ) -> Result<Vec<Changed>, AdminError> {
        let mut changes = Vec::with_capacity(planned.len());
        for planned in planned {
            let mut changed = planned.changed();
            if !dry_run && changed.action != Action::Unchanged {
                let expect =
                    planned.before.as_ref().map_or(Expect::Absent, |before| Expect::Version(before.version));
                let now = jiff::Timestamp::now();
                let applied = self.resources.apply(&planned.resource, expect, by, now).await?;
                changed.action = match applied.outcome {
                    Outcome::Created => Action::Created,
                    Outcome::Updated => Action::Updated,
                    Outcome::Unchanged => Action::Unchanged,
                };
                changed.version = applied.version;
                changed.stored = Some(Stored {
                    resource: planned.resource,
                    version: applied.version,
                    applied_by: by.to_owned(),
                    applied_at: now,
                });
            }
            changes.push(changed);
        }
        Ok(changes)
    }

    /// Points stored accounts that an earlier development fleet pointed at its sandbox at this one.
    pub async fn refill(&self, by: &str) -> Result<(), AdminError> {
        let Some(sandbox) = &self.rules.sandbox else { return Ok(()) };
        for stored in self.list(None, Some(Kind::ChannelAccount)).await? {
            let mut resource = stored.resource.clone();
            if resource.metadata.labels.contains_key(super::FILLED) {
                sandbox.fill(&mut resource);
                let expect = Expect::Version(stored.version);
                self.resources.apply(&resource, expect, by, jiff::Timestamp::now()).await?;
            }
        }
        Ok(())
    }
}

/// Reads files: their form alone is checked.
pub(crate) fn read(manifests: &[Manifest], rules: &Rules) -> Result<Vec<Document>, AdminError> {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for Manifest { file, text } in manifests {
        match parse(file, text) {
            Ok(found) => documents.extend(found),
            Err(found) => problems.extend(found.0),
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    if documents.is_empty() {
        return Err(AdminError::Empty);
    }
    if let Some(sandbox) = &rules.sandbox {
        for document in &mut documents {
            sandbox.fill(&mut document.resource);
        }
    }
    Ok(documents)
}

/// Reads files and checks them: form, neighbours, and what each account's channel and the policy's compiler say.
pub(crate) fn check(
    manifests: &[Manifest],
    in_force: &[Resource],
    rules: &Rules,
) -> Result<Vec<Document>, AdminError> {
    let documents = read(manifests, rules)?;
    let mut names = channels::names();
    names.extend(rules.channels.iter().map(String::as_str).filter(|name| channels::find(name).is_none()));
    let context = Context { channels: &names, stored: in_force, dev: rules.inline_secrets };
    let mut problems = validate(&documents, &context).err().map_or_else(Vec::new, |found| found.0);
    let closer = documents.iter().flat_map(|document| {
        channel_problem(document)
            .into_iter()
            .chain(policy_problems(document, &documents, in_force))
            .chain(routing_problems(document))
    });
    // What is wrong with the form of a field is said once, however many look at the field.
    let known: Vec<_> = problems.iter().map(place).collect();
    let closer: Vec<Problem> = closer.filter(|problem| !known.contains(&place(problem))).collect();
    problems.extend(closer);
    let file = |problem: &Problem| manifests.iter().position(|manifest| manifest.file == problem.file);
    problems.sort_by_key(|problem| (file(problem), problem.line, problem.column));
    if problems.is_empty() { Ok(documents) } else { Err(Problems(problems).into()) }
}

/// The field that a problem is about.
fn place(problem: &Problem) -> (String, String, String) {
    let Problem { file, resource, path, .. } = problem;
    (file.clone(), resource.clone(), path.clone())
}

/// What is wrong with a policy beyond its form: its conditions, its calendars, what it names twice.
fn policy_problems(document: &Document, documents: &[Document], in_force: &[Resource]) -> Vec<Problem> {
    let Spec::ChannelPolicy(spec) = &document.resource.spec else { return Vec::new() };
    let tenant = &document.resource.metadata.tenant;
    let applied = documents.iter().map(|document| &document.resource);
    let calendars: Calendars = in_force
        .iter()
        .chain(applied)
        .filter(|resource| resource.metadata.tenant == *tenant)
        .filter_map(|resource| match &resource.spec {
            Spec::Calendar(calendar) => Some((resource.metadata.name.clone(), calendar.clone())),
            _ => None,
        })
        .collect();
    let faults = heliograph_policy::check(spec, &calendars);
    faults.into_iter().map(|fault| at_fault(document, fault)).collect()
}

/// Checks the conditions of routing rules that are read and not applied.
///
/// # Errors
/// All problems, in the order of the documents.
pub(crate) fn check_routing(documents: &[Document]) -> Result<(), AdminError> {
    let problems: Vec<Problem> = documents.iter().flat_map(routing_problems).collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems).into()) }
}

/// What is wrong with a routing rule beyond its form: its condition.
fn routing_problems(document: &Document) -> Vec<Problem> {
    let Spec::RoutingRule(spec) = &document.resource.spec else { return Vec::new() };
    heliograph_routing::check(spec).into_iter().map(|fault| at_fault(document, fault)).collect()
}

fn at_fault(document: &Document, fault: Fault) -> Problem {
    let mut problem = document.problem(&fault.path, fault.message);
    problem.suggestion = fault.suggestion;
    problem
}

/// What the account's channel has against it. Secrets that are not here, because they are for another machine, are
/// not held against it.
fn channel_problem(document: &Document) -> Option<Problem> {
    let Spec::ChannelAccount(spec) = &document.resource.spec else { return None };
    let channel = channels::find(&spec.channel)?;
    let (raw, complete) = match accounts::raw_account(&document.resource, spec) {
        Ok(found) => found,
        Err(error) => return Some(document.problem(&error.field, error.problem)),
    };
    let error = (channel.check)(&raw).err()?;
    if !complete && error.field.starts_with("spec.secrets.") {
        return None;
    }
    Some(document.problem(&error.field, error.problem))
}

/// A value as a person reads it in a difference.
pub(crate) fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Manifest, Rules, check};

    #[test]
    fn everything_wrong_is_said_at_once_and_once() {
        let text = "\
apiVersion: heliograph.dev/v1
kind: Tenant
metadata: { tenant: acme, name: acme }
spec: { display_name: Acme }
---
apiVersion: heliograph.dev/v1
kind: ChannelPolicy
metadata: { tenant: acme, name: default }
spec:
  regions:
    - { name: eu, countries: [UK, \"union:none\"], channels: [smss] }
    - { name: eu, countries: [US], channels: [sms] }
  default: { channels: [sms], time_zone: Europe/Nowhere }
  rules:
    - { name: a, match: { countries: [UX] }, when: windo.open, then: deny }
    - { name: b, then: { hours: nope } }
---
apiVersion: heliograph.dev/v1
kind: Queue
metadata: { tenant: acme, name: support }
spec: { display_name: Support, hours: nope }
---
apiVersion: heliograph.dev/v1
kind: RoutingRule
metadata: { tenant: acme, name: vip }
spec: { queue: suport, when: contact.vip }
---
apiVersion: heliograph.dev/v1
kind: RoutingRule
metadata: { tenant: acme, name: all }
spec: { queue: support, when: \"\" }
";
        let manifest = Manifest { file: "acme.yaml".to_owned(), text: text.to_owned() };
        let said = check(&[manifest], &[], &Rules::default()).unwrap_err().to_string();
        let places: Vec<&str> = said.lines().filter_map(|line| line.split(": ").nth(2)).collect();
        assert_eq!(
            places,
            [
                "spec.regions[0].countries[0]",
                "spec.regions[0].countries[1]",
                "spec.regions[0].channels[0]",
                "spec.regions[1].name",
                "spec.default.time_zone",
                "spec.rules[0].match.countries[0]",
                "spec.rules[0].when",
                "spec.rules[1].then.hours",
                "spec.hours",
                "spec.queue",
                "spec.when",
                "spec.when",
            ],
            "{said}"
        );
    }
}
