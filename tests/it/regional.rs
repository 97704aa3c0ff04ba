//! Regional policy over a whole fleet: who is answered where, what happens when a channel may not be used, and how one
//! customer goes from one channel to another.

use std::sync::Arc;

use heliograph_domain::content;
use heliograph_proto::v1::{Event, Reply, Verdict, command::Action, event::Payload, verdict::Outcome};
use heliograph_testkit::sandbox::{Fault, Sent};
use heliograph_tests::{
    agent::{Agent, Answers, Transcript},
    eventually,
    fleet::Fleet,
    visitor::Visitor,
};
use serde_json::json;

/// Answers every text with the same words and an echo of it.
fn echo() -> Answers {
    Arc::new(|_, text| Some(format!("you said {text}")))
}

fn silent() -> Answers {
    Arc::new(|_, _| None)
}

async fn ann(fleet: &Fleet, answers: Answers) -> Agent {
    Agent::start(&fleet.grpc("desk"), "ann", "ann", answers).await
}

/// The conversation in which a customer said something.
fn conversation_of(seen: &Transcript, said: &str) -> Option<String> {
    let mut conversations = seen.received.iter();
    let (conversation, _) = conversations.find(|(_, lines)| lines.values().any(|(_, text)| text == said))?;
    Some(conversation.clone())
}

fn refusal(event: &Event) -> Option<Verdict> {
    match &event.payload {
        Some(Payload::MessageRefused(refused)) => refused.verdict.clone(),
        _ => None,
    }
}

fn codes(verdict: &Verdict) -> Vec<&str> {
    verdict.fired.iter().map(|reason| reason.code.as_str()).collect()
}

fn reply(conversation: &str, text: &str) -> Action {
    Action::Reply(Reply {
        conversation: conversation.to_owned(),
        content: Some(content::text(text)),
        ..Reply::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_answered_by_a_channel_of_their_region() {
    let fleet = Fleet::start(&["sms", "wechat", "bottle", "webchat", "router", "egress", "desk"]).await;
    let agent = ann(&fleet, echo()).await;

    fleet.sandbox.customer("acme-us", "+12125550110", "Amy").say("hi from New York").await;
    fleet.sandbox.customer("acme-cn", "oWei", "Wei").say("你好").await;
    fleet.sandbox.customer("acme-islands", "pitcairn-2", "Fletcher").say("ahoy").await;
    let claims = json!({ "user_id": "bia", "name": "Bia", "phone_number": "+5511987654321" });
    let mut bia = Visitor::open(&fleet.http("webchat"), "acme-web", Some(claims)).await;
    bia.say("oi from the shop").await;
    bia.hears("you said oi from the shop").await;
    for (account, text) in [("acme-us", "hi from New York"), ("acme-cn", "你好"), ("acme-islands", "ahoy")]
    {
        let answer = format!("you said {text}");
        let arrived = |sent: &Sent| sent.account == account && sent.text == answer;
        fleet.sandbox.wait_for(|sent| sent.iter().any(arrived).then_some(())).await;
    }

    // The same customer writes by SMS, which Latin America does not have. She is heard, and the answer reaches her where
    // she may be reached.
    fleet.sandbox.customer("acme-us", "+5511987654321", "Bia").say("oi by SMS").await;
    bia.hears("you said oi by SMS").await;
    assert!(
        !fleet.sandbox.sent().iter().any(|sent| sent.user_id == "+5511987654321"),
        "no SMS went to Brazil"
    );

    let seen = agent.transcript();
    let denied = seen.newest(|event| match &event.payload {
        Some(Payload::MessageReceived(it)) => {
            let message = it.message.as_ref()?;
            (content::preview(message.content.as_ref()?) == "oi by SMS")
                .then(|| (event.clone(), it.verdict.clone()))
        }
        _ => None,
    });
    let (event, verdict) = denied.expect("the agent saw it");
    let verdict = verdict.expect("it was judged");
    assert_eq!((verdict.outcome(), event.region.as_str()), (Outcome::Deny, "latam-europe"));
    assert!(codes(&verdict).contains(&"policy.region.forbids"), "{verdict:?}");
    // Her number is the same and both channels vouch for it: one contact, one conversation.
    assert_eq!(conversation_of(&seen, "oi by SMS"), conversation_of(&seen, "oi from the shop"));
    let rerouted = agent
        .wait("the detour", |seen| {
            seen.newest(|event| match &event.payload {
                Some(Payload::MessageRerouted(it)) => Some(it.clone()),
                _ => None,
            })
        })
        .await;
    let by = (rerouted.trigger.as_str(), rerouted.rule.as_str(), rerouted.from_channel.as_str());
    assert_eq!(by, ("denied", "another-channel", "sms"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_goes_on_by_another_channel_in_the_same_conversation() {
    let fleet = Fleet::start(&["sms", "webchat", "router", "egress", "desk"]).await;
    let agent = ann(&fleet, echo()).await;
    let mut visitor = Visitor::open(&fleet.http("webchat"), "acme-web", None).await;
    visitor.say("my order is late").await;
    visitor.hears("you said my order is late").await;
    let conversation = agent.wait("the conversation", |seen| conversation_of(seen, "my order is late")).await;

    agent.offer(&conversation, "sms").await;
    let offer = agent.wait("the offer", |seen| seen.offers.first().cloned()).await;
    assert!(offer.text.contains(&offer.code), "{}", offer.text);

    let phone = fleet.sandbox.customer("acme-us", "+12125550111", "Visitor");
    phone.say(&offer.code.to_lowercase()).await;
    agent
        .wait("the join", |seen| {
            seen.newest(|event| match &event.payload {
                Some(Payload::ContactJoined(it)) => (it.by == "link_code").then_some(()),
                _ => None,
            })
        })
        .await;
    phone.say("now on my phone").await;
    let answered = |sent: &Sent| sent.user_id == "+12125550111" && sent.text == "you said now on my phone";
    fleet.sandbox.wait_for(|sent| sent.iter().any(answered).then_some(())).await;
    let seen = agent.transcript();
    assert_eq!(conversation_of(&seen, "now on my phone").as_ref(), Some(&conversation));

    // A code is good for once: a stranger who sends it again says an ordinary thing.
    let stranger = fleet.sandbox.customer("acme-us", "+12125550112", "Stranger");
    stranger.say(&offer.code).await;
    let other = agent.wait("the stranger", |seen| conversation_of(seen, &offer.code)).await;
    assert_ne!(other, conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_stops_what_is_already_queued() {
    let fleet = Fleet::start(&["sms", "router", "egress", "desk"]).await;
    let agent = ann(&fleet, silent()).await;
    let amy = fleet.sandbox.customer("acme-us", "+12125550113", "Amy");
    amy.say("tell me more").await;
    let conversation = agent.wait("the question", |seen| conversation_of(seen, "tell me more")).await;

    // The provider is busy, so the answer waits.
    fleet.sandbox.inject("sinch", [Fault::Status(429, Some(2))]);
    agent.command("late", reply(&conversation, "too late")).await;
    eventually("the provider's refusal", || async {
        (fleet.sandbox.faults_left("sinch") == 0).then_some(())
    })
    .await;
    amy.say("STOP").await;

    let verdict = agent.wait("the refusal", |seen| seen.newest(refusal)).await;
    assert_eq!(verdict.outcome(), Outcome::Deny);
    assert!(codes(&verdict).contains(&"policy.consent.opted_out"), "{verdict:?}");
    let to_amy = |sent: &[Sent]| -> Vec<String> {
        sent.iter().filter(|sent| sent.user_id == "+12125550113").map(|sent| sent.text.clone()).collect()
    };
    // The one thing she still gets is the confirmation, once, however often she says it.
    let confirmed = fleet.sandbox.wait_for(|sent| to_amy(sent).first().cloned()).await;
    assert!(confirmed.contains("Acme"), "{confirmed}");
    amy.say("stop").await;
    agent.command("again", reply(&conversation, "and this")).await;
    agent.wait("the second refusal", |seen| (seen.count_of("message.refused") >= 2).then_some(())).await;
    assert_eq!(to_amy(&fleet.sandbox.sent()), [confirmed]);

    // START opens the door again.
    amy.say("START").await;
    fleet.sandbox.wait_for(|sent| (to_amy(sent).len() >= 2).then_some(())).await;
    agent.command("welcome", reply(&conversation, "welcome back")).await;
    fleet.sandbox.wait_for(|sent| to_amy(sent).contains(&"welcome back".to_owned()).then_some(())).await;
}

/// WeChat's account with a window of two seconds.
const SHORT_WINDOW: &str = "
  windows: [{ kind: message, open: 2s }]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_window_becomes_a_template_or_a_refusal_with_its_reason() {
    let fleet = Fleet::start(&["wechat", "router", "egress", "desk"]).await;
    let (with, without) = fleet.tenant(|manifest| {
        let short = manifest.replace(
            "settings: { app_id: wx0123456789abcdef, mode: encrypted }",
            &format!("settings: {{ app_id: wx0123456789abcdef, mode: encrypted }}{SHORT_WINDOW}"),
        );
        let bare = short.replace(
            "  templates:\n    - { channel: wechat, name: we-answered, text_parameter: answer }\n",
            "",
        );
        assert_ne!(short, bare);
        (short, bare)
    });
    fleet.apply(&with).await;
    let agent = ann(&fleet, silent()).await;
    fleet.sandbox.customer("acme-cn", "oLate", "Late").say("在吗").await;
    let conversation = agent.wait("the question", |seen| conversation_of(seen, "在吗")).await;
    // The window is over two seconds after the message: only time closes it.
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;

    agent.command("templated", reply(&conversation, "your lamp is here")).await;
    let sent = fleet.sandbox.wait_for(|sent| sent.last().cloned()).await;
    assert_eq!(sent.request["template_id"], "we-answered", "{}", sent.request);
    assert_eq!(sent.request["data"]["answer"]["value"], "your lamp is here");
    let reasons = agent
        .wait("what became of it", |seen| {
            seen.newest(|event| match &event.payload {
                Some(Payload::MessageSent(it)) => Some(it.transcoding.clone()),
                _ => None,
            })
        })
        .await;
    assert!(reasons.iter().any(|reason| reason.code == "window.template"), "{reasons:?}");

    // Without a template the desk is told why it cannot go.
    fleet.apply(&without).await;
    agent.command("refused", reply(&conversation, "and another thing")).await;
    let verdict = agent.wait("the refusal", |seen| seen.newest(refusal)).await;
    assert_eq!(verdict.outcome(), Outcome::NeedsTemplate, "{verdict:?}");
    assert!(codes(&verdict).iter().any(|code| code.starts_with("policy.window.")), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_policy_is_in_force_on_every_replica_and_a_bad_one_changes_nothing() {
    let fleet = Fleet::start(&["sms", "router", "router-2", "egress", "egress-2", "desk"]).await;
    let agent = ann(&fleet, echo()).await;
    let from = |number: usize| format!("+1212555{number:04}");
    for number in 0..20 {
        fleet.sandbox.customer("acme-us", &from(number), "Caller").say("before").await;
    }
    fleet.sandbox.wait_for(|sent| (sent.len() >= 20).then_some(())).await;

    let (stricter, broken) = fleet.tenant(|manifest| {
        let rules =
            "  rules:\n    - { name: no-sms, match: { channels: [sms] }, then: deny, reason: closed }\n";
        let stricter = manifest.replace("  fallback:\n", &format!("{rules}  fallback:\n"));
        let broken = stricter.replace("then: deny", "when: 'mesage.class == \"service\"', then: deny");
        (stricter, broken)
    });
    fleet.apply(&stricter).await;
    for number in 0..20 {
        fleet.sandbox.customer("acme-us", &from(number), "Caller").say("after").await;
    }
    agent.wait("the refusals", |seen| (seen.count_of("message.refused") >= 20).then_some(())).await;
    assert_eq!(fleet.sandbox.sent().len(), 20, "nothing left after the policy forbade it");
    let versions = |seen: &Transcript, said: &str| -> Vec<i64> {
        let decided = seen.events.values().filter_map(|event| match &event.payload {
            Some(Payload::MessageReceived(it)) => {
                let text = content::preview(it.message.as_ref()?.content.as_ref()?);
                (text == said).then(|| it.verdict.as_ref().map_or(0, |verdict| verdict.policy_version))
            }
            _ => None,
        });
        decided.collect()
    };
    let seen = agent.transcript();
    assert!(versions(&seen, "before").iter().all(|version| *version == 1), "{:?}", versions(&seen, "before"));
    let refused: Vec<i64> =
        seen.events.values().filter_map(refusal).map(|verdict| verdict.policy_version).collect();
    assert!(refused.iter().all(|version| *version == 2), "{refused:?}");

    // Whole or not at all: the field and its line are named, and the old one stays in force.
    let said = fleet.refused(&broken).await;
    assert!(said.contains("spec.rules[0].when") && said.contains("message"), "{said}");
    let held = fleet.cli(&["get", "ChannelPolicy", "default", "--tenant", "acme", "-o", "yaml"]).await;
    assert!(held.contains("no-sms") && !held.contains("mesage"), "{held}");
}
