//! Coming back: nothing lost, nothing twice.

use std::time::Duration;

use heliograph_desk::DeskConfig;
use heliograph_proto::v1::{RoutingEntry, command::Action, routing_entry::Kind, session_response::Frame};

use crate::support::{
    BOTH, Client, DeskAt, TENANT, Transport, World, body, config, eventually, holding, reply, said,
};

const MESSAGES: usize = 600;

/// Publishes numbered messages of a conversation of ada's, and one of somebody else's between each two.
async fn talk(world: &World) {
    for number in 0..MESSAGES {
        world.publish(&said("cnv_1", &number.to_string())).await;
        world.publish(&said("cnv_foreign", "not hers")).await;
    }
}

/// Takes events until all were seen, and breaks the connection again and again.
async fn listen(desk: &DeskAt, transport: Transport, token: &str, mut client: Client, mut last: u64) {
    let mut seen = Vec::new();
    while seen.len() < MESSAGES {
        let event = client.event().await;
        assert!(event.sequence > last, "{} after {last}", event.sequence);
        last = event.sequence;
        seen.push(body(event.event.as_ref().unwrap()).to_owned());
        if seen.len() % 37 == 0 {
            drop(client);
            client = Client::hello(desk, transport, token, last).await;
            assert!(client.welcome().await.resumed);
        }
    }
    let expected: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_keeps_breaking_misses_nothing_and_gets_nothing_twice() {
    for transport in BOTH {
        let world = World::start().await;
        let desk = world.desk(config()).await;
        world.router.set(TENANT, "ada", holding(&["cnv_1"]));
        let token = desk.token(TENANT, "ada").await;
        let (client, state) = Client::begin(&desk, transport, &token).await;
        tokio::join!(listen(&desk, transport, &token, client, state.sequence), talk(&world));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_behind_what_memory_holds_reads_the_stream_and_goes_on() {
    let world = World::start().await;
    // Memory of 4 events and a queue of 2 frames: a session falls behind at once.
    let desk = world.desk(DeskConfig { ring_events: 4, send_queue: 2, ..config() }).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    talk(&world).await;
    for number in 0..MESSAGES {
        let event = client.event().await.event.unwrap();
        assert_eq!(body(&event), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_desk_goes_on_where_the_first_one_stopped() {
    let world = World::start().await;
    let first = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = first.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&first, Transport::WebSocket, &token).await;
    world.publish(&said("cnv_1", "one")).await;
    let seen = client.event().await.sequence;
    drop(first);
    for body in ["two", "three"] {
        world.publish(&said("cnv_1", body)).await;
    }
    let second = world.desk(config()).await;
    let mut client = Client::hello(&second, Transport::WebSocket, &token, seen).await;
    assert!(client.welcome().await.resumed);
    for expected in ["two", "three"] {
        assert_eq!(body(&client.event().await.event.unwrap()), expected);
    }
    world.publish(&said("cnv_1", "four")).await;
    assert_eq!(body(&client.event().await.event.unwrap()), "four");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_missed_too_much_or_comes_from_elsewhere_gets_a_fresh_state() {
    let world = World::start().await;
    let desk = world.desk(DeskConfig { resume_events: 5, ..config() }).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    let first = world.publish(&said("cnv_1", "first")).await;
    for _ in 0..6 {
        world.publish(&said("cnv_1", "more")).await;
    }
    // In memory: a tail is open. Then a second desk, which must read the stream.
    let second = world.desk(DeskConfig { resume_events: 5, ..config() }).await;
    for desk in [&desk, &second] {
        for (after, resumed) in [(first, false), (first + 1, true), (9_999, false)] {
            let mut client = Client::hello(desk, Transport::Grpc, &token, after).await;
            assert_eq!(client.welcome().await.resumed, resumed, "after {after}");
            let next = client.frame().await;
            assert_eq!(matches!(next, Frame::State(_)), !resumed, "after {after}: {next:?}");
        }
    }
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_closed_and_can_resume() {
    let world = World::start().await;
    let impatient = DeskConfig {
        slow_client: Duration::from_millis(200),
        send_queue: 4,
        disconnect_grace: Duration::ZERO,
        ..config()
    };
    let desk = world.desk(impatient).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, state) = Client::begin(&desk, Transport::Grpc, &token).await;
    // More than any buffer on the way holds.
    let filling = "x".repeat(100_000);
    for number in 0..200 {
        world.publish(&said("cnv_1", &format!("{number} {filling}"))).await;
    }
    // Nothing is read until the desk has had enough, which the routing log is told.
    let left = |entry: &RoutingEntry| matches!(&entry.kind, Some(Kind::Command(command)) if matches!(command.action, Some(Action::Disconnected(_))));
    eventually("the session's end", || async {
        world.log().await.iter().any(|(_, entry)| left(entry)).then_some(())
    })
    .await;
    let mut last = state.sequence;
    let mut seen = 0;
    let end = loop {
        match client.next().await {
            Ok(Frame::Event(event)) => {
                assert_eq!(event.sequence, last + 1);
                last = event.sequence;
                seen += 1;
            }
            Ok(_) => {}
            Err(end) => break end,
        }
    };
    assert_eq!(end, "ResourceExhausted");
    let mut client = Client::hello(&desk, Transport::Grpc, &token, last).await;
    assert!(client.welcome().await.resumed);
    while seen < 200 {
        let event = client.event().await;
        assert_eq!(event.sequence, last + 1);
        last = event.sequence;
        seen += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outlives_a_restart_of_the_broker() {
    let mut world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    for transport in BOTH {
        let (mut client, _) = Client::begin(&desk, transport, &token).await;
        world.publish(&said("cnv_1", "before")).await;
        assert_eq!(body(&client.event().await.event.unwrap()), "before");
        world.nats.restart().await.unwrap();
        world.publish(&said("cnv_1", "after")).await;
        assert_eq!(body(&client.event().await.event.unwrap()), "after");
        let id = format!("{transport:?}");
        client.command(reply(&id, "cnv_1", "still here")).await;
        let accepted = |frame| if let Frame::Result(result) = frame { Some(result.accepted) } else { None };
        assert!(client.until(accepted).await);
    }
}
