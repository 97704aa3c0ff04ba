//! `heliograph doctor`.

use std::time::Duration;

use clap::Args;
use heliograph_fabric::{
    Fabric, Plan, ProvisionError, Stream,
    dead::{DeadFilter, DeadLetters},
};
use heliograph_runtime::{Settings, grpc, telemetry};
use serde::{Deserialize, Serialize};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{connect, output};

/// The oldest NATS server whose features the fleet uses (message schedules and per-message time to live).
const OLDEST_NATS: (u64, u64) = (2, 12);
/// A clock that differs more than this makes signatures with timestamps fail (providers allow 5 minutes)
/// and times on events misleading.
const CLOCK_WARN: Duration = Duration::from_secs(2);
const CLOCK_FAIL: Duration = Duration::from_mins(1);
/// Unfinished work of a channel from which on its egress or channel is worth a look.
const BACKLOG_WARN: u64 = 1_000;
/// How long another service may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Flags of `doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line says ok, warn or fail, what was looked at and what to do. Exit code 1 when \
something fails."
)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    state: State,
    what: String,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, state: State, what: &str, found: impl Into<String>, to_do: Option<String>) {
        self.0.push(Finding { state, what: what.to_owned(), found: found.into(), to_do });
    }

    fn ok(&mut self, what: &str, found: impl Into<String>) {
        self.add(State::Ok, what, found, None);
    }

    fn warn(&mut self, what: &str, found: impl Into<String>, to_do: impl Into<String>) {
        self.add(State::Warn, what, found, Some(to_do.into()));
    }

    fn fail(&mut self, what: &str, found: impl Into<String>, to_do: impl Into<String>) {
        self.add(State::Fail, what, found, Some(to_do.into()));
    }
}

/// Looks at everything and says what it found.
pub async fn run(args: &DoctorArgs, settings: &Settings) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    configuration(&mut findings, settings);
    match connect::command_fabric(settings).await {
        Ok(fabric) => {
            broker(&mut findings, &fabric).await;
            streams(&mut findings, &fabric).await;
        }
        Err(error) => findings.fail(
            "nats",
            format!("{:#}", anyhow::Error::from(error)),
            "start nats-server with JetStream, or say where it is with --nats-url or nats.url",
        ),
    }
    redis(&mut findings, settings).await;
    endpoints(&mut findings, settings).await;
    print(args, &findings.0)
}

fn configuration(findings: &mut Findings, settings: &Settings) {
    let set = settings.masked().entries.iter().filter(|entry| entry.source != "defaults").count();
    findings.ok("configuration", format!("read, {set} keys differ from the defaults"));
    match connect::rules(settings) {
        Ok(rules) if rules.inline_secrets => findings.warn(
            "secrets",
            "secrets may stand in resources (channel.inline_secrets)",
            "fine for development; elsewhere set it to false and use env or file references",
        ),
        Ok(_) => findings.ok("secrets", "taken by reference only"),
        Err(error) => findings.fail("secrets", error.to_string(), "correct the configuration"),
    }
}

async fn broker(findings: &mut Findings, fabric: &Fabric) {
    let info = fabric.client().server_info();
    let version = info.version.clone();
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u64>().unwrap_or_default());
    let found = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if found >= OLDEST_NATS {
        findings.ok("nats", format!("version {version} at {}:{}", info.host, info.port));
    } else {
        let oldest = format!("{}.{}", OLDEST_NATS.0, OLDEST_NATS.1);
        findings.fail("nats", format!("version {version}"), format!("run {oldest} or newer"));
    }
    match fabric.jetstream().query_account().await {
        Ok(account) => findings.ok(
            "jetstream",
            format!(
                "on: {} streams, {} consumers, {} MiB stored",
                account.streams,
                account.consumers,
                account.storage >> 20
            ),
        ),
        Err(error) => findings.fail(
            "jetstream",
            error.to_string(),
            "start nats-server with `jetstream {}` in its configuration",
        ),
    }
    clock(findings, fabric).await;
}

/// What is read of an answer of JetStream's API: every one of them says when it was given.
#[derive(Deserialize)]
struct Dated {
    ts: Option<String>,
}

/// Compares our clock with the broker's.
async fn clock(findings: &mut Findings, fabric: &Fabric) {
    let asked = jiff::Timestamp::now();
    let subject = format!("$JS.API.STREAM.INFO.{}", Stream::Events.name());
    let Ok(answer) = fabric.client().request(subject, "".into()).await else { return };
    let answered = jiff::Timestamp::now();
    let dated: Option<jiff::Timestamp> =
        serde_json::from_slice::<Dated>(&answer.payload).ok().and_then(|dated| dated.ts?.parse().ok());
    let Some(theirs) = dated else { return };
    // The answer was given somewhere between; what lies between is no difference.
    let off = if theirs < asked {
        asked.duration_since(theirs)
    } else if theirs > answered {
        theirs.duration_since(answered)
    } else {
        jiff::SignedDuration::ZERO
    };
    let off = Duration::try_from(off).unwrap_or_default();
    let found = format!("{} ms from the broker's", off.as_millis());
    let to_do = "let NTP set the clocks of this machine and the broker's";
    if off >= CLOCK_FAIL {
        findings.fail("clock", found, to_do);
    } else if off >= CLOCK_WARN {
        findings.warn("clock", found, to_do);
    } else {
        findings.ok("clock", found);
    }
}

async fn streams(findings: &mut Findings, fabric: &Fabric) {
    match fabric.check().await {
        Ok(()) => findings
            .ok("streams", format!("all {} streams and buckets are there", Plan::default().streams().len())),
        Err(ProvisionError::NotProvisioned(missing)) => {
            let names: Vec<&str> = missing.iter().map(|missing| missing.stream.as_str()).collect();
            findings.fail(
                "streams",
                format!("missing or incomplete: {}", names.join(", ")),
                "run `heliograph provision`",
            );
            return;
        }
        Err(error) => {
            findings.fail(
                "streams",
                error.to_string(),
                "is the broker reachable, and may this user ask JetStream's API?",
            );
            return;
        }
    }
    match fabric.layout().await {
        Ok(layout) => findings.ok(
            "partitions",
            format!("{} inbound, {} routing, {} outbound", layout.inbound, layout.routing, layout.outbound),
        ),
        Err(error) => findings.fail("partitions", error.to_string(), "run `heliograph provision`"),
    }
    outbound(findings, fabric).await;
    match DeadLetters::new(fabric).list(&DeadFilter::default(), 0, 1_001).await {
        Ok(letters) if letters.is_empty() => findings.ok("dead letters", "none"),
        Ok(letters) => {
            let count =
                if letters.len() > 1_000 { "more than 1000".to_owned() } else { letters.len().to_string() };
            findings.warn("dead letters", count, "look at them with `heliograph dead list`");
        }
        Err(error) => findings.fail("dead letters", error.to_string(), "is the broker reachable?"),
    }
}

/// The consumers of outbound work: made by egress when it first owns a partition.
async fn outbound(findings: &mut Findings, fabric: &Fabric) {
    use futures::TryStreamExt as _;
    let Ok(stream) = fabric.jetstream().get_stream(Stream::Outbound.name()).await else { return };
    let consumers: Vec<_> = match stream.consumers().try_collect().await {
        Ok(consumers) => consumers,
        Err(error) => {
            let error: async_nats::Error = Box::new(error);
            findings.fail("outbound", error.to_string(), "may this user list consumers?");
            return;
        }
    };
    let pending: u64 = consumers.iter().map(|consumer| consumer.num_pending).sum();
    let in_hand: usize = consumers.iter().map(|consumer| consumer.num_ack_pending).sum();
    let found = format!("{} consumers, {pending} waiting, {in_hand} in hand", consumers.len());
    if pending >= BACKLOG_WARN {
        findings.warn("outbound", found, "does egress run, do the channels answer? `heliograph tail --type message.deferred` says why messages wait");
    } else {
        findings.ok("outbound", found);
    }
}

async fn redis(findings: &mut Findings, settings: &Settings) {
    const TO_DO: &str = "start Redis or Valkey, or say where it is with --redis-url or redis.url; messages flow without it, but rate limits and idempotency records are weaker";
    let asked = async {
        let client = redis::Client::open(settings.redis.url.expose())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("INFO").arg("server").query_async::<String>(&mut connection).await
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(info)) => {
            let field = |name: &str| {
                info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
            };
            let valkey = field("valkey_version:");
            let version = if valkey.is_empty() {
                format!("Redis {}", field("redis_version:"))
            } else {
                format!("Valkey {valkey}")
            };
            findings.ok("redis", version);
        }
        // The message of a failure to connect holds no URL; the URL may hold a password.
        Ok(Err(error)) => findings.warn("redis", error.to_string(), TO_DO),
        Err(_) => findings.warn("redis", "no answer", TO_DO),
    }
}

/// Asks every endpoint of the configuration for its health.
async fn endpoints(findings: &mut Findings, settings: &Settings) {
    for (name, channel) in &settings.channels {
        let what = format!("channel {name}");
        let to_do = format!("start it with `heliograph run {name}`, or correct channels.{name}.endpoint");
        if crate::channels::find(name).is_none() {
            findings.warn(
                &what,
                format!("{} (not a channel of this binary)", channel.endpoint),
                "fine for a channel of your own",
            );
        }
        match health(&channel.endpoint).await {
            Ok(ServingStatus::Serving) => findings.ok(&what, format!("{} serves", channel.endpoint)),
            Ok(other) => findings.fail(
                &what,
                format!("{} says {}", channel.endpoint, other.as_str_name()),
                "its /readyz says why",
            ),
            Err(error) => findings.fail(&what, format!("{}: {error}", channel.endpoint), to_do),
        }
    }
    if settings.channels.is_empty() {
        findings.warn(
            "channels",
            "no endpoints in the configuration",
            "egress needs channels.<name>.endpoint for every channel it sends by",
        );
    }
    if let Some(endpoint) = &settings.telemetry.otlp_endpoint {
        findings.ok("telemetry", format!("traces and metrics go to {endpoint}"));
    } else {
        findings.ok(
            "telemetry",
            if telemetry::metrics_enabled() {
                "metrics at /metrics, no traces"
            } else {
                "no collector is set"
            },
        );
    }
}

async fn health(endpoint: &str) -> Result<ServingStatus, String> {
    let channel = grpc::channel(endpoint).map_err(|error| error.to_string())?;
    let mut client = HealthClient::new(channel);
    match tokio::time::timeout(PATIENCE, client.check(HealthCheckRequest::default())).await {
        Ok(Ok(answer)) => Ok(answer.into_inner().status()),
        Ok(Err(status)) => Err(status.message().to_owned()),
        Err(_) => Err("no answer".to_owned()),
    }
}

fn print(args: &DoctorArgs, findings: &[Finding]) -> anyhow::Result<()> {
    if args.json {
        output::json(&findings)?;
    } else {
        let colour = output::colour();
        for finding in findings {
            let (word, code) = match finding.state {
                State::Ok => ("ok  ", 32),
                State::Warn => ("warn", 33),
                State::Fail => ("fail", 31),
            };
            let word = if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() };
            output::line(&format!("{word}  {:<14} {}", finding.what, finding.found))?;
            if let Some(to_do) = &finding.to_do {
                output::line(&format!("      {:<14} → {to_do}", ""))?;
            }
        }
    }
    let failed = findings.iter().filter(|finding| finding.state == State::Fail).count();
    if failed > 0 {
        anyhow::bail!("{failed} of {} checks failed", findings.len());
    }
    Ok(())
}
