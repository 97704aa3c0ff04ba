//! `heliograph policy history` and `rollback`.

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use heliograph_domain::resources::Spec;
use heliograph_runtime::Settings;

use super::diff::{Side, compare};
use crate::{
    commands::{past, resources::who},
    connect,
    failure::Usage,
    output,
};

/// Flags of `policy history`.
#[derive(Debug, Args)]
#[command(after_help = "The last 64 versions are kept.

Examples:
  heliograph policy history --tenant acme
  heliograph policy diff --tenant acme @2 @3")]
pub struct HistoryArgs {
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The policy's name; the one that counts when not given
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `policy rollback`.
#[derive(Debug, Args)]
#[command(
    after_help = "The old version is applied as a new one, after everything that `apply` checks; nothing of the \
history is lost. What would change is shown first.

Examples:
  heliograph policy rollback --tenant acme --to 3 --dry-run
  heliograph policy rollback --tenant acme --to 3 --yes"
)]
pub struct RollbackArgs {
    /// Whose policy
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: String,
    /// The policy's name; the one that counts when not given
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// The version to bring back
    #[arg(long, value_name = "VERSION")]
    pub to: u64,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Show what would change, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How many conversations to ask about
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub against: usize,
}

/// Prints the versions, the newest first.
pub(super) async fn history(args: &HistoryArgs, settings: &Settings) -> anyhow::Result<()> {
    let admin = connect::admin(settings).await?;
    let steps = admin.policy_history(&args.tenant, args.policy.as_deref()).await?;
    if args.json {
        return output::json(&steps);
    }
    let rows: Vec<[String; 4]> = steps
        .into_iter()
        .map(|step| {
            let version = step.version.map_or_else(|| "-".to_owned(), |version| version.to_string());
            [version, output::time(step.at.as_millisecond()), step.by, step.summary]
        })
        .collect();
    output::table(["VERSION", "APPLIED", "BY", "CHANGES"], &rows)
}

/// Applies an old version as a new one.
pub(super) async fn rollback(args: &RollbackArgs, settings: &Settings) -> anyhow::Result<()> {
    let admin = connect::admin(settings).await?;
    let name = args.policy.as_deref();
    let manifest = admin.rollback(&args.tenant, name, args.to).await?;
    let planned = admin.plan(&[manifest]).await?;
    let calendars = admin.calendars(&args.tenant).await?;
    for planned in &planned {
        let (Some(before), Spec::ChannelPolicy(new)) = (&planned.before, &planned.resource.spec) else {
            continue;
        };
        let Spec::ChannelPolicy(old) = &before.resource.spec else { continue };
        let old = Side::new(format!("version {}", before.version), old.clone(), &calendars)?;
        let new = Side::new(format!("version {}", args.to), new.clone(), &calendars)?;
        if !compare(&old, &new, None, false)? {
            return Ok(());
        }
    }
    let replays = past::foreseen(&admin, &planned, args.against).await;
    past::print(&replays, args.dry_run)?;
    if args.dry_run {
        return Ok(());
    }
    if !args.yes && !agreed(args)? {
        output::note("nothing was changed");
        return Ok(());
    }
    for changed in admin.carry_out(planned, false, &who()).await? {
        let (key, tenant, version) = (&changed.key, &changed.key.tenant, changed.version);
        output::line(&format!("{key} ({tenant}) is as in version {} again, as version {version}", args.to))?;
    }
    Ok(())
}

/// Asks the person at the terminal.
fn agreed(args: &RollbackArgs) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Usage("nobody is there to ask; say --yes, or --dry-run".to_owned()).into());
    }
    output::note(&format!("apply version {} of {}'s policy again? [y/N]", args.to, args.tenant));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
