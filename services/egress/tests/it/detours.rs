//! Another channel for what could not reach the customer by its own.

use heliograph_domain::ids;
use heliograph_proto::v1::{
    Address, Detour, ErrorClass, Message, MessageRerouted, Notice, OutboundMessage, SendRequested,
    deliver_response::Outcome, event::Payload, routing_entry,
};

use crate::rules::refusal;
use crate::support::{Channel, Step, World, code, permanent};

fn fallback(on: &str, to: &str) -> String {
    format!("  fallback:\n    - {{ name: elsewhere, on: [{on}], to: [{to}] }}\n")
}

async fn message(world: &World, conversation: &str, number: usize) -> OutboundMessage {
    let contact = world.contact(conversation).await;
    OutboundMessage { contact: contact.id.clone(), ..World::outbound("sms", conversation, number) }
}

async fn rerouted(world: &World, conversation: &str) -> MessageRerouted {
    let events = world.events_of(conversation, "message.rerouted", 1).await;
    match &events[0].payload {
        Some(Payload::MessageRerouted(rerouted)) => rerouted.clone(),
        other => panic!("{other:?}"),
    }
}

/// The only entry of the routing log.
async fn sent_on(world: &World) -> SendRequested {
    let entries = world.entries().await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    match &entry.kind {
        Some(routing_entry::Kind::Send(send)) => send.clone(),
        other => panic!("{other:?}"),
    }
}

async fn kinds(world: &World, conversation: &str) -> Vec<String> {
    world.events(conversation).await.into_iter().map(|event| event.r#type).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_goes_by_the_next_channel_and_the_chain_ends() {
    let world = World::start().await;
    world.policy(&fallback("failed", "email, webchat, sms")).await;
    let (sms, webchat) = (Channel::start("sms"), Channel::start("webchat"));
    for channel in [&sms, &webchat] {
        channel.plan(|_, _| Step::Answer(permanent(ErrorClass::Permanent, "30006")));
    }
    let _egress = world.egress(&[&sms, &webchat]).await;
    let out = message(&world, "cnv_1", 0).await;
    world.queue(&out).await;
    let event = rerouted(&world, "cnv_1").await;
    let send = sent_on(&world).await;
    let new = send.message.clone().unwrap();
    let old = out.message.clone().unwrap();
    assert_eq!(
        (event.message_id.as_str(), event.new_message_id.as_str()),
        (old.id.as_str(), new.id.as_str())
    );
    assert_eq!((event.from_channel.as_str(), event.trigger.as_str()), ("sms", "failed"));
    assert_eq!((event.rule.as_str(), event.to), ("elsewhere", new.address.clone()));
    assert_eq!((new.content.as_ref(), send.contact.as_str()), (old.content.as_ref(), out.contact.as_str()));
    let address = new.address.as_ref().unwrap();
    assert_eq!((address.channel.as_str(), address.user_id.as_str()), ("webchat", "user-of-cnv_1"));
    let detour = send.detour.clone().unwrap();
    let expected = Detour {
        message_id: old.id,
        trigger: "failed".to_owned(),
        rule: "elsewhere".to_owned(),
        channels: vec!["sms".to_owned()],
    };
    assert_eq!(detour, expected);
    assert_eq!(kinds(&world, "cnv_1").await, ["message.rerouted"], "nothing else is said of it");

    // The router hands it back, and this channel fails as well: every channel was tried.
    let next = OutboundMessage {
        delivery_id: ids::derive(ids::DELIVERY, &[&new.id]),
        message: Some(new),
        detour: Some(detour),
        ..out
    };
    world.queue(&next).await;
    let failed = world.events_of("cnv_1", "message.failed", 1).await;
    let codes: Vec<&str> = failed[0].reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["fallback.no_address"], "{failed:?}");
    assert_eq!(world.entries().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_in_part_goes_nowhere_else() {
    let world = World::start().await;
    world.policy(&fallback("failed", "webchat")).await;
    let sms = Channel::start("sms");
    sms.capable(|capabilities| capabilities.text_limit = 10);
    let first = World::outbound("sms", "cnv_1", 0).delivery_id;
    sms.plan(move |request, _| {
        if request.delivery_id == first {
            return Step::Answer(crate::support::delivered(&request.delivery_id));
        }
        Step::Answer(permanent(ErrorClass::Permanent, "30006"))
    });
    let _egress = world.egress(&[&sms]).await;
    let mut out = message(&world, "cnv_1", 0).await;
    out.message.as_mut().unwrap().content = Some(heliograph_domain::content::text("two parts of text"));
    world.queue(&out).await;
    world.events_of("cnv_1", "message.failed", 1).await;
    assert_eq!(sms.calls().len(), 2);
    assert!(world.entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detour_taken_twice_is_taken_once() {
    let world = World::start().await;
    world.policy(&fallback("failed", "webchat")).await;
    let sms = Channel::start("sms");
    sms.plan(|_, _| Step::Answer(permanent(ErrorClass::Permanent, "30006")));
    let _egress = world.egress(&[&sms]).await;
    let out = message(&world, "cnv_1", 0).await;
    world.queue(&out).await;
    rerouted(&world, "cnv_1").await;
    world.queue_again(&out).await;
    world.drained("sms").await;
    sent_on(&world).await;
    assert_eq!(kinds(&world, "cnv_1").await, ["message.rerouted"]);
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_nowhere_to_go_says_why() {
    let world = World::start().await;
    let rule = "  rules:\n    - { name: no-chat, match: { channels: [webchat] }, then: deny }\n";
    world.policy(&format!("{rule}{}", fallback("failed", "email, webchat"))).await;
    let sms = Channel::start("sms");
    sms.plan(|_, _| Step::Answer(permanent(ErrorClass::Permanent, "30006")));
    let _egress = world.egress(&[&sms]).await;
    world.queue(&message(&world, "cnv_1", 0).await).await;
    let failed = world.events_of("cnv_1", "message.failed", 1).await;
    let reasons: Vec<_> =
        failed[0].reasons.iter().map(|reason| (reason.code.as_str(), reason.text.as_str())).collect();
    assert_eq!(reasons[0].0, "fallback.no_address");
    assert!(reasons[1].0 == "fallback.not_allowed" && reasons[1].1.contains("no-chat"), "{reasons:?}");
    assert!(world.entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_goes_where_the_policy_says_unless_it_answers_an_opt_out() {
    let world = World::start().await;
    let rule = "  rules:\n    - { name: no-sms, match: { channels: [sms] }, then: deny }\n";
    world.policy(&format!("{rule}{}", fallback("denied", "webchat"))).await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    let notice = OutboundMessage { notice: Notice::OptOut.into(), ..message(&world, "cnv_2", 0).await };
    world.queue(&notice).await;
    world.events_of("cnv_2", "message.refused", 1).await;
    world.queue(&message(&world, "cnv_1", 0).await).await;
    assert_eq!(rerouted(&world, "cnv_1").await.trigger, "denied");
    assert_eq!(sent_on(&world).await.message.unwrap().address.unwrap().channel, "webchat");
    assert!(sms.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_names_channels_needs_no_fallback() {
    let world = World::start().await;
    world.policy("  rules:\n    - { name: chat, then: { use_channel: [webchat] } }\n").await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    world.queue(&message(&world, "cnv_1", 0).await).await;
    let event = rerouted(&world, "cnv_1").await;
    assert_eq!((event.trigger.as_str(), event.rule.as_str()), ("denied", "chat"));
    assert_eq!(event.to.unwrap().channel, "webchat");
    // A customer who is only reached by SMS is not written to.
    world.queue(&World::outbound("sms", "cnv_2", 0)).await;
    let refused = world.events_of("cnv_2", "message.refused", 1).await;
    assert_eq!(refused[0].reasons[0].code, "fallback.no_address", "{:?}", refusal(&refused[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_is_a_reason_only_where_the_tenant_says_so() {
    let world = World::start().await;
    world.policy(&fallback("failed", "webchat")).await;
    let sms = Channel::start("sms");
    sms.plan(|_, _| Step::Answer(Outcome::InDoubt(code(ErrorClass::InDoubt, "timeout"))));
    let egress = world.egress(&[&sms]).await;
    world.queue(&message(&world, "cnv_1", 0).await).await;
    world.events_of("cnv_1", "message.in_doubt", 1).await;
    assert!(world.entries().await.is_empty());
    egress.stop().await;
    world.policy(&fallback("failed, in_doubt", "webchat")).await;
    let _egress = world.egress_with("two", World::config(), &[&sms]).await;
    world.queue(&message(&world, "cnv_2", 0).await).await;
    assert_eq!(rerouted(&world, "cnv_2").await.trigger, "in_doubt");
    assert_eq!(kinds(&world, "cnv_2").await, ["message.rerouted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_is_a_reason_where_no_template_stands_in() {
    let world = World::start().await;
    world.policy(&fallback("window_closed", "sms")).await;
    let webchat = crate::rules::with_window(0);
    let _egress = world.egress(&[&webchat]).await;
    let contact = world.contact("cnv_1").await;
    let out = OutboundMessage { contact: contact.id.clone(), ..World::outbound("webchat", "cnv_1", 0) };
    world.queue(&out).await;
    let event = rerouted(&world, "cnv_1").await;
    assert_eq!((event.trigger.as_str(), event.to.unwrap().channel.as_str()), ("window_closed", "sms"));
    assert!(webchat.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_about_closed_windows_names_the_channel() {
    let world = World::start().await;
    world
        .policy("  rules:\n    - { name: texts, when: \"!window.open\", then: { use_channel: [sms] } }\n")
        .await;
    let webchat = crate::rules::with_window(0);
    let _egress = world.egress(&[&webchat]).await;
    let contact = world.contact("cnv_1").await;
    let out = OutboundMessage { contact: contact.id.clone(), ..World::outbound("webchat", "cnv_1", 0) };
    world.queue(&out).await;
    let event = rerouted(&world, "cnv_1").await;
    assert_eq!((event.rule.as_str(), event.to.unwrap().channel.as_str()), ("texts", "sms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_became_known_last_is_taken() {
    let world = World::start().await;
    world.policy(&fallback("failed", "sms")).await;
    let webchat = Channel::start("webchat");
    webchat.plan(|_, _| Step::Answer(permanent(ErrorClass::Permanent, "gone")));
    let _egress = world.egress(&[&webchat]).await;
    let contact = world.contact("cnv_1").await;
    let newer = Address { user_id: "newer".to_owned(), ..sms_address() };
    world.join(&contact.id, &newer).await;
    let out = OutboundMessage { contact: contact.id.clone(), ..World::outbound("webchat", "cnv_1", 0) };
    world.queue(&out).await;
    assert_eq!(rerouted(&world, "cnv_1").await.to.unwrap().user_id, "newer");
    let Some(Message { reply_to: None, .. }) = sent_on(&world).await.message else { panic!("no reference") };
}

fn sms_address() -> Address {
    Address { channel: "sms".to_owned(), account: "main".to_owned(), ..Address::default() }
}
