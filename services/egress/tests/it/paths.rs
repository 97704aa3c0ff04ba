//! The path itself: order, bulkheads, takeover, handing over.

use std::sync::Arc;

use heliograph_proto::v1::{Choice, Content, Event, Option as Answer, content::Kind, event::Payload};
use heliograph_store::{Redis, RedisOptions, questions::Questions};
use tokio::sync::Semaphore;

use crate::support::{Channel, Step, World, delivered, holds, later, until};

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_out_once_and_is_said_to_be_sent() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let out = World::outbound("sms", "cnv_1", 0);
    world.queue(&out).await;
    let events = world.events_of("cnv_1", "message.sent", 1).await;
    world.drained("sms").await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (event.region.as_str(), event.channel.as_str(), event.account.as_str()),
        ("north-america", "sms", "main")
    );
    assert_eq!((&event.contact, &event.cause), (&out.contact, &out.delivery_id));
    let Some(Payload::MessageSent(sent)) = &event.payload else { panic!("{event:?}") };
    assert_eq!(sent.message_id, out.message.as_ref().unwrap().id);
    assert_eq!(
        (sent.provider_message_id.as_str(), sent.parts, sent.attempt),
        (&*format!("p-{}", out.delivery_id), 2, 1)
    );
    let calls = sms.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(call.request.correlation, format!("{}.cnv_1.north-america", sent.message_id));
    assert_eq!((call.request.attempt, call.request.tenant.as_str()), (1, "acme"));
    egress.health.ready().await;
    egress.stop().await;
    // Appended again, after the broker's own memory of ids or not, it is not sent again.
    let egress = world.egress(&[&sms]).await;
    let mut again = out.clone();
    again.accepted_at = None;
    let subject = heliograph_fabric::subjects::outbound("sms", 0, "acme").unwrap();
    let envelope =
        heliograph_fabric::Envelope::of("another-id", "outbound.message", "test", 0, &again).about("cnv_1");
    world.fabric.publish(&subject, &envelope, None).await.unwrap();
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 1);
    assert_eq!(world.events("cnv_1").await.len(), 1);
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_holds_in_a_conversation_while_messages_are_put_off() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|request, before| {
        // Every third message needs three tries.
        let number: usize = request.delivery_id.bytes().map(usize::from).sum();
        if number.is_multiple_of(3) && before < 2 {
            Step::Answer(later(None, false))
        } else {
            Step::Answer(delivered(&request.delivery_id))
        }
    });
    let _egress = world.egress(&[&sms]).await;
    let conversations = ["cnv_a", "cnv_b", "cnv_c", "cnv_d"];
    for number in 0..25 {
        for conversation in conversations {
            world.queue(&World::outbound("sms", conversation, number)).await;
        }
    }
    for conversation in conversations {
        world.events_of(conversation, "message.sent", 25).await;
        assert_eq!(sms.delivered_in(conversation), numbers(25));
    }
    world.drained("sms").await;
    assert!(sms.calls().len() > 100, "some were tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_slow_delays_itself_only() {
    let world = World::start().await;
    let (slow, fast) = (Channel::start("sms"), Channel::start("webchat"));
    let gate = Arc::new(Semaphore::new(0));
    let its = Arc::clone(&gate);
    slow.plan(move |request, _| match request.conversation.as_str() {
        "cnv_quick" => Step::Answer(delivered(&request.delivery_id)),
        _ => Step::After(Arc::clone(&its), delivered(&request.delivery_id)),
    });
    let config = heliograph_egress::EgressConfig { concurrency: 2, ..World::config() };
    let _egress = world.egress_with("one", config, &[&slow, &fast]).await;
    world.queue_many("sms", "cnv_stuck", 5).await;
    holds("the slow call to be under way", || slow.calls().len() == 1).await;
    // Another conversation of the channel goes on, and of the stuck one nothing more is tried.
    world.queue_many("sms", "cnv_quick", 5).await;
    world.events_of("cnv_quick", "message.sent", 5).await;
    assert_eq!(slow.delivered_in("cnv_quick"), numbers(5));
    // The whole channel is stuck: both calls it may have are taken.
    world.queue_many("sms", "cnv_stuck_too", 5).await;
    holds("both calls to be taken", || slow.calls().len() == 7).await;
    world.queue_many("webchat", "cnv_other", 20).await;
    world.events_of("cnv_other", "message.sent", 20).await;
    assert_eq!(fast.delivered_in("cnv_other"), numbers(20));
    assert_eq!(slow.calls().len(), 7);
    gate.add_permits(1_000);
    world.events_of("cnv_stuck", "message.sent", 5).await;
    world.events_of("cnv_stuck_too", "message.sent", 5).await;
    assert_eq!(slow.delivered_in("cnv_stuck"), numbers(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_takes_nobodys_place() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.plan(|request, _| match request.conversation.as_str() {
        "cnv_waits" => Step::Answer(later(Some(std::time::Duration::from_hours(1)), false)),
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let config = heliograph_egress::EgressConfig { concurrency: 1, ..World::config() };
    let egress = world.egress_with("one", config, &[&sms]).await;
    world.queue_many("sms", "cnv_waits", 2).await;
    world.events_of("cnv_waits", "message.deferred", 1).await;
    world.queue_many("sms", "cnv_goes", 10).await;
    world.events_of("cnv_goes", "message.sent", 10).await;
    assert_eq!(sms.calls().len(), 11);
    // Nor does it hold up the end of the process.
    egress.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_survives_a_takeover() {
    const COUNT: usize = 60;
    let world = World::start().await;
    let sms = Channel::start("sms");
    // So that what was under way at the kill may be sent again.
    sms.capable(|capabilities| capabilities.idempotent_send = true);
    let first = world.egress_with("one", World::config(), &[&sms]).await;
    first.health.ready().await;
    let second = world.egress_with("two", World::config(), &[&sms]).await;
    second.health.ready().await;
    let conversations = ["cnv_a", "cnv_b", "cnv_c", "cnv_d", "cnv_e", "cnv_f"];
    for number in 0..COUNT {
        for conversation in conversations {
            world.queue(&World::outbound("sms", conversation, number)).await;
        }
        if number == COUNT / 3 {
            holds("work to be under way", || sms.calls().len() > 20).await;
        }
        if number == COUNT / 2 {
            break;
        }
    }
    first.kill();
    for number in COUNT / 2 + 1..COUNT {
        for conversation in conversations {
            world.queue(&World::outbound("sms", conversation, number)).await;
        }
    }
    for conversation in conversations {
        world.events_of(conversation, "message.sent", COUNT).await;
        let mut seen: Vec<usize> =
            sms.delivered_in(conversation).iter().map(|number| number.parse().unwrap()).collect();
        // The message that was under way at the kill may come twice, right behind itself.
        seen.dedup();
        assert_eq!(seen, (0..COUNT).collect::<Vec<_>>(), "{conversation}");
    }
    world.drained("sms").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_loses_and_doubles_nothing() {
    const COUNT: usize = 40;
    let mut world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let conversations = ["cnv_a", "cnv_b", "cnv_c", "cnv_d"];
    for number in 0..COUNT {
        for conversation in conversations {
            world.queue(&World::outbound("sms", conversation, number)).await;
        }
    }
    holds("work to be under way", || sms.calls().len() > 20).await;
    world.nats.restart().await.unwrap();
    let mut doubts = 0;
    for conversation in conversations {
        let ended = until("every message to have an end", || async {
            let events = world.events(conversation).await;
            let ends = ["message.sent", "message.in_doubt"];
            let ended: Vec<Event> =
                events.into_iter().filter(|event| ends.contains(&&*event.r#type)).collect();
            (ended.len() >= COUNT).then_some(ended)
        })
        .await;
        assert_eq!(ended.len(), COUNT);
        doubts += ended.iter().filter(|event| event.r#type == "message.in_doubt").count();
        let delivered: Vec<usize> =
            sms.delivered_in(conversation).iter().map(|number| number.parse().unwrap()).collect();
        assert!(delivered.is_sorted_by(|one, next| one < next), "{delivered:?}");
    }
    // Nothing but what was under way when the broker went may be in doubt, if the partitions were lost with it.
    assert!(doubts <= conversations.len(), "{doubts} in doubt");
    world.drained("sms").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_handed_over_after_the_call_that_is_under_way() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let gate = Arc::new(Semaphore::new(0));
    let its = Arc::clone(&gate);
    sms.plan(move |request, _| Step::After(Arc::clone(&its), delivered(&request.delivery_id)));
    let first = world.egress(&[&sms]).await;
    world.queue_many("sms", "cnv_1", 3).await;
    holds("a call to be under way", || sms.calls().len() == 1).await;
    let stopping = tokio::spawn(first.stop());
    gate.add_permits(1);
    stopping.await.unwrap();
    assert_eq!(sms.calls().len(), 1, "nothing new is begun");
    gate.add_permits(10);
    let _second = world.egress_with("two", World::config(), &[&sms]).await;
    world.events_of("cnv_1", "message.sent", 3).await;
    assert_eq!(sms.delivered_in("cnv_1"), numbers(3));
    assert_eq!(sms.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_out_in_numbered_parts_and_is_remembered() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.capable(|capabilities| {
        capabilities.text_limit = 12;
        capabilities.text_unit = heliograph_proto::v1::TextUnit::CodePoints.into();
    });
    // The second part is put off once: the first is not sent again.
    sms.plan(|request, before| match (request.attempt, before) {
        (1, 0) if !request.delivery_id.is_empty() && request_text(request).starts_with("1.") => {
            Step::Answer(later(None, false))
        }
        _ => Step::Answer(delivered(&request.delivery_id)),
    });
    let _egress = world.egress(&[&sms]).await;
    let option =
        |id: &str, title: &str| Answer { id: id.to_owned(), title: title.to_owned(), ..Answer::default() };
    let choice = Choice {
        body: "Which one?".to_owned(),
        options: vec![option("r", "Red shoes"), option("b", "Blue shoes")],
        ..Choice::default()
    };
    let out = world.queue_content("sms", "cnv_1", Content { kind: Some(Kind::Choice(choice)) }).await;
    let events = world.events_of("cnv_1", "message.sent", 1).await;
    assert_eq!(sms.delivered_in("cnv_1").join("|"), "Which one?|1. Red shoes|2. Blue|shoes");
    let Some(Payload::MessageSent(sent)) = &events[0].payload else { panic!("{events:?}") };
    assert_eq!((sent.provider_part_ids.len(), sent.parts), (3, 8));
    assert!(sent.transcoding.iter().any(|reason| reason.code == "transcode.choice_to_text"), "{sent:?}");
    let redis = Redis::connect(&RedisOptions::new(world.redis.url())).await.unwrap();
    let asked = Questions::new(redis).recall("acme", "sms", "main", "user-of-cnv_1").await.unwrap().unwrap();
    assert_eq!(asked.message_id, out.message.unwrap().id);
    assert_eq!(asked.answer("2").unwrap().id, "b");
}

fn request_text(request: &heliograph_proto::v1::DeliverRequest) -> String {
    let content = request.message.as_ref().and_then(|message| message.content.as_ref());
    content.map(heliograph_domain::content::preview).unwrap_or_default()
}
