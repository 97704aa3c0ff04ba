//! Receipts that are waited for.

use heliograph_proto::v1::{
    Address, ErrorClass, MessageDelivered, MessageFailed, OutboundMessage, event::Payload,
};
use heliograph_store::{contacts, deliveries::DeliveryStore, now_ms};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_waits_for_a_read_mark_or_is_read_by_one_that_came_before() {
    let world = World::start().await;
    let messenger = Channel::start("sms");
    messenger.capable(|capabilities| capabilities.receives = vec!["text".to_owned(), "read_mark".to_owned()]);
    let _egress = world.egress(&[&messenger]).await;
    let deliveries = DeliveryStore::open(world.fabric.jetstream()).await.unwrap();
    let before = now_ms();
    let out = message(&world, "cnv_1").await;
    world.queue(&out).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    let Address { channel, account, user_id, .. } = out.message.as_ref().unwrap().address.clone().unwrap();
    let address = contacts::Address::new(channel, account, user_id);
    let unread = crate::support::until("it is written down", || async {
        deliveries.unread(&out.tenant, &address).await.unwrap().into_iter().next()
    })
    .await;
    assert_eq!(
        (&unread.reference.message_id, unread.reference.conversation_id.as_str()),
        (&id(&out), "cnv_1")
    );
    assert!((before..=now_ms()).contains(&unread.sent_at_ms), "{unread:?}");

    // The customer reads faster than we write.
    assert!(!deliveries.put_read(&out.tenant, &address, now_ms() + 600_000, &[]).await.unwrap());
    let next = OutboundMessage { contact: out.contact.clone(), ..World::outbound("sms", "cnv_1", 1) };
    world.queue(&next).await;
    let read = world.events_of("cnv_1", "message.read", 1).await;
    let Some(Payload::MessageRead(it)) = &read[0].payload else { panic!("{read:?}") };
    assert_eq!(it.message_id, id(&next));
    let kinds: Vec<String> = world.events("cnv_1").await.into_iter().map(|event| event.r#type).collect();
    assert_eq!(kinds, ["message.sent", "message.sent", "message.read"]);
}
