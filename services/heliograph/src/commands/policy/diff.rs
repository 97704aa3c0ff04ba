//! `heliograph policy diff`.

use clap::Args;
use heliograph_domain::resources::{ChannelPolicySpec, Spec, parse};
use heliograph_policy::{Calendars, CompiledPolicy};
use heliograph_runtime::Settings;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    admin::{Admin, AdminError, policy_fields, shifts, shown},
    commands::resources,
    connect,
    failure::Usage,
    output,
};

/// Flags of `policy diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "A side is a file, or a version of the policy as @3; @ alone is the one in force. One side is \
compared with the one in force. Every country, channel, class and direction is asked of both, for customers who agreed \
to be written to and of whom nothing else is known.

Examples:
  heliograph policy diff --tenant acme acme.yaml
  heliograph policy diff --tenant acme @3 @
  heliograph policy diff --tenant acme old.yaml new.yaml --at 2026-03-08T03:30:00Z"
)]
pub struct DiffArgs {
    /// What it was: a file or @version
    #[arg(value_name = "OLD")]
    pub one: String,
    /// What it is: a file or @version
    #[arg(value_name = "NEW")]
    pub other: Option<String>,
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The policy's name; the one that counts when not given
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// The moment to ask about, for quiet hours and calendars; now when not given
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// Exit with 1 when there are differences
    #[arg(long)]
    pub exit_code: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One side of the comparison.
pub(super) struct Side {
    label: String,
    pub(super) spec: ChannelPolicySpec,
    policy: CompiledPolicy,
}

impl Side {
    pub(super) fn new(
        label: String,
        spec: ChannelPolicySpec,
        calendars: &Calendars,
    ) -> Result<Self, AdminError> {
        let policy = CompiledPolicy::compile(&label, 0, &spec, calendars)?;
        Ok(Self { label, spec, policy })
    }
}

/// Prints the differences; 1 with `--exit-code` when there are some.
pub(super) async fn run(args: &DiffArgs, settings: &Settings) -> anyhow::Result<u8> {
    let (old, new) = match &args.other {
        Some(other) => (args.one.as_str(), other.as_str()),
        None => ("@", args.one.as_str()),
    };
    let stored = [old, new].iter().any(|side| side.starts_with('@'));
    // Two files are compared without a broker.
    let admin = if stored { Some(connect::admin(settings).await?) } else { None };
    let (old, new) = (side(args, old, admin.as_ref()).await?, side(args, new, admin.as_ref()).await?);
    let found = compare(&old, &new, args.at, args.json)?;
    Ok(u8::from(args.exit_code && found))
}

/// Prints what differs; whether anything does.
pub(super) fn compare(old: &Side, new: &Side, at: Option<Timestamp>, as_json: bool) -> anyhow::Result<bool> {
    let fields = policy_fields(&old.spec, &new.spec);
    let shifts = shifts(&old.policy, &new.policy, at.unwrap_or_else(Timestamp::now));
    if as_json {
        output::json(&json!({
            "old": old.label, "new": new.label, "fields": fields, "verdicts": shifts,
        }))?;
    } else {
        for field in &fields {
            match (&field.old, &field.new) {
                (None, new) => output::line(&format!("+ {}: {}", field.path, shown(new.as_ref())))?,
                (old, None) => output::line(&format!("- {}: {}", field.path, shown(old.as_ref())))?,
                (old, new) => {
                    let (old, new) = (shown(old.as_ref()), shown(new.as_ref()));
                    output::line(&format!("~ {}: {old} → {new}", field.path))?;
                }
            }
        }
        for shift in &shifts {
            output::line(&format!("  {shift}"))?;
        }
        if fields.is_empty() && shifts.is_empty() {
            output::note(&format!("{} and {} say the same", old.label, new.label));
        } else if shifts.is_empty() {
            output::note("no country, channel or class is decided differently at this moment");
        }
    }
    Ok(!fields.is_empty() || !shifts.is_empty())
}

async fn side(args: &DiffArgs, named: &str, admin: Option<&Admin>) -> anyhow::Result<Side> {
    let name = args.policy.as_deref();
    let mut calendars = match admin {
        Some(admin) => admin.calendars(&args.tenant).await?,
        None => Calendars::new(),
    };
    if let (Some(version), Some(admin)) = (named.strip_prefix('@'), admin) {
        let stored = if version.is_empty() {
            admin.policy(&args.tenant, name).await?
        } else {
            let version = version.parse().map_err(|_| {
                Usage(format!("{named:?} is no version; write @3, or @ for the one in force"))
            })?;
            admin.policy_version(&args.tenant, name, version).await?
        };
        let Spec::ChannelPolicy(spec) = stored.resource.spec else { unreachable!("only policies are read") };
        return Ok(Side::new(format!("version {}", stored.version), spec, &calendars)?);
    }
    let manifests = resources::read(&[named.to_owned()])?;
    let mut policies = Vec::new();
    for manifest in &manifests {
        for document in parse(&manifest.file, &manifest.text).map_err(AdminError::from)? {
            let metadata = document.resource.metadata;
            if metadata.tenant != args.tenant {
                continue;
            }
            match document.resource.spec {
                Spec::ChannelPolicy(spec) => policies.push((metadata.name, spec)),
                Spec::Calendar(spec) => drop(calendars.insert(metadata.name, spec)),
                _ => {}
            }
        }
    }
    let wanted = name.unwrap_or("default");
    let place = policies.iter().position(|(found, _)| found == wanted);
    let place = place.or_else(|| (name.is_none() && !policies.is_empty()).then_some(0));
    let Some(place) = place else {
        return Err(Usage(format!("there is no ChannelPolicy of {} in {named}", args.tenant)).into());
    };
    let (_, spec) = policies.swap_remove(place);
    Ok(Side::new(named.to_owned(), spec, &calendars)?)
}
