//! `heliograph tail`.

use std::{fmt::Write as _, str::FromStr};

use clap::Args;
use heliograph_domain::content;
use heliograph_fabric::{Fabric, LogReader, RangeReader, Record, Start, Stream, subjects::EventFilter};
use heliograph_proto::v1::{self, event::Payload};
use heliograph_runtime::Settings;

use crate::{connect, decode, failure::Usage, output};

/// Flags of `tail`.
#[derive(Debug, Args)]
#[command(
    after_help = "Subjects: hg.event.<tenant>.<region>.<channel>.<conversation>.<type>, where the type is \
two tokens (message.received). A filter on hg.inbound, hg.routing or hg.outbound reads those streams.

Examples:
  heliograph tail
  heliograph tail --json --from start --filter 'hg.event.acme.*.sms.>'
  heliograph tail --type message.received --limit 1 --json
  heliograph tail --from start --no-follow | wc -l"
)]
pub struct TailArgs {
    /// One event a line, as canonical JSON
    #[arg(long)]
    pub json: bool,
    /// Where to begin: start, now, or a sequence number of the stream
    #[arg(long, value_name = "start|now|SEQ", default_value = "now")]
    pub from: From,
    /// End after so many events
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only subjects that match; NATS wildcards * and > are allowed
    #[arg(long, value_name = "SUBJECT", conflicts_with_all = ["tenant", "channel", "conversation", "kind"])]
    pub filter: Option<String>,
    /// Only events of a tenant
    #[arg(short, long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Only events of a channel
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Only events of a conversation
    #[arg(long, value_name = "ID")]
    pub conversation: Option<String>,
    /// Only events of a type, such as message.received
    #[arg(long = "type", value_name = "TYPE", id = "kind")]
    pub kind: Option<String>,
    /// End at the end of what is there, instead of waiting for more
    #[arg(long)]
    pub no_follow: bool,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the oldest.
    Start,
    /// With what comes next.
    Now,
    /// With this sequence.
    Sequence(u64),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            number => number
                .parse()
                .map(Self::Sequence)
                .map_err(|_| "expected start, now or a sequence number".to_owned()),
        }
    }
}

/// Prints events until the limit, the end, or Ctrl-C.
pub async fn run(args: &TailArgs, settings: &Settings) -> anyhow::Result<()> {
    let filter = filter(args)?;
    let stream = Stream::of_subject(&filter).filter(|stream| *stream != Stream::Dead).ok_or_else(|| {
        Usage(format!("{filter:?} is on no stream; begin with hg.event, hg.inbound, hg.routing or hg.outbound (dead letters: `heliograph dead list`)"))
    })?;
    let fabric = connect::command_fabric(settings).await?;
    tokio::select! {
        outcome = print(args, &fabric, stream, &filter) => outcome,
        // Ctrl-C is how a person ends this.
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn filter(args: &TailArgs) -> Result<String, Usage> {
    if let Some(filter) = &args.filter {
        return Ok(filter.clone());
    }
    let Some(tenant) = &args.tenant else {
        let token = |token: &Option<String>| token.clone().unwrap_or_else(|| "*".to_owned());
        let kind = args.kind.clone().unwrap_or_else(|| ">".to_owned());
        return Ok(format!("hg.event.*.*.{}.{}.{kind}", token(&args.channel), token(&args.conversation)));
    };
    let filter = EventFilter {
        tenant,
        region: None,
        channel: args.channel.as_deref(),
        conversation: args.conversation.as_deref(),
        kind: args.kind.as_deref(),
    };
    filter.subject().map_err(|error| Usage(error.to_string()))
}

async fn print(args: &TailArgs, fabric: &Fabric, stream: Stream, filter: &str) -> anyhow::Result<()> {
    let mut left = args.limit.unwrap_or(u64::MAX);
    if args.no_follow {
        let after = match args.from {
            From::Start => 0,
            From::Sequence(sequence) => sequence.saturating_sub(1),
            From::Now => return Ok(()),
        };
        let mut range = RangeReader::open(fabric, stream, [filter], after).await?;
        while left > 0
            && let Some(record) = range.next().await?
        {
            left -= u64::from(show(args, &record)?);
        }
        return Ok(());
    }
    let start = match args.from {
        From::Start => Start::After(0),
        From::Sequence(sequence) => Start::After(sequence.saturating_sub(1)),
        From::Now => Start::New,
    };
    let mut reader = LogReader::open(fabric, stream, [filter], start).await?;
    while left > 0 {
        let record = reader.next().await?;
        left -= u64::from(show(args, &record)?);
    }
    Ok(())
}

/// Prints one record; whether it was one of ours.
fn show(args: &TailArgs, record: &Record) -> anyhow::Result<bool> {
    let Some(json) = decode::json(&record.subject, record.payload.clone()) else {
        output::note(&format!("{} {}: not a message of ours, passed over", record.seq, record.subject));
        return Ok(false);
    };
    if args.json {
        output::line(&json)?;
        return Ok(true);
    }
    let event = decode::event(&record.subject, record.payload.clone());
    output::line(&event.map_or_else(
        || format!("{} {} {json}", record.seq, record.subject),
        |event| readable(record, &event),
    ))?;
    Ok(true)
}

/// One event as a person reads it.
fn readable(record: &Record, event: &v1::Event) -> String {
    let mut line =
        format!("{:>6} {} {} {:<22}", record.seq, output::time(record.time_ms), event.tenant, event.r#type);
    for part in [&event.region, &event.channel, &event.conversation] {
        if !part.is_empty() && part != "none" {
            line.push(' ');
            line.push_str(part);
        }
    }
    let said = |message: &Option<v1::Message>| {
        let message = message.as_ref()?;
        let text = message.content.as_ref().map(content::preview).unwrap_or_default();
        let who = match (&message.sender, &message.address) {
            (Some(sender), _) if !sender.id.is_empty() => sender.id.clone(),
            (_, Some(address)) => address.user_id.clone(),
            _ => String::new(),
        };
        Some(format!("{who}: {text:?}"))
    };
    let detail = match &event.payload {
        Some(Payload::MessageReceived(it)) => said(&it.message),
        Some(Payload::MessageAccepted(it)) => said(&it.message),
        Some(Payload::ConversationQueued(it)) => Some(format!("queue {} position {}", it.queue, it.position)),
        Some(Payload::ConversationAssigned(it)) => Some(format!("to {}", it.agent)),
        Some(Payload::ReservationCreated(it)) => Some(format!("for {}", it.agent)),
        Some(Payload::AgentPresenceChanged(it)) => Some(format!("{} {}", it.agent, it.to().as_str_name())),
        Some(Payload::MessageFailed(it)) => {
            it.error.as_ref().map(|error| format!("{} {}", error.code, error.text))
        }
        _ => None,
    };
    if let Some(detail) = detail {
        line.push_str("  ");
        line.push_str(&detail);
    }
    if let Some(reason) = why(event) {
        // Writing to a string does not fail.
        let _ = write!(line, "  [{}: {}]", reason.code, reason.text);
    }
    line
}

/// The reason worth reading: why a channel may not be answered on, or why something was decided. That a
/// customer may be answered is no news.
fn why(event: &v1::Event) -> Option<&v1::Reason> {
    let verdict = match &event.payload {
        Some(Payload::MessageReceived(it)) => it.verdict.as_ref(),
        Some(Payload::MessageRefused(it)) => it.verdict.as_ref(),
        _ => return event.reasons.first(),
    };
    let refused = verdict.filter(|verdict| verdict.outcome() != v1::verdict::Outcome::Allow);
    refused.and_then(|verdict| verdict.fired.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_begin_is_read() {
        assert_eq!("start".parse(), Ok(From::Start));
        assert_eq!("42".parse(), Ok(From::Sequence(42)));
        assert!("yesterday".parse::<From>().is_err());
    }
}
