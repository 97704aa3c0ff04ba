//! `heliograph channels`: what each channel can do.

use clap::Args;

use crate::{abilities, channels, failure::Usage, output};

/// Flags of `channels`.
#[derive(Debug, Args)]
#[command(after_help = "No broker is needed: what is printed is worked out from the code.

Examples:
  heliograph channels                               all of them, a line each
  heliograph channels whatsapp                      one of them, whole
  heliograph channels --json | jq '.[] | select(.idempotent) | .channel'")]
pub struct ChannelsArgs {
    /// One channel, with all there is to say about it
    #[arg(value_name = "CHANNEL")]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the page of the documentation
    #[arg(long)]
    pub markdown: bool,
}

/// Prints what was asked for.
pub fn run(args: &ChannelsArgs) -> anyhow::Result<()> {
    let known = channels::names();
    if let Some(name) = args.name.as_deref().filter(|name| !known.contains(name)) {
        return Err(Usage(format!("there is no channel {name:?}; there are {}", known.join(", "))).into());
    }
    let all = abilities::all(args.name.as_deref());
    if args.json {
        return output::json(&all);
    }
    if args.markdown {
        return output::line(abilities::page(&all).trim_end());
    }
    if let (Some(_), [one]) = (&args.name, all.as_slice()) {
        whole(one)
    } else {
        let row = |channel: &abilities::Ability| {
            let native = channel.sends.iter().filter(|sending| sending.native);
            let native: Vec<&str> = native.map(|sending| sending.kind).collect();
            [channel.channel.to_owned(), channel.about.to_owned(), native.join(", ")]
        };
        output::table(["CHANNEL", "WHAT", "SENDS AS IT IS"], &all.iter().map(row).collect::<Vec<_>>())
    }
}

fn whole(channel: &abilities::Ability) -> anyhow::Result<()> {
    output::line(&format!("{}: {}\n", channel.channel, channel.about))?;
    let rows: Vec<[String; 3]> = channel
        .sends
        .iter()
        .map(|sending| [sending.kind.to_owned(), sending.how.clone(), sending.reasons.join(", ")])
        .collect();
    output::table(["SENT", "HOW", "REASON"], &rows)?;
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for (label, text) in [
        ("receives", channel.receives.join(", ")),
        ("signals", channel.signals.join(", ")),
        ("receipts", channel.receipts.join(", ")),
        ("limits", channel.limits.join("; ")),
        ("resend after an unknown outcome", yes(channel.idempotent)),
        ("business may write first", yes(channel.business_initiated)),
    ] {
        if !text.is_empty() {
            output::line(&format!("\n{label}: {text}"))?;
        }
    }
    Ok(())
}
