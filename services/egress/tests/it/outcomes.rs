//! What a channel says, and what follows from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use heliograph_egress::RetryConfig;
use heliograph_fabric::{DeadFilter, DeadLetters};
use heliograph_proto::v1::{ErrorClass, deliver_response::Outcome, event::Payload, verdict};
use heliograph_store::consent::{Choice, ConsentStore};
use tonic::Status;

use crate::support::{Channel, Step, World, code, delivered, holds, later, permanent, stamp};

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_the_provider_asks_for_is_kept() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let wait = Duration::from_millis(1_500);
    sms.plan(move |request, before| match (request.conversation.as_str(), before) {
        ("cnv_1", 0) => Step::Answer(later(Some(wait), false)),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    world.queue_many("sms", "cnv_2", 1).await;
    world.events_of("cnv_1", "message.sent", 2).await;
    let calls: Vec<_> = sms.calls().into_iter().filter(|call| call.request.conversation == "cnv_1").collect();
    let attempts: Vec<_> = calls.iter().map(|call| (call.text.as_str(), call.request.attempt)).collect();
    assert_eq!(attempts, [("0", 1), ("0", 2), ("1", 1), ("1", 2)]);
    for pair in calls.chunks(2) {
        assert!(pair[1].at - pair[0].at >= wait, "asked again after {:?}", pair[1].at - pair[0].at);
        assert_eq!(pair[0].request.delivery_id, pair[1].request.delivery_id);
    }
    let deferred = world.events_of("cnv_1", "message.deferred", 2).await;
    let Some(Payload::MessageDeferred(deferred)) = &deferred[0].payload else { panic!("{deferred:?}") };
    assert_eq!(deferred.error.as_ref().unwrap().code, "429");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_the_whole_account_holds_for_all_its_lanes_and_no_others() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let wait = Duration::from_millis(1_500);
    sms.plan(move |request, before| match (request.conversation.as_str(), before) {
        ("cnv_1", 0) => Step::Answer(later(Some(wait), true)),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    holds("the account to be told to wait", || sms.calls().len() == 1).await;
    world.events_of("cnv_1", "message.deferred", 1).await;
    world.queue_many("sms", "cnv_2", 1).await;
    let mut other = World::outbound("sms", "cnv_3", 0);
    other.message.as_mut().unwrap().address.as_mut().unwrap().account = "other".to_owned();
    world.queue(&other).await;
    world.events_of("cnv_3", "message.sent", 1).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    world.events_of("cnv_2", "message.sent", 1).await;
    let calls = sms.calls();
    let began = calls[0].at;
    for call in calls.iter().skip(1).filter(|call| call.request.account == "main") {
        assert!(call.at - began >= wait, "{} after {:?}", call.request.conversation, call.at - began);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_failure_is_said_and_the_next_message_goes_on() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|request, _| match request.conversation.as_str() {
        "cnv_grpc" => Step::Refuse(Status::invalid_argument("no")),
        _ if request.message.as_ref().unwrap().id.is_empty() => panic!("a message has an id"),
        _ => Step::Answer(permanent(ErrorClass::Permanent, "30006")),
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    world.queue_many("sms", "cnv_grpc", 1).await;
    let failed = world.events_of("cnv_1", "message.failed", 2).await;
    let Some(Payload::MessageFailed(first)) = &failed[0].payload else { panic!("{failed:?}") };
    assert_eq!((first.error.as_ref().unwrap().code.as_str(), first.attempt), ("30006", 1));
    let refused = world.events_of("cnv_grpc", "message.failed", 1).await;
    let Some(Payload::MessageFailed(refused)) = &refused[0].payload else { panic!("{refused:?}") };
    assert_eq!(refused.error.as_ref().unwrap().code, "grpc_invalidargument");
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_put_off_too_often_becomes_a_dead_letter_that_can_be_replayed() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|_, _| Step::Answer(later(None, false)));
    let mut config = World::config();
    config.retry = RetryConfig { attempts: 3, ..config.retry };
    let _egress = world.egress_with("one", config, &[&sms]).await;
    world.queue_many("sms", "cnv_1", 1).await;
    world.events_of("cnv_1", "message.failed", 1).await;
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 3);
    let dead = DeadLetters::new(&world.fabric);
    let letters = dead.list(&DeadFilter::default(), 0, 10).await.unwrap();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.stage.as_str(), letter.reason.as_str(), letter.tries), ("egress", "attempts", 3));
    sms.plan(|request, _| Step::Answer(delivered(&request.delivery_id)));
    dead.replay(letter.seq, Duration::from_secs(10)).await.unwrap();
    world.events_of("cnv_1", "message.sent", 1).await;
    assert_eq!(sms.calls().last().unwrap().request.attempt, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_worth_sending_any_more_is_not_sent() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    let mut out = World::outbound("sms", "cnv_1", 0);
    out.expires_at = Some(stamp(1_000));
    world.queue(&out).await;
    world.queue(&World::outbound("sms", "cnv_1", 1)).await;
    let failed = world.events_of("cnv_1", "message.failed", 1).await;
    let Some(Payload::MessageFailed(failed)) = &failed[0].payload else { panic!("{failed:?}") };
    assert_eq!(failed.error.as_ref().unwrap().code, "expired");
    world.events_of("cnv_1", "message.sent", 1).await;
    assert_eq!(sms.delivered_in("cnv_1"), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_account_stops_and_goes_on_by_itself() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let works = Arc::new(AtomicBool::new(false));
    let its = Arc::clone(&works);
    sms.plan(move |request, _| {
        if request.account == "main" && !its.load(Ordering::SeqCst) {
            Step::Answer(Outcome::Auth(code(ErrorClass::Auth, "401")))
        } else {
            Step::Answer(delivered(&request.delivery_id))
        }
    });
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 3).await;
    world.queue_many("sms", "cnv_2", 3).await;
    let deferred = world.events_of("cnv_1", "message.deferred", 1).await;
    let Some(Payload::MessageDeferred(deferred)) = &deferred[0].payload else { panic!("{deferred:?}") };
    assert_eq!(deferred.error.as_ref().unwrap().error_class(), ErrorClass::Auth);
    world.events_of("cnv_2", "message.deferred", 1).await;
    let mut other = World::outbound("sms", "cnv_3", 0);
    other.message.as_mut().unwrap().address.as_mut().unwrap().account = "other".to_owned();
    world.queue(&other).await;
    world.events_of("cnv_3", "message.sent", 1).await;
    holds("probes", || sms.calls().iter().filter(|call| call.request.account == "main").count() >= 4).await;
    assert!(sms.delivered_in("cnv_1").is_empty());
    works.store(true, Ordering::SeqCst);
    for conversation in ["cnv_1", "cnv_2"] {
        world.events_of(conversation, "message.sent", 3).await;
        assert_eq!(sms.delivered_in(conversation), ["0", "1", "2"]);
    }
    world.drained("sms").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_with_the_provider_is_written_down() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|_, _| Step::Answer(permanent(ErrorClass::OptedOut, "21610")));
    let _egress = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 2).await;
    let contact = World::outbound("sms", "cnv_1", 0).contact;
    world.events_of("cnv_1", "consent.changed", 1).await;
    // The one that the provider refused, and the one after it.
    for refused in world.events_of("cnv_1", "message.refused", 2).await {
        let Some(Payload::MessageRefused(refused)) = &refused.payload else { panic!("{refused:?}") };
        let verdict = refused.verdict.as_ref().unwrap();
        assert_eq!(verdict.outcome(), verdict::Outcome::Deny);
        assert!(verdict.fired[0].text.contains("provider 21610"), "{verdict:?}");
    }
    let consent = ConsentStore::open(world.fabric.jetstream()).await.unwrap();
    let said = consent.effective("acme", &contact, "sms", "marketing").await.unwrap().unwrap();
    assert_eq!(said.choice, Choice::OptedOut);
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_away_is_waited_for() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = Channel::start("webchat");
    let egress = world.egress(&[&sms, &nowhere]).await;
    drop((nowhere, gone));
    // Nobody answers there any more.
    world.queue_many("webchat", "cnv_1", 1).await;
    world.queue_many("sms", "cnv_2", 1).await;
    world.events_of("cnv_2", "message.sent", 1).await;
    world.events_of("cnv_1", "message.deferred", 1).await;
    assert!(egress.health.is_ready(), "{:?}", egress.health.report());
    assert_eq!(world.events("cnv_1").await.len(), 1, "it waits, and nothing is in doubt");
}
