//! A session from hello to its end.

use std::time::Duration;

use heliograph_desk::DeskConfig;
use heliograph_domain::ids;
use heliograph_proto::v1::{
    LogPosition, Ping, ReservationAccepted, command::Action, event::Payload, routing_entry::Kind,
    session_request, session_response::Frame,
};

use crate::support::{
    BOTH, Client, TENANT, Transport, World, accept, assigned, body, config, fact, holding, offered, said,
};

async fn from_hello_to_reply(transport: Transport) {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_old"]));
    world.publish(&said("cnv_old", "before")).await;
    let token = desk.token(TENANT, "ada").await;
    let (mut client, state) = Client::begin(&desk, transport, &token).await;
    assert_eq!((state.sequence, state.conversations[0].id.as_str()), (1, "cnv_old"));

    client.send(session_request::Frame::Ping(Ping { nonce: 7 })).await;
    assert!(matches!(client.frame().await, Frame::Pong(pong) if pong.nonce == 7));

    // What is not hers stays away; what is, comes in the order of the stream.
    world.publish(&said("cnv_foreign", "not hers")).await;
    world.publish(&offered("cnv_foreign", "bob", "rsv_0")).await;
    let first = world.publish(&offered("cnv_new", "ada", "rsv_1")).await;
    let offer = client.event().await;
    assert_eq!((offer.sequence, offer.event.unwrap().r#type.as_str()), (first, "reservation.created"));

    client.command(accept("c-1", "rsv_1")).await;
    let result =
        client.until(|frame| if let Frame::Result(result) = frame { Some(result) } else { None }).await;
    assert!(result.accepted && result.command_id == "c-1");
    let log = world.log().await;
    let (id, entry) = log.last().unwrap();
    assert_eq!(*id, ids::derive(ids::COMMAND, &[TENANT, "ada", "c-1"]));
    let Some(Kind::Command(command)) = &entry.kind else { panic!("a command is expected: {entry:?}") };
    assert_eq!((command.agent.as_str(), entry.tenant.as_str(), &entry.id), ("ada", TENANT, id));
    assert!(matches!(&command.action, Some(Action::Accept(accept)) if accept.reservation_id == "rsv_1"));

    let accepted = ReservationAccepted { reservation_id: "rsv_1".to_owned(), agent: "ada".to_owned() };
    let facts = [
        fact("cnv_new", Payload::ReservationAccepted(accepted)),
        assigned("cnv_new", "ada"),
        said("cnv_new", "hello"),
        said("cnv_old", "again"),
        assigned("cnv_new", "bob"),
        said("cnv_new", "to bob"),
        said("cnv_old", "last"),
    ];
    let mut sequences = Vec::new();
    for fact in &facts {
        sequences.push((world.publish(fact).await, fact.r#type.clone(), body(fact).to_owned()));
    }
    sequences.retain(|(_, _, body)| body != "to bob");
    for expected in sequences {
        let seen = client.event().await;
        let event = seen.event.unwrap();
        assert_eq!((seen.sequence, event.r#type.clone(), body(&event).to_owned()), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_hello_to_reply_over_grpc() {
    Box::pin(from_hello_to_reply(Transport::Grpc)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_hello_to_reply_over_a_websocket() {
    Box::pin(from_hello_to_reply(Transport::WebSocket)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_decided_before_a_state_but_stored_after_it_do_not_offer_twice() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    world.router.applied(40);
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    // The tenant's partition among four.
    let partition = u32::from(ids::partition(&[TENANT, "default"], 4));
    let at = |sequence| Some(LogPosition { partition, sequence, index: 0 });
    let mut old_offer = offered("cnv_1", "ada", "rsv_1");
    old_offer.position = at(39);
    let mut old_message = said("cnv_1", "decided before");
    old_message.position = at(40);
    let mut new_offer = offered("cnv_2", "ada", "rsv_2");
    new_offer.position = at(41);
    for event in [&old_offer, &old_message, &new_offer] {
        world.publish(event).await;
    }
    assert_eq!(body(&client.event().await.event.unwrap()), "decided before");
    assert_eq!(client.event().await.event.unwrap().conversation, "cnv_2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_told_that_it_waits_for_routing() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&[]));
    world.router.pause();
    let token = desk.token(TENANT, "ada").await;
    let mut client = Client::hello(&desk, Transport::WebSocket, &token, 0).await;
    assert!(!client.welcome().await.resumed);
    let Frame::Error(error) = client.frame().await else { panic!("word of waiting is expected") };
    assert_eq!((error.code.as_str(), error.fatal), ("waiting", false));
    world.router.resume().await;
    assert!(matches!(client.frame().await, Frame::State(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_forged_expired_or_of_nobody_are_refused() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let other = DeskConfig {
        session_secret: Some("another secret of more than thirty-two bytes".to_owned().into()),
        ..config()
    };
    let forged = world.desk(other).await.token(TENANT, "ada").await;
    let short = world.desk(DeskConfig { session_ttl: Duration::from_secs(0), ..config() }).await;
    let expired = short.token(TENANT, "ada").await;
    for transport in BOTH {
        let closed = if transport == Transport::Grpc { "Unauthenticated" } else { "4401" };
        for token in ["", "garbage", &forged, &expired] {
            let mut client = Client::hello(&desk, transport, token, 0).await;
            let Frame::Error(error) = client.frame().await else { panic!("an error is expected") };
            assert!(error.fatal && error.code.starts_with("token_"), "{error:?}");
            assert_eq!(client.end().await, closed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_with_its_token() {
    let world = World::start().await;
    let desk = world.desk(DeskConfig { session_ttl: Duration::from_secs(2), ..config() }).await;
    world.router.set(TENANT, "ada", holding(&[]));
    let token = desk.token(TENANT, "ada").await;
    let mut client = Client::hello(&desk, Transport::WebSocket, &token, 0).await;
    assert_eq!(client.end().await, "4401");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_frame_ends_the_session_with_a_word() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&[]));
    let token = desk.token(TENANT, "ada").await;
    for transport in BOTH {
        let mut early = Client::connect(&desk, transport).await;
        early.send(session_request::Frame::Ping(Ping { nonce: 1 })).await;
        assert!(
            matches!(early.frame().await, Frame::Error(error) if error.code == "bad_frame" && !error.fatal)
        );
        let (mut twice, _) = Client::begin(&desk, transport, &token).await;
        let hello = heliograph_proto::v1::Hello { token: token.clone(), resume_after: 0 };
        twice.send(session_request::Frame::Hello(hello)).await;
        let end = twice.end().await;
        assert_eq!(end, if transport == Transport::Grpc { "InvalidArgument" } else { "1007" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_drains_sends_its_clients_away_to_come_back() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&[]));
    let token = desk.token(TENANT, "ada").await;
    let (mut grpc, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    let (mut socket, _) = Client::begin(&desk, Transport::WebSocket, &token).await;
    desk.shutdown.drain();
    assert!(matches!(socket.frame().await, Frame::Error(error) if error.code == "restart" && !error.fatal));
    assert_eq!(socket.end().await, "1012");
    assert_eq!(grpc.end().await, "Unavailable");
}
