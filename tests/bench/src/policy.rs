//! A large policy: how long `heliograph apply` takes, how long it takes to be in force on every replica, and how long a
//! broken one takes to be refused.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Output,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use heliograph_domain::{phone, region::Country};
use heliograph_proto::v1::{
    Address, Content, SendRequest, Text, content::Kind, egress_service_client::EgressServiceClient,
    send_request::To,
};
use serde_json::json;
use tokio::process::Command;
use tonic::{Request, transport::Channel};

use crate::{
    fleet::{Service, binary},
    ground::{self, ACCOUNT, Ground, TENANT},
    report::{Report, Row, Target},
};

const REGIONS: usize = 500;
const RULES: usize = 5_000;
const CHANNELS: [&str; 6] = ["sms", "webchat", "email", "whatsapp", "wechat", "bottle"];
const CLASSES: [&str; 4] = ["service", "utility", "marketing", "authentication"];
/// How often each is measured.
const ROUNDS: usize = 10;
/// How long a policy may take to be in force before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bearer token of the API client that asks which policy is in force.
const TOKEN: &str = "made-up-bench-token";

/// Applies a large policy again and again, a little different each time.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    ground.apply(&ground::tenant("http://127.0.0.1:9")).await?;
    let addresses = ground.addresses();
    let tokens = json!([{ "token": TOKEN, "tenant": TENANT, "client": "bench" }]).to_string();
    let environment = [("HELIOGRAPH__EGRESS__API_TOKENS".to_owned(), tokens)];
    let (one, two) = (
        Service::start("egress", &addresses, &environment, out).await?,
        Service::start("egress", &addresses, &environment, out).await?,
    );
    let mut replicas = Vec::new();
    for service in [&one, &two] {
        replicas.push(Replica(EgressServiceClient::connect(format!("http://{}", service.grpc)).await?));
    }
    let (mut applied, mut in_force, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..if quick { 2 } else { ROUNDS } {
        let before = replicas[0].version().await?;
        let (took, output) = apply(ground, out, &manifest(round, "")).await?;
        ensure!(output.status.success(), "apply failed: {}", String::from_utf8_lossy(&output.stderr));
        applied.push(took);
        // From the end of `apply` on: both replicas are asked until the slower one has it.
        let begun = Instant::now();
        for replica in &mut replicas {
            while replica.version().await? <= before {
                ensure!(begun.elapsed() < PATIENCE, "the policy is not in force after {PATIENCE:?}");
            }
        }
        in_force.push(begun.elapsed());
        let (took, output) = apply(ground, out, &manifest(round, "1 + ")).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "a broken policy was taken");
        ensure!(
            said.contains(&format!("spec.rules[{}].when", RULES - 1)),
            "not the field that is wrong: {said}"
        );
        refused.push(took);
    }
    eprintln!("policy: apply {applied:?}, in force {in_force:?}, refused {refused:?}");
    let mut row = |what: &str, times: &mut Vec<Duration>| {
        times.sort_unstable();
        report.row(Row {
            part: "policy",
            what: format!("{what} ({REGIONS} regions, {RULES} rules)"),
            unit: "s",
            ours: times.last().map_or(f64::NAN, Duration::as_secs_f64),
            beside: None,
            ratio: None,
            target: Target::AtMost(1.0),
        });
    };
    row("apply", &mut applied);
    row("from then in force on two replicas", &mut in_force);
    row("a broken one refused", &mut refused);
    Ok(())
}

/// Runs `heliograph apply` as an operator does.
async fn apply(ground: &Ground, out: &Path, manifest: &str) -> anyhow::Result<(Duration, Output)> {
    let file = out.join("policy.yaml");
    fs::write(&file, manifest).with_context(|| format!("cannot write {}", file.display()))?;
    let addresses = ground.addresses();
    let begun = Instant::now();
    let output = Command::new(binary()?)
        .args(["apply", "--nats-url", &addresses.nats, "-f"])
        .arg(&file)
        .kill_on_drop(true)
        .output()
        .await?;
    Ok((begun.elapsed(), output))
}

/// One replica of egress, asked for the policy in force.
struct Replica(EgressServiceClient<Channel>);

impl Replica {
    async fn version(&mut self) -> anyhow::Result<i64> {
        let text = Text { body: "hello".to_owned(), ..Text::default() };
        let mut request = Request::new(SendRequest {
            idempotency_key: "which policy".to_owned(),
            to: Some(To::Address(Address {
                channel: "sms".to_owned(),
                account: ACCOUNT.to_owned(),
                user_id: "+12125550100".to_owned(),
                ..Address::default()
            })),
            content: Some(Content { kind: Some(Kind::Text(text)) }),
            dry_run: true,
            ..SendRequest::default()
        });
        request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse()?);
        let answer = self.0.send(request).await?.into_inner();
        match answer.verdict {
            Some(verdict) => Ok(verdict.policy_version),
            None => bail!("the answer has no verdict"),
        }
    }
}

/// A policy of [`REGIONS`] regions and [`RULES`] rules: every country a region, the others number prefixes below +1. What
/// stands in front of the last rule's condition may break it.
fn manifest(round: usize, fault: &str) -> String {
    let mut text = format!(
        "apiVersion: heliograph.dev/v1\nkind: ChannelPolicy\nmetadata: {{ tenant: {TENANT}, name: default }}\nspec:\n  \
         default: {{ channels: [sms, webchat] }}\n  regions:\n"
    );
    let countries = Country::all().map(|country| (country.code().to_lowercase(), country.code().to_owned()));
    let prefixes = (200..1_000)
        .filter(|area| phone::country(&format!("+1{area}5550100")).is_some())
        .map(|area| (format!("area-{area}"), format!("\"number:+1{area}\"")));
    let names: Vec<(String, String)> = countries.chain(prefixes).take(REGIONS).collect();
    for (name, term) in &names {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "    - {{ name: r-{name}, countries: [{term}], channels: [sms, webchat, email, whatsapp] }}"
        );
    }
    text.push_str("  rules:\n");
    for index in 0..RULES {
        let (name, _) = &names[index % names.len()];
        let channel = CHANNELS[index / names.len() % CHANNELS.len()];
        let class = CLASSES[index % CLASSES.len()];
        let fault = if index == RULES - 1 { fault } else { "" };
        let _ = writeln!(
            text,
            "    - {{ name: rule-{index}, match: {{ regions: [r-{name}], channels: [{channel}], classes: [{class}] }}, \
             when: '{fault}contact.language == \"l{round}\"', then: deny }}"
        );
    }
    text
}
