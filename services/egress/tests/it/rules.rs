//! Consent, windows, rates; and Redis, which may go away.

use heliograph_domain::{content, ids};
use heliograph_fabric::{Envelope, subjects};
use heliograph_proto::v1::{
    Content, Event, Message, MessageReceived, OutboundMessage, Template, Window, WindowRule, content::Kind,
    event::Payload, verdict,
};
use heliograph_store::consent::{Choice, ConsentStore, Statement, Subject};
use heliograph_store::contacts::Address;
use heliograph_store::{now_ms, trail::Trail};

use crate::support::{Channel, Step, World, code, delivered, stamp};

pub(crate) async fn flush(world: &World) {
    let client = redis::Client::open(world.redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
}

/// The customer wrote `ago_ms` ago, as the router said before it told windows.
pub(crate) async fn customer_wrote(world: &World, channel: &str, conversation: &str, ago_ms: i64) {
    customer_opened(world, channel, conversation, ago_ms, &[]).await;
}

/// The customer wrote `ago_ms` ago, which opened windows of these kinds and lengths in milliseconds.
async fn customer_opened(
    world: &World,
    channel: &str,
    conversation: &str,
    ago_ms: i64,
    windows: &[(&str, i64)],
) {
    let at = now_ms() - ago_ms;
    let opened = windows.iter().map(|(kind, length)| Window {
        kind: (*kind).to_owned(),
        opened_at: Some(stamp(at)),
        expires_at: Some(stamp(at + length)),
        remaining: -1,
    });
    let id = ids::derive(ids::EVENT, &[conversation, &ago_ms.to_string()]);
    let event = Event {
        id: id.clone(),
        r#type: "message.received".to_owned(),
        tenant: "acme".to_owned(),
        region: "europe".to_owned(),
        channel: channel.to_owned(),
        conversation: conversation.to_owned(),
        time: Some(stamp(at)),
        payload: Some(Payload::MessageReceived(MessageReceived {
            message: Some(Message::default()),
            windows: opened.collect(),
            ..MessageReceived::default()
        })),
        ..Event::default()
    };
    let subject = subjects::event("acme", "europe", channel, conversation, "message.received").unwrap();
    let envelope = Envelope::of(id, "message.received", "test", now_ms(), &event);
    world.fabric.publish(&subject, &envelope, None).await.unwrap();
}

pub(crate) fn with_window(messages: i32) -> Channel {
    let webchat = Channel::start("webchat");
    webchat.capable(|capabilities| {
        capabilities.content.push("template".to_owned());
        capabilities.windows = vec![WindowRule { kind: "message".to_owned(), seconds: 3_600, messages }];
    });
    webchat
}

pub(crate) fn refusal(event: &Event) -> (verdict::Outcome, String) {
    let Some(Payload::MessageRefused(refused)) = &event.payload else { panic!("{event:?}") };
    let verdict = refused.verdict.as_ref().unwrap();
    (verdict.outcome(), verdict.fired[0].code.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_between_queueing_and_sending_counts() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    world.queue_many("sms", "cnv_1", 1).await;
    world.queue_many("sms", "cnv_2", 1).await;
    let contact = World::outbound("sms", "cnv_1", 0).contact;
    let consent = ConsentStore::open(world.fabric.jetstream()).await.unwrap();
    let statement = Statement {
        choice: Choice::OptedOut,
        source: "keyword STOP".into(),
        cause: "evt_1".into(),
        at_ms: now_ms(),
    };
    consent.record(&Subject::new("acme", &contact, None, "service"), &statement).await.unwrap();
    let _egress = world.egress(&[&sms]).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    let (outcome, code) = refusal(&refused[0]);
    assert_eq!((outcome, code.starts_with("policy.")), (verdict::Outcome::Deny, true), "{code}");
    world.events_of("cnv_2", "message.sent", 1).await;
    world.drained("sms").await;
    assert_eq!(sms.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_lets_templates_through_and_nothing_else() {
    let world = World::start().await;
    let webchat = with_window(0);
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_closed", 2 * 3_600_000).await;
    customer_wrote(&world, "webchat", "cnv_open", 60_000).await;
    for conversation in ["cnv_closed", "cnv_open", "cnv_never"] {
        world.queue_many("webchat", conversation, 1).await;
    }
    for conversation in ["cnv_closed", "cnv_never"] {
        let refused = world.events_of(conversation, "message.refused", 1).await;
        assert_eq!(refusal(&refused[0]).0, verdict::Outcome::NeedsTemplate);
    }
    world.events_of("cnv_open", "message.sent", 1).await;
    let template = Template { name: "hello".into(), rendered: "Hello".into(), ..Template::default() };
    let mut out = World::outbound("webchat", "cnv_closed", 7);
    out.message.as_mut().unwrap().content = Some(Content { kind: Some(Kind::Template(template)) });
    world.queue(&out).await;
    world.events_of("cnv_closed", "message.sent", 1).await;
    // What the router knows of the customer's last message counts, too.
    let fresh = OutboundMessage {
        last_inbound_at: Some(stamp(now_ms())),
        ..World::outbound("webchat", "cnv_closed", 8)
    };
    world.queue(&fresh).await;
    world.events_of("cnv_closed", "message.sent", 2).await;
    assert_eq!(webchat.calls().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_the_window_is_closed_is_believed() {
    let world = World::start().await;
    let webchat = with_window(0);
    webchat.plan(|_, _| {
        let error = code(heliograph_proto::v1::ErrorClass::WindowClosed, "45015");
        Step::Answer(heliograph_proto::v1::deliver_response::Outcome::WindowClosed(error))
    });
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_1", 1_000).await;
    world.queue_many("webchat", "cnv_1", 1).await;
    let refused = world.events_of("cnv_1", "message.refused", 1).await;
    assert_eq!(refusal(&refused[0]).0, verdict::Outcome::NeedsTemplate);
    world.drained("webchat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_window_are_counted_also_when_redis_forgets() {
    let world = World::start().await;
    let webchat = with_window(3);
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_1", 1_000).await;
    world.queue_many("webchat", "cnv_1", 2).await;
    world.events_of("cnv_1", "message.sent", 2).await;
    flush(&world).await;
    for number in 2..5 {
        world.queue(&World::outbound("webchat", "cnv_1", number)).await;
    }
    world.events_of("cnv_1", "message.refused", 2).await;
    world.drained("webchat").await;
    assert_eq!(webchat.delivered_in("cnv_1"), ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_window_is_known_when_redis_forgets() {
    const HOUR: i64 = 3_600_000;
    let world = World::start().await;
    let webchat = with_window(0);
    webchat.capable(|capabilities| {
        capabilities.windows.push(WindowRule { kind: "ad".to_owned(), seconds: 604_800, messages: 0 });
    });
    world
        .apply(
            "apiVersion: heliograph.dev/v1\nkind: ChannelAccount\nmetadata: { tenant: acme, name: site }\n\
             spec: { channel: webchat, windows: [{ kind: message, open: 1h }, { kind: ad, open: 6h }] }\n",
        )
        .await;
    let egress = world.egress(&[&webchat]).await;
    egress.health.ready().await;
    let (message, ad) = (("message", HOUR), ("ad", 6 * HOUR));
    // An ad led them here; what they wrote since opened less, and is over.
    customer_opened(&world, "webchat", "cnv_ad", 5 * HOUR, &[ad, message]).await;
    customer_opened(&world, "webchat", "cnv_ad", 2 * HOUR, &[message]).await;
    // It was in a conversation before this one.
    let address = Address::new("webchat", "site", "user-of-cnv_new");
    let trail = Trail::open(world.fabric.jetstream()).await.unwrap();
    trail.record("acme", &address, "cnv_old", now_ms() - 5 * HOUR).await.unwrap();
    customer_opened(&world, "webchat", "cnv_old", 5 * HOUR, &[ad, message]).await;
    customer_opened(&world, "webchat", "cnv_new", 2 * HOUR, &[message]).await;
    // No ad, and one that is too long ago.
    customer_opened(&world, "webchat", "cnv_plain", 2 * HOUR, &[message]).await;
    customer_opened(&world, "webchat", "cnv_late", 7 * HOUR, &[ad, message]).await;
    flush(&world).await;
    for conversation in ["cnv_ad", "cnv_new"] {
        world.queue_many("webchat", conversation, 1).await;
        world.events_of(conversation, "message.sent", 1).await;
    }
    for conversation in ["cnv_plain", "cnv_late"] {
        world.queue_many("webchat", conversation, 1).await;
        let refused = world.events_of(conversation, "message.refused", 1).await;
        assert_eq!(refusal(&refused[0]).0, verdict::Outcome::NeedsTemplate, "{conversation}");
    }
    // What they wrote to another address opens nothing here, whatever the router knows of the conversation.
    customer_wrote(&world, "sms", "cnv_other", 1_000).await;
    let other = OutboundMessage {
        last_inbound_at: Some(stamp(now_ms())),
        ..World::outbound("webchat", "cnv_other", 0)
    };
    world.queue(&other).await;
    world.events_of("cnv_other", "message.refused", 1).await;
    world.drained("webchat").await;
    assert_eq!(webchat.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_everything_goes_on() {
    let mut world = World::start().await;
    let webchat = with_window(0);
    webchat.capable(|capabilities| {
        capabilities.rate_per_second = 50.0;
        capabilities.burst = 5;
    });
    let _egress = world.egress(&[&webchat]).await;
    customer_wrote(&world, "webchat", "cnv_1", 1_000).await;
    world.queue_many("webchat", "cnv_1", 3).await;
    world.events_of("cnv_1", "message.sent", 3).await;
    world.redis.kill9();
    for number in 3..20 {
        world.queue(&World::outbound("webchat", "cnv_1", number)).await;
    }
    world.queue_many("webchat", "cnv_stranger", 1).await;
    world.events_of("cnv_1", "message.sent", 20).await;
    world.events_of("cnv_stranger", "message.refused", 1).await;
    world.redis.restart().await.unwrap();
    world.queue(&World::outbound("webchat", "cnv_1", 20)).await;
    world.events_of("cnv_1", "message.sent", 21).await;
    let expected: Vec<String> = (0..21).map(|number| number.to_string()).collect();
    assert_eq!(webchat.delivered_in("cnv_1"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_not_called_faster_than_it_allows() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    sms.capable(|capabilities| {
        capabilities.rate_per_second = 20.0;
        capabilities.burst = 1;
    });
    sms.plan(|request, _| Step::Answer(delivered(&request.delivery_id)));
    let _egress = world.egress(&[&sms]).await;
    for conversation in ["cnv_1", "cnv_2", "cnv_3", "cnv_4"] {
        world.queue_many("sms", conversation, 5).await;
    }
    for conversation in ["cnv_1", "cnv_2", "cnv_3", "cnv_4"] {
        world.events_of(conversation, "message.sent", 5).await;
    }
    let calls = sms.calls();
    let took = calls.last().unwrap().at - calls[0].at;
    // Nineteen tokens came in after the first, 50 ms each; on a busy machine the first call may be late.
    assert!(took >= std::time::Duration::from_millis(19 * 50 / 2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_is_buried() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let _egress = world.egress(&[&sms]).await;
    let subject = subjects::outbound("sms", 0, "acme").unwrap();
    let junk = Envelope::new("junk", "outbound.message", "test", 0, vec![0xff_u8; 7]);
    world.fabric.publish(&subject, &junk, None).await.unwrap();
    let mut foreign = World::outbound("sms", "cnv_1", 0);
    foreign.tenant = "other".to_owned();
    let envelope = Envelope::of("foreign", "outbound.message", "test", 0, &foreign);
    world.fabric.publish(&subject, &envelope, None).await.unwrap();
    let mut empty = World::outbound("sms", "cnv_2", 0);
    empty.message.as_mut().unwrap().content = Some(content::text(""));
    world.queue(&empty).await;
    world.events_of("cnv_2", "message.failed", 1).await;
    world.drained("sms").await;
    let dead = heliograph_fabric::DeadLetters::new(&world.fabric);
    let letters = dead.list(&heliograph_fabric::DeadFilter::default(), 0, 10).await.unwrap();
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, ["malformed", "tenant_mismatch"]);
    assert!(sms.calls().is_empty());
}
