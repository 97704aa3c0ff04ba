//! What the routing log hears of agents' sessions.

use std::time::Duration;

use heliograph_desk::DeskConfig;
use heliograph_proto::v1::{
    AgentPresenceChanged, DeskState, Presence, command::Action, event::Payload, routing_entry::Kind,
};

use crate::support::{Client, TENANT, Transport, World, config, eventually, fact, holding};

fn restless() -> DeskConfig {
    DeskConfig {
        heartbeat: Duration::from_millis(50),
        disconnect_grace: Duration::from_millis(200),
        ..config()
    }
}

async fn heard(world: &World, agent: &str, what: fn(&Action) -> bool) -> usize {
    let log = world.log().await;
    let commands = log.iter().filter_map(|(_, entry)| match &entry.kind {
        Some(Kind::Command(command)) if command.agent == agent => command.action.as_ref(),
        _ => None,
    });
    commands.filter(|action| what(action)).count()
}

fn beat(action: &Action) -> bool {
    matches!(action, Action::Heartbeat(_))
}

fn left(action: &Action) -> bool {
    matches!(action, Action::Disconnected(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_working_agent_is_heard_of_until_its_last_session_ends() {
    let world = World::start().await;
    let desk = world.desk(restless()).await;
    world.router.set(TENANT, "ada", holding(&[]));
    let token = desk.token(TENANT, "ada").await;
    let (one, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    let (two, _) = Client::begin(&desk, Transport::WebSocket, &token).await;
    eventually("heartbeats", || async { (heard(&world, "ada", beat).await >= 2).then_some(()) }).await;
    drop(one);
    let before = heard(&world, "ada", beat).await;
    // Ten more than the grace takes.
    eventually("more", || async { (heard(&world, "ada", beat).await >= before + 10).then_some(()) }).await;
    assert_eq!(heard(&world, "ada", left).await, 0, "one session is still open");
    drop(two);
    eventually("goodbye", || async { (heard(&world, "ada", left).await == 1).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_comes_back_within_the_grace_never_left() {
    let world = World::start().await;
    let desk = world.desk(DeskConfig { disconnect_grace: Duration::from_secs(20), ..restless() }).await;
    world.router.set(TENANT, "ada", holding(&[]));
    let token = desk.token(TENANT, "ada").await;
    let (client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    drop(client);
    let (_client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    let before = heard(&world, "ada", beat).await;
    eventually("heartbeats", || async { (heard(&world, "ada", beat).await >= before + 3).then_some(()) })
        .await;
    assert_eq!(heard(&world, "ada", left).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_agents_are_left_alone_until_they_go_online() {
    let world = World::start().await;
    let desk = world.desk(restless()).await;
    let offline = DeskState { presence: Presence::Offline.into(), ..DeskState::default() };
    world.router.set(TENANT, "ada", offline);
    world.router.set(TENANT, "bob", holding(&[]));
    let (ada, bob) = (desk.token(TENANT, "ada").await, desk.token(TENANT, "bob").await);
    let (mut client, _) = Client::begin(&desk, Transport::WebSocket, &ada).await;
    let (_bob, _) = Client::begin(&desk, Transport::WebSocket, &bob).await;
    // Bob's heartbeats tell the time.
    eventually("bob", || async { (heard(&world, "bob", beat).await >= 5).then_some(()) }).await;
    assert_eq!(heard(&world, "ada", beat).await, 0);
    let online = AgentPresenceChanged {
        agent: "ada".to_owned(),
        from: Presence::Offline.into(),
        to: Presence::Online.into(),
    };
    world.publish(&fact("", Payload::AgentPresenceChanged(online))).await;
    client.event().await;
    eventually("ada", || async { (heard(&world, "ada", beat).await >= 1).then_some(()) }).await;
}
