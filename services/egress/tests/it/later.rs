//! Messages that policy puts off, and that come back.

use heliograph_proto::v1::{MessageClass, OutboundMessage, event::Payload, verdict};
use heliograph_store::{now_ms, trail::Trail};

use crate::rules::refusal;
use crate::support::{Channel, Step, World, delivered, later, stamp};

/// One service message in so long, to each customer.
fn cap(per: &str) -> String {
    format!(
        "  rules:\n    - {{ name: seldom, match: {{ classes: [service] }}, then: {{ at_most: {{ messages: 1, per: {per} }} }} }}\n"
    )
}

fn of_class(out: OutboundMessage, class: MessageClass) -> OutboundMessage {
    let mut out = out;
    out.message.as_mut().unwrap().message_class = class.into();
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_comes_back_once_and_what_may_go_does_not_wait_for_it() {
    let world = World::start().await;
    world.policy(&cap("3s")).await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    world.queue(&of_class(World::outbound("sms", "cnv_1", 2), MessageClass::Utility)).await;
    world.events_of("cnv_1", "message.sent", 3).await;
    assert_eq!(sms.delivered_in("cnv_1"), ["0", "2", "1"]);
    let deferred = world.events_of("cnv_1", "message.deferred", 1).await;
    let Some(Payload::MessageDeferred(deferred)) = &deferred[0].payload else { panic!("{deferred:?}") };
    let verdict = deferred.verdict.as_ref().unwrap();
    assert_eq!((verdict.outcome(), deferred.until), (verdict::Outcome::Defer, verdict.until));
    assert!(verdict.policy_version > 0);
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_survives_egress() {
    let world = World::start().await;
    world.policy(&cap("4s")).await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    world.events_of("cnv_1", "message.deferred", 1).await;
    world.drained("sms").await;
    egress.kill();
    let _egress = world.egress_with("two", World::config(), &[&sms]).await;
    world.events_of("cnv_1", "message.sent", 2).await;
    assert_eq!(sms.delivered_in("cnv_1"), ["0", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_worth_nothing_by_then_is_refused() {
    let world = World::start().await;
    world.policy(&cap("1h")).await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    let soon =
        OutboundMessage { expires_at: Some(stamp(now_ms() + 600_000)), ..World::outbound("sms", "cnv_1", 1) };
    world.queue(&soon).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]).0, verdict::Outcome::Defer);
    assert_eq!(refused[0].reasons[0].code, "egress.expires_before");
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_does_not_count_against_itself() {
    let world = World::start().await;
    world.policy(&cap("1h")).await;
    let sms = Channel::start("sms");
    // The first try of everything is put off by the provider.
    sms.plan(|request, before| match before {
        0 => Step::Answer(later(Some(std::time::Duration::from_millis(1_200)), false)),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    world.drained("sms").await;
    assert_eq!(sms.delivered_in("cnv_1"), ["0"]);
    let deferred = world.events_of("cnv_1", "message.deferred", 2).await;
    let by_policy = |event: &heliograph_proto::v1::Event| match &event.payload {
        Some(Payload::MessageDeferred(deferred)) => deferred.verdict.is_some(),
        _ => false,
    };
    assert_eq!(deferred.iter().map(by_policy).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_known_when_redis_forgets() {
    let world = World::start().await;
    world.policy(&cap("1h")).await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    let contact = world.contact("cnv_1").await;
    let trail = Trail::open(world.fabric.jetstream()).await.unwrap();
    trail.record("acme", &contact.addresses[0], "cnv_1", now_ms()).await.unwrap();
    let message = |conversation: &str, number| OutboundMessage {
        contact: contact.id.clone(),
        ..World::outbound("sms", conversation, number)
    };
    world.queue(&message("cnv_1", 0)).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    crate::rules::flush(&world).await;
    // In another conversation, too: caps are the contact's.
    for conversation in ["cnv_1", "cnv_2"] {
        world.queue(&message(conversation, 1)).await;
        world.events_of(conversation, "message.deferred", 1).await;
    }
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_either_counts_for_both_once_they_are_one_also_where_redis_did_not_hear_of_it() {
    let world = World::start().await;
    let rule = "{ name: seldom, match: { classes: [service] }, then: { at_most: { messages: 2, per: 1h } } }";
    world.policy(&format!("  rules:\n    - {rule}\n")).await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let (keep, other) = (world.contact("cnv_1").await, world.contact("cnv_2").await);
    let trail = Trail::open(world.fabric.jetstream()).await.unwrap();
    let mut sends = Vec::new();
    for (contact, conversation) in [(&keep, "cnv_1"), (&other, "cnv_2")] {
        trail.record("acme", &contact.addresses[0], conversation, now_ms()).await.unwrap();
        let out = OutboundMessage { contact: contact.id.clone(), ..World::outbound("sms", conversation, 0) };
        world.queue(&out).await;
        world.events_of(conversation, "message.sent", 1).await;
        sends.push(out);
    }
    // As a process joins them that cannot reach Redis.
    let address = sends[1].message.as_ref().unwrap().address.clone().unwrap();
    egress.stop().await;
    world.join(&keep.id, &address).await;
    let _egress = world.egress_with("two", World::config(), &[&sms]).await;
    world.queue(&OutboundMessage { contact: keep.id.clone(), ..World::outbound("sms", "cnv_1", 1) }).await;
    world.events_of("cnv_1", "message.deferred", 1).await;
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 2);
}
