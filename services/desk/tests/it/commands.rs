//! Commands on their way into the routing log.

use heliograph_domain::ids;
use heliograph_proto::{
    Message as _,
    v1::{
        CommandResult, Event, MessageReference, Presence, SetPresence, ShowRead, ShowTyping, command::Action,
        event::Payload, routing_entry::Kind, session_request, session_response::Frame,
    },
};

use crate::support::{
    BOTH, Client, TENANT, Transport, World, command, config, eventually, holding, offered, reply, said,
};

async fn result(client: &mut Client) -> CommandResult {
    client.until(|frame| if let Frame::Result(result) = frame { Some(result) } else { None }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_command_is_one_entry_and_is_answered_each_time() {
    for transport in BOTH {
        let world = World::start().await;
        let desk = world.desk(config()).await;
        world.router.set(TENANT, "ada", holding(&["cnv_1"]));
        let token = desk.token(TENANT, "ada").await;
        let (mut client, _) = Client::begin(&desk, transport, &token).await;
        client.command(reply("r-1", "cnv_1", "hello")).await;
        assert!(result(&mut client).await.accepted);
        // The answer was lost with the connection, so the client says it again.
        let (mut again, _) = Client::begin(&desk, transport, &token).await;
        again.command(reply("r-1", "cnv_1", "hello")).await;
        assert!(result(&mut again).await.accepted);
        again.command(reply("r-2", "cnv_1", "hello")).await;
        assert!(result(&mut again).await.accepted);
        let ids: Vec<String> = world.log().await.into_iter().map(|(id, _)| id).collect();
        let id = |command: &str| ids::derive(ids::COMMAND, &[TENANT, "ada", command]);
        assert_eq!(ids, [id("r-1"), id("r-2")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_keep_their_order() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::WebSocket, &token).await;
    let sent: Vec<String> = (0..40).map(|number| format!("r-{number}")).collect();
    for id in &sent {
        client.command(reply(id, "cnv_1", id)).await;
    }
    for id in &sent {
        assert_eq!(result(&mut client).await.command_id, *id);
    }
    let log = world.log().await.into_iter().filter_map(|(_, entry)| match entry.kind {
        Some(Kind::Command(command)) => Some(command.command_id),
        _ => None,
    });
    assert_eq!(log.collect::<Vec<_>>(), sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_carried_out_is_refused_with_a_reason_and_leaves_the_log_alone() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::WebSocket, &token).await;
    let nowhere =
        Action::SetPresence(SetPresence { presence: Presence::Unspecified.into(), ..SetPresence::default() });
    for (wrong, code) in [
        (reply("r-1", "cnv_1", "  "), "reply.empty"),
        (reply("r-2", "cnv_1", &"x".repeat(65 * 1024)), "reply.too_large"),
        (reply("", "cnv_1", "hello"), "command.bad_id"),
        (reply("r-3", "cnv.*", "hello"), "command.bad_field"),
        (command("p-1", nowhere), "command.bad_presence"),
    ] {
        client.command(wrong).await;
        let result = result(&mut client).await;
        assert!(!result.accepted);
        assert_eq!(result.reasons[0].code, code);
    }
    assert!(world.log().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_is_said_once_and_only_where_the_agent_answers() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let token = desk.token(TENANT, "ada").await;
    let (mut client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
    world.publish(&offered("cnv_2", "ada", "rsv_2")).await;
    client.event().await;
    for conversation in ["cnv_foreign", "cnv_2", "cnv_1", "cnv_1", "cnv_1"] {
        let typing = ShowTyping { conversation: conversation.to_owned(), on: true };
        client.send(session_request::Frame::Typing(typing)).await;
    }
    let typing = client.event().await.event.unwrap();
    assert!(
        matches!(&typing.payload, Some(Payload::AgentTyping(typing)) if typing.agent == "ada" && typing.on)
    );
    assert_eq!(
        (typing.conversation.as_str(), typing.region.as_str(), typing.channel.as_str()),
        ("cnv_1", "none", "bottle")
    );
    // Frames are taken in order: once this is answered, what came before it was said or never will be.
    client.command(reply("r-1", "cnv_1", "hello")).await;
    result(&mut client).await;
    world.publish(&said("cnv_1", "done")).await;
    assert_eq!(client.event().await.event.unwrap().r#type, "message.received");
    let filter = "hg.event.*.*.*.*.agent.typing";
    let stored = Box::pin(world.fabric.read_subject(heliograph_fabric::Stream::Events, filter)).await;
    assert_eq!(stored.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_is_said_once_by_whoever_reads_it_and_only_where_they_answer() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let read = |conversation: &str, message: &str| {
        session_request::Frame::Read(ShowRead {
            conversation: conversation.to_owned(),
            up_to: Some(MessageReference { message_id: message.to_owned(), ..MessageReference::default() }),
            channel: "line".to_owned(),
            account: "main".to_owned(),
        })
    };
    for agent in ["ada", "bob"] {
        world.router.set(TENANT, agent, holding(&["cnv_1"]));
        let token = desk.token(TENANT, agent).await;
        let (mut client, _) = Client::begin(&desk, Transport::Grpc, &token).await;
        for (conversation, message) in
            [("cnv_foreign", "msg_1"), ("cnv_1", ""), ("cnv_1", "msg_1"), ("cnv_1", "msg_1")]
        {
            client.send(read(conversation, message)).await;
        }
        // Frames are taken in order.
        client.command(reply(&format!("r-{agent}"), "cnv_1", "hello")).await;
        result(&mut client).await;
    }
    world.publish(&said("cnv_1", "done")).await;
    let filter = "hg.event.*.*.*.*.agent.read";
    let told = || Box::pin(world.fabric.read_subject(heliograph_fabric::Stream::Events, filter));
    let stored = eventually("that it was read is said", async || {
        Some(told().await.unwrap()).filter(|stored| !stored.is_empty())
    })
    .await;
    assert_eq!(stored.len(), 1);
    let event = Event::decode(stored[0].payload.clone()).unwrap();
    assert_eq!((event.channel.as_str(), event.account.as_str()), ("line", "main"));
    let Some(Payload::AgentRead(read)) = event.payload else { panic!("{event:?}") };
    assert_eq!((read.agent.as_str(), read.up_to.unwrap().message_id.as_str()), ("ada", "msg_1"));
}
