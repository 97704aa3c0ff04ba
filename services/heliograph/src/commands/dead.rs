//! `heliograph dead list|show|replay|discard`.

use clap::{Args, Subcommand};
use heliograph_fabric::dead::{DeadFilter, DeadLetter};
use heliograph_runtime::Settings;

use crate::{admin::letter_on_wire, connect, failure::Usage, output};

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// List dead letters, oldest first
    List(ListArgs),
    /// Show one with its reason, headers and payload
    Show(ShowArgs),
    /// Put dead letters back where they came from
    Replay(PickArgs),
    /// Remove dead letters for good
    Discard(PickArgs),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Only those of a stage: intake, machine, egress, …
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// Only those of a tenant
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Only those of a channel
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Option<String>,
}

impl FilterArgs {
    fn filter(&self) -> DeadFilter<'_> {
        DeadFilter {
            stage: self.stage.as_deref(),
            tenant: self.tenant.as_deref(),
            channel: self.channel.as_deref(),
        }
    }

    fn is_empty(&self) -> bool {
        self.stage.is_none() && self.tenant.is_none() && self.channel.is_none()
    }
}

/// Flags of `dead list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  heliograph dead list
  heliograph dead list --tenant acme --stage egress --json | jq .reason")]
pub struct ListArgs {
    /// Which of them.
    #[command(flatten)]
    pub which: FilterArgs,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// One dead letter a line, as canonical JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `dead show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The number `dead list` shows
    pub sequence: u64,
    /// Print canonical JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `dead replay` and `dead discard`.
#[derive(Debug, Args)]
#[command(
    after_help = "A replayed message keeps its id, so effects that happened already do not happen twice.

Examples:
  heliograph dead replay 17 18
  heliograph dead replay --all --stage egress
  heliograph dead discard --all --tenant acme --dry-run"
)]
pub struct PickArgs {
    /// The numbers `dead list` shows
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub sequences: Vec<u64>,
    /// All that match
    #[arg(long)]
    pub all: bool,
    /// Which of them, with --all.
    #[command(flatten)]
    pub which: FilterArgs,
    /// Say which, do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How many letters `--all` takes at once; a person repeats it for more.
const MOST: usize = 10_000;

/// Runs one of them.
pub async fn run(command: &DeadCommand, settings: &Settings) -> anyhow::Result<()> {
    let admin = connect::admin(settings).await?;
    match command {
        DeadCommand::List(args) => list(args, &admin.dead_letters(&args.which.filter(), args.limit).await?),
        DeadCommand::Show(args) => show(args, &admin.dead_letter(args.sequence).await?),
        DeadCommand::Replay(args) => {
            for sequence in picked(&admin, args).await? {
                if args.dry_run {
                    output::line(&format!("{sequence} would be replayed"))?;
                } else {
                    let subject = admin.replay(sequence).await?;
                    output::line(&format!("{sequence} replayed to {subject}"))?;
                }
            }
            Ok(())
        }
        DeadCommand::Discard(args) => {
            for sequence in picked(&admin, args).await? {
                if !args.dry_run {
                    admin.discard(sequence).await?;
                }
                output::line(&format!(
                    "{sequence} {}",
                    if args.dry_run { "would be discarded" } else { "discarded" }
                ))?;
            }
            Ok(())
        }
    }
}

async fn picked(admin: &crate::admin::Admin, args: &PickArgs) -> anyhow::Result<Vec<u64>> {
    if !args.all {
        if !args.which.is_empty() {
            return Err(Usage("--stage, --tenant and --channel go with --all".to_owned()).into());
        }
        return Ok(args.sequences.clone());
    }
    let letters = admin.dead_letters(&args.which.filter(), MOST).await?;
    if letters.is_empty() {
        output::note("there are none");
    }
    Ok(letters.iter().map(|letter| letter.seq).collect())
}

fn list(args: &ListArgs, letters: &[DeadLetter]) -> anyhow::Result<()> {
    if args.json {
        return letters
            .iter()
            .try_for_each(|letter| output::line(&serde_json::to_string(&letter_on_wire(letter))?));
    }
    if letters.is_empty() {
        output::note("there are no dead letters");
        return Ok(());
    }
    let rows: Vec<[String; 6]> = letters
        .iter()
        .map(|letter| {
            [
                letter.seq.to_string(),
                output::time(letter.buried_ms),
                letter.stage.clone(),
                letter.reason.clone(),
                letter.tries.to_string(),
                letter.subject.clone(),
            ]
        })
        .collect();
    output::table(["SEQ", "BURIED", "STAGE", "REASON", "TRIES", "SUBJECT"], &rows)
}

fn show(args: &ShowArgs, letter: &DeadLetter) -> anyhow::Result<()> {
    let wire = letter_on_wire(letter);
    if args.json {
        return output::line(&serde_json::to_string(&wire)?);
    }
    let mut rows = vec![
        ("sequence", letter.seq.to_string()),
        ("id", wire.id),
        ("stage", wire.stage),
        ("tenant", wire.tenant),
        ("channel", wire.channel),
        ("buried", output::time(letter.buried_ms)),
        ("reason", letter.reason.clone()),
        ("error", letter.error.clone()),
        ("tries", letter.tries.to_string()),
        ("subject", letter.subject.clone()),
        (
            "from",
            format!("{} sequence {} at {}", letter.stream, letter.stream_seq, output::time(letter.time_ms)),
        ),
        ("trace", wire.trace_id),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    for (name, value) in rows {
        output::line(&format!("{name:<9} {value}"))?;
    }
    output::line("headers")?;
    let headers: std::collections::BTreeMap<_, _> = wire.headers.into_iter().collect();
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with("Heliograph-Dead-")) {
        output::line(&format!("  {name}: {value}"))?;
    }
    if wire.payload_json.is_empty() {
        return output::line(&format!(
            "payload   {} bytes that follow no contract",
            letter.record.payload.len()
        ));
    }
    output::line("payload")?;
    let payload: serde_json::Value = serde_json::from_str(&wire.payload_json)?;
    output::json(&payload)
}
