//! Deliveries whose outcome nobody knows.

use std::sync::Arc;

use heliograph_proto::v1::{ErrorClass, deliver_response::Outcome, event::Payload};
use tokio::sync::Semaphore;
use tonic::Status;

use crate::support::{Channel, Step, World, code, delivered, holds};

/// A channel whose first call never comes back.
fn stuck(idempotent: bool) -> Channel {
    let sms = Channel::start("sms");
    sms.capable(|capabilities| capabilities.idempotent_send = idempotent);
    let never = Arc::new(Semaphore::new(0));
    sms.plan(move |request, before| match before {
        0 if request.conversation == "cnv_1" && request.message.as_ref().is_some_and(is_first) => {
            Step::After(Arc::clone(&never), delivered(&request.delivery_id))
        }
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    sms
}

fn is_first(message: &heliograph_proto::v1::Message) -> bool {
    message.content.as_ref().is_some_and(|content| heliograph_domain::content::preview(content) == "0")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_delivery_is_held_and_not_sent_again() {
    let world = World::start().await;
    let sms = stuck(false);
    let egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    holds("the call to be under way", || sms.calls().len() == 1).await;
    egress.kill();
    let egress = world.egress_with("two", World::config(), &[&sms]).await;
    let doubts = world.events_of("cnv_1", "message.in_doubt", 1).await;
    let Some(Payload::MessageInDoubt(doubt)) = &doubts[0].payload else { panic!("{doubts:?}") };
    assert_eq!((doubt.error.as_ref().unwrap().code.as_str(), doubt.attempt), ("interrupted", 1));
    world.events_of("cnv_1", "message.sent", 1).await;
    world.drained("sms").await;
    assert_eq!(sms.delivered_in("cnv_1"), ["1"]);
    assert_eq!(sms.calls().len(), 2, "the doubtful one was called once");
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_tells_repeats_is_called_again_with_the_same_id() {
    let world = World::start().await;
    let sms = stuck(true);
    let egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    holds("the call to be under way", || sms.calls().len() == 1).await;
    egress.kill();
    let _egress = world.egress_with("two", World::config(), &[&sms]).await;
    world.events_of("cnv_1", "message.sent", 2).await;
    assert_eq!(sms.delivered_in("cnv_1"), ["0", "1"]);
    let calls = sms.calls();
    assert_eq!(calls[0].request.delivery_id, calls[1].request.delivery_id);
    assert_eq!((calls[0].request.attempt, calls[1].request.attempt), (1, 2));
    assert!(world.events("cnv_1").await.iter().all(|event| event.r#type == "message.sent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_may_want_doubtful_messages_sent_again() {
    let world = World::start().await;
    world
        .apply("apiVersion: heliograph.dev/v1\nkind: Tenant\nmetadata: { name: acme }\nspec: { display_name: Acme, in_doubt: retry }\n")
        .await;
    let sms = Channel::start("sms");
    sms.plan(|request, before| match before {
        0 => Step::Answer(Outcome::InDoubt(code(ErrorClass::InDoubt, "timeout"))),
        1 => Step::Refuse(Status::internal("the connection broke")),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    assert_eq!(sms.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_is_not_sure_of_is_held() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|request, _| match request.conversation.as_str() {
        "cnv_1" => Step::Answer(Outcome::InDoubt(code(ErrorClass::InDoubt, "timeout"))),
        "cnv_2" => Step::Refuse(Status::internal("the connection broke")),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    for conversation in ["cnv_1", "cnv_2"] {
        world.queue_many("sms", conversation, 1).await;
        world.events_of(conversation, "message.in_doubt", 1).await;
    }
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_will_never_know_is_held_though_it_tells_repeats() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.capable(|capabilities| capabilities.idempotent_send = true);
    sms.plan(|_, before| match before {
        0 => Step::Answer(Outcome::InDoubt(code(ErrorClass::InDoubt, "timeout"))),
        _ => Step::Answer(Outcome::InDoubt(code(ErrorClass::Permanent, "invalid_reply_token"))),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    let doubts = world.events_of("cnv_1", "message.in_doubt", 1).await;
    let Some(Payload::MessageInDoubt(doubt)) = &doubts[0].payload else { panic!("{doubts:?}") };
    let error = doubt.error.as_ref().unwrap();
    assert_eq!((error.code.as_str(), error.error_class()), ("invalid_reply_token", ErrorClass::InDoubt));
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 2, "asked again while that could tell something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_under_a_call_leaves_it_in_doubt() {
    let world = World::start().await;
    let sms = stuck(false);
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    holds("the call to be under way", || sms.calls().len() == 1).await;
    // The server goes away with the call in its hands.
    drop(sms);
    let doubts = world.events_of("cnv_1", "message.in_doubt", 1).await;
    assert_eq!(doubts.len(), 1);
    world.drained("sms").await;
}
