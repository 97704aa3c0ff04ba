//! Policy where messages come in: in force at once, explained, and never a reason to leave a customer unheard.

use heliograph_proto::v1::{Reply, command::Action, event::Payload, verdict::Outcome};
use heliograph_router::RouterConfig;
use serde_json::json;

use crate::fleet::{Fleet, TENANT, eventually, from, number, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_policy_decides_the_next_message_and_says_which_version() {
    let fleet = Fleet::start().await;
    let _router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "hello").await;
    let conversation = fleet.accept(TENANT, "ann").await;
    let received = fleet.count("message.received", 1).await;
    let Some(Payload::MessageReceived(it)) = &received[0].payload else { panic!("not received") };
    let before = it.verdict.as_ref().unwrap().policy_version;
    fleet.policy(TENANT, &["email"]).await;
    let mut n = 0;
    eventually("the new policy is in force", || {
        n += 1;
        let (fleet, text) = (&fleet, format!("are you there? {n}"));
        async move {
            fleet.write(TENANT, "mia", &text).await;
            let received = fleet.count("message.received", n + 1).await;
            let Some(Payload::MessageReceived(it)) = &received.last().unwrap().payload else { return None };
            let verdict = it.verdict.as_ref().unwrap();
            (verdict.outcome() == Outcome::Deny).then(|| {
                assert_eq!(verdict.policy_version, before + 1);
                assert!(verdict.fired.iter().any(|reason| reason.code == "policy.region.default_forbids"));
            })
        }
    })
    .await;
    // Egress asks when it leaves; here it is accepted.
    fleet.reply(TENANT, "ann", "c1", &conversation, "yes").await;
    fleet.count("message.accepted", 1).await;
    let work = eventually("the work", || async { fleet.outbound().await.pop() }).await;
    assert_eq!(work.verdict.unwrap().outcome(), Outcome::Deny);
    assert!(!fleet.events().await.iter().any(|event| event.r#type == "message.refused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_on_a_denied_channel_is_offered_where_another_may_be_used() {
    let fleet = Fleet::start().await;
    fleet
        .with_sms(json!({
            "regions": [
                { "name": "brazil", "countries": ["BR"], "channels": ["webchat"] },
                { "name": "silent", "countries": ["PN"], "channels": [] },
            ],
            "default": { "channels": ["sms"] },
        }))
        .await;
    let _router = fleet.router("one").await;
    let (ana, pit) = (number("+5511987654321"), number("+6493070700"));
    fleet.receive(from(&ana, "1", "oi")).await;
    let mut pit = pit;
    (pit.user_id, pit.phone) = ("pit".to_owned(), String::new());
    pit.country = "PN".to_owned();
    fleet.receive(from(&pit, "1", "ahoy")).await;
    let received = fleet.count("message.received", 2).await;
    let verdict = |text: &str| {
        let event = received.iter().find(|event| said(event) == text).unwrap();
        let Some(Payload::MessageReceived(it)) = &event.payload else { panic!("not received") };
        (event.conversation.clone(), it.verdict.clone().unwrap())
    };
    let (offered, denied) = verdict("oi");
    assert_eq!((denied.outcome(), denied.channels), (Outcome::Deny, vec!["webchat".to_owned()]));
    let queued = fleet.count("conversation.queued", 1).await;
    assert_eq!(queued[0].conversation, offered);
    let (_, denied) = verdict("ahoy");
    assert_eq!((denied.outcome(), denied.channels), (Outcome::Deny, Vec::new()));
    // The one that is only recorded is not offered later either: nothing follows it.
    fleet.receive(from(&pit, "2", "anybody?")).await;
    fleet.count("message.received", 3).await;
    assert_eq!(fleet.count("conversation.queued", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_may_not_be_held_at_this_site_is_denied_with_its_reason() {
    let fleet = Fleet::start().await;
    fleet
        .with_sms(json!({
            "regions": [{
                "name": "europe", "countries": ["DE"], "channels": ["sms"], "residency": ["eu-central"],
            }],
            "default": { "channels": ["sms"] },
        }))
        .await;
    let config = RouterConfig { site: Some("us-east".to_owned()), ..RouterConfig::default() };
    let _router = fleet.router_with("one", config).await;
    fleet.receive(from(&number("+491711234567"), "1", "hallo")).await;
    fleet.receive(from(&number("+12125550101"), "1", "hi")).await;
    for event in fleet.count("message.received", 2).await {
        let wanted = if said(&event) == "hallo" { Outcome::Deny } else { Outcome::Allow };
        let Some(Payload::MessageReceived(it)) = event.payload else { panic!("not received") };
        let verdict = it.verdict.unwrap();
        assert_eq!(verdict.outcome(), wanted, "{verdict:?}");
        let why = verdict.fired.iter().any(|reason| reason.code.contains("residency"));
        assert_eq!(why, wanted == Outcome::Deny, "{verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_may_name_another_of_the_customers_addresses() {
    let fleet = Fleet::start().await;
    fleet.with_sms(json!({ "default": { "channels": ["sms", "webchat"] } })).await;
    let _router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    fleet.write(TENANT, "mia", "hello").await;
    let conversation = fleet.accept(TENANT, "ann").await;
    let reply = Reply {
        conversation: conversation.clone(),
        content: Some(heliograph_domain::content::text("by text then")),
        address: Some(number("+12125550101")),
        ..Reply::default()
    };
    fleet.command(TENANT, "ann", "c1", Action::Reply(reply)).await;
    let accepted = fleet.count("message.accepted", 1).await;
    assert_eq!((accepted[0].conversation.as_str(), accepted[0].channel.as_str()), (&*conversation, "sms"));
    let work = eventually("the work", || async { fleet.outbound().await.pop() }).await;
    assert_eq!(work.message.unwrap().address, Some(number("+12125550101")));
    fleet.reply(TENANT, "ann", "c2", &conversation, "or here").await;
    fleet.count("message.accepted", 2).await;
    let work = eventually("the work", || async { fleet.outbound().await.into_iter().nth(1) }).await;
    assert_eq!(work.message.unwrap().address.unwrap().user_id, "mia");
}
