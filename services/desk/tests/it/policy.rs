//! The map's questions: the policy, its verdicts, and what went through.

use heliograph_proto::v1::{
    Event, MessageReceived, MessageRefused, MessageSent, Region, Verdict, event::Payload, verdict::Outcome,
};
use serde_json::{Value, json};

use crate::support::{DeskAt, TENANT, World, config, eventually, fact};

async fn with_policy(world: &World) {
    let account = |channel: &str| json!({ "channel": channel });
    world.apply("ChannelAccount", "us", account("sms")).await;
    world.apply("ChannelAccount", "help", account("email")).await;
    let rules = json!([{
        "name": "no-mail-there", "match": { "countries": ["CU"], "channels": ["email"] }, "then": "deny", "reason": "an embargo",
    }]);
    let regions = json!([
        { "name": "north", "countries": ["US", "CA"], "channels": ["sms", "email"] },
        { "name": "latam", "countries": ["region:419"], "channels": ["email"] },
    ]);
    let spec = json!({ "regions": regions, "default": { "channels": ["email"] }, "rules": rules });
    world.apply("ChannelPolicy", "default", spec).await;
}

async fn explain(desk: &DeskAt, token: &str, query: &str) -> (u16, Value) {
    desk.get(&format!("/desk/api/policy/explain?{query}"), token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_in_force_is_shown_with_who_applied_it_and_changes_are_seen() {
    let world = World::start().await;
    with_policy(&world).await;
    let desk = world.desk(config()).await;
    let token = desk.token(TENANT, "ada").await;
    assert_eq!(desk.get("/desk/api/policy", "").await.0, 401);
    let (status, policy) = desk.get("/desk/api/policy", &token).await;
    assert_eq!((status, &policy["version"], &policy["appliedBy"]), (200, &json!(1), &json!("ops")));
    assert_eq!(policy["inUse"], json!(["email", "sms"]));
    let names: Vec<_> = policy["regions"].as_array().unwrap().iter().map(|region| &region["name"]).collect();
    assert_eq!(names, [&json!("north"), &json!("latam"), &json!("default")]);
    // Another tenant's is none of ours.
    let (_, theirs) = desk.get("/desk/api/policy", &desk.token("globex", "eve").await).await;
    assert_eq!(theirs["version"], json!(0));

    let spec = json!({ "regions": [{ "name": "all", "countries": ["region:001"], "channels": ["sms"] }], "default": { "channels": [] } });
    world.apply("ChannelPolicy", "default", spec).await;
    let changed = eventually("the new version", async || {
        let (_, policy) = desk.get("/desk/api/policy", &token).await;
        (policy["version"] == json!(2)).then_some(policy)
    });
    assert_eq!(changed.await["regions"][0]["name"], json!("all"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_is_explained_by_the_rules_that_decide() {
    let world = World::start().await;
    with_policy(&world).await;
    let desk = world.desk(config()).await;
    let token = desk.token(TENANT, "ada").await;
    let (status, answer) =
        explain(&desk, &token, "country=CU&channel=email&class=service&direction=outbound").await;
    assert_eq!((status, &answer["region"], &answer["term"]), (200, &json!("latam"), &json!("region:419")));
    let verdict = &answer["verdicts"][0]["verdict"];
    assert_eq!(verdict["outcome"], json!("OUTCOME_DENY"));
    assert!(verdict["fired"].to_string().contains("an embargo"), "{verdict}");
    let (_, answer) = explain(&desk, &token, "country=US").await;
    let channels: Vec<_> =
        answer["verdicts"].as_array().unwrap().iter().map(|judged| &judged["channel"]).collect();
    assert_eq!(channels, [&json!("sms"), &json!("email")]);
    for bad in ["country=QQ", "country=US&class=gossip", "channel=sms"] {
        assert_eq!(explain(&desk, &token, bad).await.0, 400, "{bad}");
    }
}

fn verdict(country: &str, outcome: Outcome) -> Verdict {
    let region = Region { name: "latam".to_owned(), country: country.to_owned(), ..Region::default() };
    Verdict { outcome: outcome.into(), region: Some(region), ..Verdict::default() }
}

fn of(conversation: &str, payload: Payload) -> Event {
    Event { region: "latam".to_owned(), channel: "sms".to_owned(), ..fact(conversation, payload) }
}

fn heard(conversation: &str, country: &str, outcome: Outcome) -> Event {
    let verdict = Some(verdict(country, outcome));
    of(conversation, Payload::MessageReceived(MessageReceived { verdict, ..MessageReceived::default() }))
}

fn sent(conversation: &str) -> Event {
    of(conversation, Payload::MessageSent(MessageSent::default()))
}

/// Counts of the last hours, once `done` holds for them.
async fn counted(desk: &DeskAt, token: &str, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let hours = jiff::SignedDuration::from_hours;
    let now = jiff::Timestamp::now();
    let (from, to) = (now - hours(3), now + hours(1));
    let path = format!("/desk/api/policy/traffic?from={from}&to={to}");
    eventually("the counts", async || {
        let (status, rows) = desk.get(&path, token).await;
        assert_eq!(status, 200, "{rows}");
        let rows = rows.as_array().unwrap().clone();
        done(&rows).then_some(rows)
    })
    .await
}

fn row(country: &str, counts: [u64; 4]) -> Value {
    let [received, sent, refused, denied] = counts;
    json!({
        "region": "latam", "country": country, "channel": "sms", "received": received, "sent": sent,
        "delivered": 0, "failed": 0, "refused": refused, "denied": denied,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_counts_once_also_when_who_counts_goes_and_another_comes() {
    let world = World::start().await;
    let first = world.desk(config()).await;
    let token = first.token(TENANT, "ada").await;
    for _ in 0..3 {
        world.publish(&heard("cnv_1", "BR", Outcome::Deny)).await;
        world.publish(&heard("cnv_2", "CL", Outcome::Allow)).await;
    }
    world.publish(&sent("cnv_2")).await;
    let rows =
        counted(&first, &token, |rows| rows == [row("BR", [3, 0, 0, 3]), row("CL", [3, 1, 0, 0])]).await;
    assert_eq!(rows.len(), 2);

    // Another desk takes over, and knows the country of a conversation that it has not heard of.
    drop(first);
    let refused = MessageRefused { verdict: Some(verdict("BR", Outcome::Deny)), ..MessageRefused::default() };
    world.publish(&of("cnv_1", Payload::MessageRefused(refused))).await;
    world.publish(&sent("cnv_2")).await;
    let second = world.desk(config()).await;
    let token = second.token(TENANT, "ada").await;
    counted(&second, &token, |rows| rows == [row("BR", [3, 0, 1, 3]), row("CL", [3, 2, 0, 0])]).await;
    // What is another tenant's is not shown.
    let eve = second.token("globex", "eve").await;
    assert!(counted(&second, &eve, |_| true).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stretch_of_time_must_make_sense() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let token = desk.token(TENANT, "ada").await;
    for bad in [
        "",
        "from=2026-01-02T00:00:00Z",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z",
        "from=yesterday&to=today",
    ] {
        assert_eq!(desk.get(&format!("/desk/api/policy/traffic?{bad}"), &token).await.0, 400, "{bad}");
    }
}
