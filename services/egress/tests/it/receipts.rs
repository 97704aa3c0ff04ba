//! Receipts that are waited for.

use heliograph_proto::v1::{ErrorClass, MessageDelivered, MessageFailed, OutboundMessage, event::Payload};

use crate::support::{Channel, World, code};

fn with_receipts() -> Channel {
    let sms = Channel::start("sms");
    sms.capable(|capabilities| capabilities.receipts_delivered = true);
    sms
}

async fn message(world: &World, conversation: &str) -> OutboundMessage {
    let contact = world.contact(conversation).await;
    OutboundMessage { contact: contact.id.clone(), ..World::outbound("sms", conversation, 0) }
}

fn id(out: &OutboundMessage) -> String {
    out.message.as_ref().unwrap().id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_confirms_in_time_goes_by_another_channel() {
    let world = World::start().await;
    world
        .policy("  fallback:\n    - { name: unheard, on: [no_receipt, failed], after: 3s, to: [webchat] }\n")
        .await;
    let sms = with_receipts();
    let _egress = world.egress(&[&sms]).await;
    let conversations = ["cnv_silent", "cnv_delivered", "cnv_failed"];
    let mut messages = Vec::new();
    for conversation in conversations {
        let out = message(&world, conversation).await;
        world.queue(&out).await;
        messages.push(out);
    }
    for conversation in conversations {
        world.events_of(conversation, "message.sent", 1).await;
    }
    let delivered = MessageDelivered { message_id: id(&messages[1]) };
    world.tell(&messages[1], Payload::MessageDelivered(delivered)).await;
    let failed = MessageFailed {
        message_id: id(&messages[2]),
        error: Some(code(ErrorClass::Permanent, "30003")),
        attempt: 1,
    };
    world.tell(&messages[2], Payload::MessageFailed(failed)).await;
    for (conversation, trigger) in [("cnv_silent", "no_receipt"), ("cnv_failed", "failed")] {
        let rerouted = world.events_of(conversation, "message.rerouted", 1).await;
        let Some(Payload::MessageRerouted(rerouted)) = &rerouted[0].payload else { panic!("{rerouted:?}") };
        assert_eq!((rerouted.trigger.as_str(), rerouted.rule.as_str()), (trigger, "unheard"));
    }
    // All the questions have been asked by now, or are in hand.
    crate::support::until("no question to wait", || async {
        let waiting =
            world.fabric.read_subject(heliograph_fabric::Stream::Outbound, "hg.later.*").await.unwrap();
        waiting.is_empty().then_some(())
    })
    .await;
    world.drained("sms").await;
    assert_eq!(world.entries().await.len(), 2);
    assert!(world.events("cnv_delivered").await.iter().all(|event| event.r#type != "message.rerouted"));
    assert_eq!(sms.calls().len(), 3, "nothing is sent again by the channel that took it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_reported_late_is_a_failure() {
    let world = World::start().await;
    world.policy("  fallback:\n    - { name: elsewhere, on: [failed], to: [webchat] }\n").await;
    let sms = with_receipts();
    let _egress = world.egress(&[&sms]).await;
    let out = message(&world, "cnv_1").await;
    world.queue(&out).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    world.drained("sms").await;
    let failed =
        MessageFailed { message_id: id(&out), error: Some(code(ErrorClass::Permanent, "30003")), attempt: 1 };
    world.tell(&out, Payload::MessageFailed(failed)).await;
    let rerouted = world.events_of("cnv_1", "message.rerouted", 1).await;
    let Some(Payload::MessageRerouted(rerouted)) = &rerouted[0].payload else { panic!("{rerouted:?}") };
    assert_eq!((rerouted.trigger.as_str(), rerouted.rule.as_str()), ("failed", "elsewhere"));
    world.drained("sms").await;
    assert_eq!((world.entries().await.len(), sms.calls().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_the_policy_does_not_wait_or_the_channel_has_no_receipts() {
    let world = World::start().await;
    world.policy("  fallback:\n    - { name: unheard, on: [no_receipt], after: 1h, match: { channels: [sms] }, to: [webchat] }\n").await;
    let (sms, webchat) = (Channel::start("sms"), Channel::start("webchat"));
    webchat.capable(|capabilities| capabilities.receipts_delivered = true);
    let _egress = world.egress(&[&sms, &webchat]).await;
    for channel in ["sms", "webchat"] {
        world.queue_many(channel, "cnv_1", 1).await;
        world.drained(channel).await;
    }
    world.events_of("cnv_1", "message.sent", 1).await;
    let waiting = world.fabric.read_subject(heliograph_fabric::Stream::Outbound, "hg.later.*").await.unwrap();
    assert!(waiting.is_empty());
}
