//! `StreamService/Subscribe`.

use futures::StreamExt as _;
use heliograph_proto::{
    Timestamp,
    v1::{
        Event, StartPoint, SubscribeRequest, SubscribeResponse, stream_service_client::StreamServiceClient,
        subscribe_request::From,
    },
};
use heliograph_streams::StreamsConfig;
use tonic::{Code, Request, Status, Streaming};

use crate::support::{TOKEN, World, config, event, soon};

async fn subscribe(
    world: &World,
    request: SubscribeRequest,
    token: &str,
) -> Result<Streaming<SubscribeResponse>, Status> {
    let options = heliograph_runtime::grpc::ChannelOptions { deadline: None, ..Default::default() };
    let endpoint = format!("http://{}", world.grpc);
    let channel = heliograph_runtime::grpc::channel_with(&endpoint, &options).unwrap();
    let mut request = Request::new(request);
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let response = soon("a subscription", StreamServiceClient::new(channel).subscribe(request)).await?;
    Ok(response.into_inner())
}

async fn ids(events: &mut Streaming<SubscribeResponse>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let next = soon("an event", events.next()).await.unwrap().unwrap();
        ids.push(next.event.unwrap().id);
    }
    ids
}

fn beginning() -> SubscribeRequest {
    let from = Some(From::StartPoint(StartPoint::Beginning.into()));
    SubscribeRequest { from, ..SubscribeRequest::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn filled() -> World {
    let world = World::start(config()).await;
    for (id, region, channel, kind) in [
        ("evt_1", "islands", "bottle", "message.received"),
        ("evt_2", "greater-china", "wechat", "message.received"),
        ("evt_3", "islands", "bottle", "conversation.opened"),
        ("evt_4", "north-america", "sms", "message.sent"),
    ] {
        world.publish(&event(id, region, channel, kind)).await;
    }
    let foreign = event("evt_foreign", "islands", "bottle", "message.received");
    world.publish(&Event { tenant: "globex".to_owned(), ..foreign }).await;
    world.publish(&event("evt_5", "islands", "bottle", "message.delivered")).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_are_joined_and_never_leave_the_tenant() {
    let world = filled().await;
    let everything = ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"];
    for (request, expected) in [
        (beginning(), everything.as_slice()),
        (SubscribeRequest { tenant: "acme".to_owned(), ..beginning() }, &everything),
        (
            SubscribeRequest { types: names(&["message"]), ..beginning() },
            &["evt_1", "evt_2", "evt_4", "evt_5"],
        ),
        (
            SubscribeRequest { types: names(&["message.received", "conversation"]), ..beginning() },
            &["evt_1", "evt_2", "evt_3"],
        ),
        (
            SubscribeRequest { regions: names(&["islands"]), types: names(&["message"]), ..beginning() },
            &["evt_1", "evt_5"],
        ),
        (SubscribeRequest { channels: names(&["sms", "wechat"]), ..beginning() }, &["evt_2", "evt_4"]),
        (SubscribeRequest { conversations: names(&["cnv_sms"]), ..beginning() }, &["evt_4"]),
    ] {
        let mut events = subscribe(&world, request.clone(), TOKEN).await.unwrap();
        assert_eq!(ids(&mut events, expected.len()).await, expected, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_resumes_after_the_last_it_saw_over_a_restart_of_the_broker() {
    let mut world = World::start(StreamsConfig { read_ahead: 1, ..config() }).await;
    let mut events = subscribe(&world, beginning(), TOKEN).await.unwrap();
    let mut last = 0;
    let mut seen = Vec::new();
    for round in 0..4 {
        for number in 0..50 {
            let id = format!("evt_{round}_{number}");
            world.publish(&event(&id, "islands", "bottle", "message.received")).await;
        }
        // Half of them, then the line breaks.
        for _ in 0..25 {
            let next = soon("an event", events.next()).await.unwrap().unwrap();
            assert!(next.sequence > last);
            last = next.sequence;
            seen.push(next.event.unwrap().id);
        }
        if round == 1 {
            world.nats.restart().await.unwrap();
        }
        let request =
            SubscribeRequest { from: Some(From::AfterSequence(last)), ..SubscribeRequest::default() };
        events = subscribe(&world, request, TOKEN).await.unwrap();
    }
    seen.extend(ids(&mut events, 100).await);
    let expected: Vec<String> =
        (0..4).flat_map(|round| (0..50).map(move |number| format!("evt_{round}_{number}"))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_begins_now_or_at_a_time() {
    let world = filled().await;
    let mut now = subscribe(&world, SubscribeRequest::default(), TOKEN).await.unwrap();
    world.publish(&event("evt_6", "islands", "bottle", "message.received")).await;
    assert_eq!(ids(&mut now, 1).await, ["evt_6"]);

    let stored =
        world.fabric.read_subject(heliograph_fabric::Stream::Events, "hg.event.acme.>").await.unwrap();
    let third = stored[2].time_ms;
    let time = Timestamp { seconds: third / 1_000, nanos: i32::try_from(third % 1_000).unwrap() * 1_000_000 };
    let from = |time| SubscribeRequest { from: Some(From::StartTime(time)), ..SubscribeRequest::default() };
    let mut since = subscribe(&world, from(time), TOKEN).await.unwrap();
    // Two facts may share a millisecond; none at or after it is missing.
    let first = soon("an event", since.next()).await.unwrap().unwrap();
    assert!(
        first.sequence <= stored[2].seq
            && stored.iter().any(|record| record.seq == first.sequence && record.time_ms == third)
    );
    let later = Timestamp { seconds: time.seconds + 3_600, nanos: 0 };
    let mut future = subscribe(&world, from(later), TOKEN).await.unwrap();
    world.publish(&event("evt_7", "islands", "bottle", "message.received")).await;
    assert_eq!(ids(&mut future, 1).await, ["evt_7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_subscribed_to_is_refused_with_its_reason() {
    let world = filled().await;
    let code = async |request: SubscribeRequest, token: &str| {
        subscribe(&world, request, token).await.err().map(|status| status.code())
    };
    assert_eq!(code(beginning(), "").await, Some(Code::Unauthenticated));
    assert_eq!(code(beginning(), "some other token of ours").await, Some(Code::Unauthenticated));
    let foreign = SubscribeRequest { tenant: "globex".to_owned(), ..beginning() };
    assert_eq!(code(foreign, TOKEN).await, Some(Code::PermissionDenied));
    let wild = SubscribeRequest { channels: names(&["*"]), ..beginning() };
    assert_eq!(code(wild, TOKEN).await, Some(Code::InvalidArgument));
    let ahead = SubscribeRequest { from: Some(From::AfterSequence(9_999)), ..SubscribeRequest::default() };
    assert_eq!(code(ahead, TOKEN).await, Some(Code::OutOfRange));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_drains_ends_its_streams() {
    let world = filled().await;
    let mut events = subscribe(&world, SubscribeRequest::default(), TOKEN).await.unwrap();
    world.shutdown.drain();
    let end = soon("the end", events.next()).await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
}
