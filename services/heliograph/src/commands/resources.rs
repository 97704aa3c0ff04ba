//! `heliograph apply`, `get`, `diff` and `delete`.

use std::{io::Read as _, path::Path};

use anyhow::Context as _;
use clap::Args;
use heliograph_domain::resources::{Kind, Problems, ResourceKey, Stored, parse};
use heliograph_runtime::Settings;
use serde_json::{Value, json};

use super::past;
use crate::{
    admin::{Action, Admin, AdminError, Changed, Manifest, Planned, Replay, masked, shown},
    connect,
    failure::Usage,
    output::{self, Format},
};

/// Flags of `apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "All files are checked together, against each other and what is in force, before anything \
is written. A problem is shown as file:line:column: resource: field: what is wrong; exit code 65.
A policy that changes is asked about the tenant's newest conversations: how many it decides differently, and with \
--dry-run which.

Examples:
  heliograph apply -f acme.yaml
  heliograph apply -f policy.yaml -f queues.yaml --dry-run
  heliograph apply -f policy.yaml --dry-run --against 1000
  cat acme.yaml | heliograph apply -f -"
)]
pub struct ApplyArgs {
    /// A file of resources (YAML or JSON), or - for standard input
    #[arg(short, long = "file", value_name = "FILE", required = true, num_args = 1..)]
    pub files: Vec<String>,
    /// Check and compare, write nothing; for a policy, list the conversations that it would decide differently
    #[arg(long)]
    pub dry_run: bool,
    /// How many of a tenant's newest conversations a changed policy is asked about; 0 asks about none
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub against: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  heliograph diff -f acme.yaml
  heliograph diff -f acme.yaml --exit-code || echo there are differences")]
pub struct DiffArgs {
    /// A file of resources (YAML or JSON), or - for standard input
    #[arg(short, long = "file", value_name = "FILE", required = true, num_args = 1..)]
    pub files: Vec<String>,
    /// Exit with 1 when there are differences
    #[arg(long)]
    pub exit_code: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `get`.
#[derive(Debug, Args)]
#[command(
    after_help = "Kinds: Tenant, ChannelAccount (account), ChannelPolicy (policy), Queue, RoutingRule \
(rule), Agent, WebhookEndpoint (webhook), Calendar, or all; in any case, singular or plural.

Examples:
  heliograph get queues
  heliograph get policy default --tenant acme -o yaml
  heliograph get all --tenant acme -o yaml > acme.yaml"
)]
pub struct GetArgs {
    /// What kind of resource, or all
    pub kind: String,
    /// Its name; all of the kind when not given
    pub name: Option<String>,
    /// Whose resources; everybody's when not given
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Show secrets that stand in resources of a development fleet
    #[arg(long)]
    pub show_secrets: bool,
}

/// Flags of `delete`.
#[derive(Debug, Args)]
#[command(
    after_help = "Refused while another resource refers to it. The history of a deleted resource stays.

Examples:
  heliograph delete queue sales --tenant acme
  heliograph delete account acme-us --tenant acme --dry-run"
)]
pub struct DeleteArgs {
    /// What kind of resource
    pub kind: String,
    /// Its name
    pub name: String,
    /// Whose resource
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Say what would be deleted, delete nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Puts resources in force.
pub async fn apply(args: &ApplyArgs, settings: &Settings) -> anyhow::Result<()> {
    let manifests = read(&args.files)?;
    let admin = connect::admin(settings).await?;
    let planned = admin.plan(&manifests).await?;
    let replays = past::foreseen(&admin, &planned, args.against).await;
    let changes = admin.carry_out(planned, args.dry_run, &who()).await?;
    if args.json {
        return output::json(&changes.iter().map(|change| applied(change, &replays)).collect::<Vec<_>>());
    }
    for change in &changes {
        let (key, tenant) = (&change.key, &change.key.tenant);
        let action = shown_action(change.action);
        output::line(&format!("{key} ({tenant}) {action}{}", if args.dry_run { " (dry run)" } else { "" }))?;
        if change.action == Action::Updated {
            print_fields(change)?;
        }
    }
    past::print(&replays, args.dry_run)
}

/// A change and, for a policy, what it says of the tenant's newest conversations.
fn applied(change: &Changed, replays: &[Replay]) -> Value {
    let mut json = as_json(change);
    let replay = replays
        .iter()
        .find(|replay| change.key.kind == Kind::ChannelPolicy && replay.tenant == change.key.tenant);
    if let (Some(replay), Some(object)) = (replay, json.as_object_mut()) {
        object.insert("replay".to_owned(), serde_json::to_value(replay).unwrap_or_default());
    }
    json
}

/// Prints what applying would change.
pub async fn diff(args: &DiffArgs, settings: &Settings) -> anyhow::Result<u8> {
    let manifests = read(&args.files)?;
    let admin = connect::admin(settings).await?;
    let changes: Vec<Changed> = admin
        .plan(&manifests)
        .await?
        .iter()
        .map(Planned::changed)
        .filter(|change| change.action != Action::Unchanged)
        .collect();
    if args.json {
        output::json(&changes.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        for change in &changes {
            output::line(&format!("{} ({}) {}", change.key, change.key.tenant, would(change.action)))?;
            print_fields(change)?;
        }
    }
    if changes.is_empty() {
        output::note("no differences");
    }
    Ok(u8::from(args.exit_code && !changes.is_empty()))
}

/// Shows resources.
pub async fn get(args: &GetArgs, settings: &Settings) -> anyhow::Result<()> {
    let kind = kind_or_all(&args.kind)?;
    if kind.is_none() && args.name.is_some() {
        return Err(Usage("`all` has no name; give the kind".to_owned()).into());
    }
    let admin = connect::admin(settings).await?;
    let mut found = admin.list(args.tenant.as_deref(), kind).await?;
    if let (Some(name), Some(kind)) = (&args.name, kind) {
        found.retain(|stored| stored.resource.metadata.name == *name);
        if found.is_empty() {
            let tenant = args.tenant.clone().unwrap_or_else(|| "any".to_owned());
            return Err(AdminError::NotFound(ResourceKey { tenant, kind, name: name.clone() }).into());
        }
    }
    let shown = |stored: &Stored| {
        let json = stored.resource.to_json();
        if args.show_secrets { json } else { masked(json) }
    };
    match args.output {
        Format::Table => table(&found),
        Format::Yaml => output::yaml(&found.iter().map(shown).collect::<Vec<_>>()),
        Format::Json => match (&args.name, found.as_slice()) {
            (Some(_), [only]) => output::json(&shown(only)),
            _ => output::json(&found.iter().map(shown).collect::<Vec<_>>()),
        },
    }
}

/// Deletes a resource.
pub async fn delete(args: &DeleteArgs, settings: &Settings) -> anyhow::Result<()> {
    let Some(kind) = kind_or_all(&args.kind)? else {
        return Err(Usage("deleting everything at once is not offered; give the kind".to_owned()).into());
    };
    let admin = connect::admin(settings).await?;
    let tenant = match &args.tenant {
        Some(tenant) => tenant.clone(),
        None => owner(&admin, kind, &args.name).await?,
    };
    let key = ResourceKey { tenant, kind, name: args.name.clone() };
    let changed = admin.delete(&key, args.dry_run).await?;
    let dry = if args.dry_run { " (dry run)" } else { "" };
    output::line(&format!("{} ({}) deleted{dry}", changed.key, changed.key.tenant))
}

/// Whose resource this is, where the name leaves no doubt.
async fn owner(admin: &Admin, kind: Kind, name: &str) -> anyhow::Result<String> {
    if kind == Kind::Tenant {
        return Ok(name.to_owned());
    }
    let found = admin.list(None, Some(kind)).await?;
    let mut owners = found.iter().map(|stored| stored.resource.key()).filter(|key| key.name == name);
    match (owners.next(), owners.next()) {
        (Some(only), None) => Ok(only.tenant),
        (None, _) => {
            Err(AdminError::NotFound(ResourceKey { tenant: "any".to_owned(), kind, name: name.to_owned() })
                .into())
        }
        (Some(_), Some(_)) => {
            Err(Usage(format!("several tenants have a {kind} {name:?}; say whose with --tenant")).into())
        }
    }
}

/// Reads the files that were named; `-` is standard input.
pub fn read(files: &[String]) -> anyhow::Result<Vec<Manifest>> {
    let read = |file: &String| {
        let text = if file == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(Path::new(file))
        };
        match text {
            Ok(text) => {
                Ok(Manifest { file: if file == "-" { "stdin".to_owned() } else { file.clone() }, text })
            }
            Err(error) => Err(Usage(format!("cannot read {file}: {error}"))).context("nothing was applied"),
        }
    };
    let manifests = files.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    // What cannot be read is said before a broker is asked for.
    let problems = manifests
        .iter()
        .filter_map(|manifest| parse(&manifest.file, &manifest.text).err())
        .flat_map(|Problems(problems)| problems)
        .collect::<Vec<_>>();
    if problems.is_empty() { Ok(manifests) } else { Err(Problems(problems).into()) }
}

/// Who applies, for the history: the person's login.
pub(super) fn who() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "heliograph-cli".to_owned())
}

/// A kind as people type it; none for `all`.
fn kind_or_all(text: &str) -> Result<Option<Kind>, Usage> {
    let lower = text.to_ascii_lowercase();
    if lower == "all" {
        return Ok(None);
    }
    let singular = lower
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| lower.strip_suffix('s').map(str::to_owned))
        .unwrap_or(lower);
    let full = match singular.as_str() {
        "account" => "channelaccount",
        "policy" => "channelpolicy",
        "rule" => "routingrule",
        "webhook" | "endpoint" => "webhookendpoint",
        other => other,
    };
    full.parse().map(Some).map_err(|_| {
        let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
        Usage(format!("there is no kind {text:?}; kinds are {} and all", kinds.join(", ")))
    })
}

fn table(found: &[Stored]) -> anyhow::Result<()> {
    let rows: Vec<[String; 6]> = found
        .iter()
        .map(|stored| {
            let key = stored.resource.key();
            [
                key.tenant,
                key.kind.to_string(),
                key.name,
                stored.version.to_string(),
                output::time(stored.applied_at.as_millisecond()),
                stored.applied_by.clone(),
            ]
        })
        .collect();
    output::table(["TENANT", "KIND", "NAME", "VERSION", "APPLIED", "BY"], &rows)
}

fn print_fields(change: &Changed) -> anyhow::Result<()> {
    for field in &change.fields {
        if let (None, Some(Value::Object(fields))) = (&field.old, &field.new) {
            for (name, value) in fields {
                output::line(&format!("  + {}.{name}: {value}", field.path))?;
            }
            continue;
        }
        let (old, new) = (shown(field.old.as_ref()), shown(field.new.as_ref()));
        output::line(&format!("  ~ {}: {old} → {new}", field.path))?;
    }
    Ok(())
}

fn as_json(change: &Changed) -> Value {
    let key = &change.key;
    json!({
        "tenant": key.tenant, "kind": key.kind, "name": key.name,
        "action": change.action, "version": change.version, "fields": change.fields,
    })
}

fn shown_action(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unchanged => "unchanged",
        Action::Deleted => "deleted",
    }
}

fn would(action: Action) -> &'static str {
    match action {
        Action::Created => "would be created",
        Action::Updated => "would be updated",
        Action::Unchanged => "would stay",
        Action::Deleted => "would be deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_people_type_them() {
        for (typed, kind) in [
            ("queues", Kind::Queue),
            ("policies", Kind::ChannelPolicy),
            ("ChannelAccount", Kind::ChannelAccount),
            ("rules", Kind::RoutingRule),
            ("webhooks", Kind::WebhookEndpoint),
        ] {
            assert!(matches!(kind_or_all(typed), Ok(Some(found)) if found == kind), "{typed}");
        }
        assert!(matches!(kind_or_all("all"), Ok(None)));
        assert!(kind_or_all("quests").is_err_and(|error| error.0.contains("Queue")));
    }
}
