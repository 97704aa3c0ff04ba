//! What supervisors see and do, and how colleagues help each other.

use heliograph_proto::{
    Struct, Value,
    v1::{
        AgentView, AgentWork, AssignConversation, CommandResult, ConsultColleague, EndConsult,
        JoinConversation, LeaveConversation, PoolState, Presence, PrioritizeConversation, PullConversation,
        QueueView, SessionRequest, SetAgentPresence, SetPresence, SkillWanted, SkillsWanted,
        SupervisorJoined, TransferConversation, WatchBoard, assign_conversation, command::Action,
        consult_colleague, event::Payload, routing_entry::Kind, session_request, session_response::Frame,
        transfer_conversation,
    },
};
use std::{collections::HashMap, time::Duration};

use heliograph_desk::DeskConfig;

use crate::support::{BOTH, Client, TENANT, Transport, World, command, config, fact, holding, said};

const ID: &str = "cnv_1";

fn id() -> String {
    ID.to_owned()
}

async fn result(client: &mut Client) -> CommandResult {
    client.until(|frame| if let Frame::Result(result) = frame { Some(result) } else { None }).await
}

fn supervisors() -> Vec<Action> {
    let to = Some(assign_conversation::To::Agent("bob".to_owned()));
    vec![
        Action::Assign(AssignConversation { conversation: id(), to, note: "you know them".to_owned() }),
        Action::Pull(PullConversation { conversation: id() }),
        Action::Join(JoinConversation { conversation: id() }),
        Action::Leave(LeaveConversation { conversation: id() }),
        Action::Prioritize(PrioritizeConversation { conversation: id(), priority: -3 }),
        Action::SetAgentPresence(SetAgentPresence {
            agent: "ada".to_owned(),
            presence: Presence::Away.into(),
        }),
    ]
}

fn everybodys() -> Vec<Action> {
    let skill = SkillWanted { name: "billing".to_owned(), level: 4, ..SkillWanted::default() };
    let not = SkillWanted { none: Some(Box::new(skill.clone())), ..SkillWanted::default() };
    let skills = || SkillsWanted { skills: vec![skill.clone(), not.clone()] };
    let fields = HashMap::from([("order".to_owned(), Value::from("4711"))]);
    vec![
        Action::Consult(ConsultColleague {
            conversation: id(),
            to: Some(consult_colleague::To::Skills(skills())),
            note: "may I refund this?".to_owned(),
        }),
        Action::EndConsult(EndConsult { conversation: id(), note: "yes".to_owned() }),
        Action::Transfer(TransferConversation {
            conversation: id(),
            to: Some(transfer_conversation::To::Skills(skills())),
            note: "wants a refund".to_owned(),
            context: Some(Struct::from(fields)),
        }),
        Action::SetPresence(SetPresence { presence: Presence::Offline.into(), when_done: true }),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_reaches_the_log_as_it_was_said_and_a_supervisors_only_from_supervisors() {
    for transport in BOTH {
        let world = World::start().await;
        let desk = world.desk(config()).await;
        for agent in ["ada", "cleo"] {
            world.router.set(TENANT, agent, holding(&[ID]));
        }
        let (mut ada, _) = Client::begin(&desk, transport, &desk.token(TENANT, "ada").await).await;
        let (mut cleo, _) = Client::begin(&desk, transport, &desk.token(TENANT, "cleo").await).await;
        for (at, action) in supervisors().into_iter().enumerate() {
            ada.command(command(&format!("a-{at}"), action)).await;
            let refused = result(&mut ada).await;
            assert!(!refused.accepted);
            assert_eq!(refused.reasons[0].code, "command.not_supervisor");
        }
        assert!(world.log().await.is_empty());
        let mut said = Vec::new();
        for (at, action) in everybodys().into_iter().enumerate() {
            ada.command(command(&format!("e-{at}"), action.clone())).await;
            assert!(result(&mut ada).await.accepted, "{action:?}");
            said.push(("ada".to_owned(), action));
        }
        for (at, action) in supervisors().into_iter().enumerate() {
            cleo.command(command(&format!("s-{at}"), action.clone())).await;
            assert!(result(&mut cleo).await.accepted, "{action:?}");
            said.push(("cleo".to_owned(), action));
        }
        let log = world.log().await.into_iter().filter_map(|(_, entry)| match entry.kind {
            Some(Kind::Command(command)) => Some((command.agent, command.action.unwrap())),
            _ => None,
        });
        assert_eq!(log.collect::<Vec<_>>(), said);
    }
}

fn pool(waiting: i32) -> PoolState {
    let work = AgentWork { conversation: id(), state: "assigned".to_owned(), ..AgentWork::default() };
    let agent = AgentView {
        name: "ada".to_owned(),
        presence: Presence::Online.into(),
        work: vec![work],
        queues: vec!["sales".to_owned()],
        occupancy: 400,
        ..AgentView::default()
    };
    let queue = QueueView { name: "sales".to_owned(), waiting, agents_online: 1, ..QueueView::default() };
    PoolState {
        agents: vec![agent],
        agents_total: 1,
        queues: vec![queue],
        waiting_total: waiting,
        ..PoolState::default()
    }
}

fn quick() -> DeskConfig {
    DeskConfig { board_every: Duration::from_millis(50), ..config() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_told_to_everybody_when_they_change_and_the_board_to_supervisors_who_watch() {
    let world = World::start().await;
    let desk = world.desk(quick()).await;
    for agent in ["ada", "cleo"] {
        world.router.set(TENANT, agent, holding(&[]));
    }
    world.router.set_pool(TENANT, pool(1));
    let (mut ada, _) = Client::begin(&desk, Transport::WebSocket, &desk.token(TENANT, "ada").await).await;
    let (mut cleo, _) = Client::begin(&desk, Transport::Grpc, &desk.token(TENANT, "cleo").await).await;
    let queues = |frame| if let Frame::Queues(queues) = frame { Some(queues.queues) } else { None };
    assert_eq!(ada.until(queues).await[0].waiting, 1);
    cleo.until(queues).await;

    let watch = |on| session_request::Frame::WatchBoard(WatchBoard { on });
    ada.send(watch(true)).await;
    let refused = ada.until(|frame| if let Frame::Error(error) = frame { Some(error.code) } else { None });
    assert_eq!(refused.await, "forbidden");

    cleo.send(watch(true)).await;
    let board = |frame| if let Frame::Board(board) = frame { Some(board) } else { None };
    let seen = cleo.until(board).await;
    assert_eq!((seen.agents[0].display_name.as_str(), seen.agents[0].work.len()), ("ADA", 1));
    world.router.set_pool(TENANT, pool(2));
    assert_eq!(cleo.until(board).await.waiting_total, 2);
    assert_eq!(ada.until(queues).await[0].waiting, 2, "without asking, and without a full state");

    // While nobody answers, what was seen stands; then it goes on.
    world.router.pause();
    world.router.set_pool(TENANT, pool(3));
    world.router.resume().await;
    assert_eq!(cleo.until(board).await.waiting_total, 3);

    cleo.send(watch(false)).await;
    world.router.set_pool(TENANT, pool(4));
    let next = |frame| match frame {
        Frame::Board(board) => Some(board.waiting_total),
        Frame::Queues(queues) if queues.queues[0].waiting == 4 => Some(0),
        _ => None,
    };
    assert_eq!(cleo.until(next).await, 0, "who does not watch is told of the queues alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_are_told_with_who_is_there() {
    let world = World::start().await;
    let desk = world.desk(quick()).await;
    world.apply("Queue", "sales", serde_json::json!({ "display_name": "Sales" })).await;
    let token = desk.token(TENANT, "cleo").await;
    let (status, away) = desk.get("/desk/api/colleagues", &token).await;
    assert_eq!((status, away["code"].as_str()), (503, Some("routing_away")));
    world.router.set_pool(TENANT, pool(2));
    let found = crate::support::eventually("the queue's name", || async {
        let (status, found) = desk.get("/desk/api/colleagues", &token).await;
        (status == 200 && found["queues"][0]["displayName"] == "Sales").then_some(found)
    })
    .await;
    let ada = &found["agents"][0];
    assert_eq!((ada["displayName"].as_str(), ada["presence"].as_str()), (Some("ADA"), Some("online")));
    assert_eq!((ada["occupancy"].as_i64(), found["queues"][0]["waiting"].as_i64()), (Some(400), Some(2)));
    let (_, own) = desk.get("/desk/api/colleagues", &desk.token(TENANT, "ada").await).await;
    assert_eq!(own["agents"], serde_json::json!([]), "nobody passes anything on to themselves");
    assert_eq!(desk.get("/desk/api/colleagues", "").await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_who_joined_types_to_the_customer() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "cleo", holding(&[]));
    let (mut cleo, _) = Client::begin(&desk, Transport::Grpc, &desk.token(TENANT, "cleo").await).await;
    let typing = |on| heliograph_proto::v1::ShowTyping { conversation: id(), on };
    cleo.send(session_request::Frame::Typing(typing(true))).await;
    world.publish(&fact(ID, Payload::SupervisorJoined(SupervisorJoined { agent: "cleo".to_owned() }))).await;
    assert_eq!(cleo.event().await.event.unwrap().r#type, "supervisor.joined");
    cleo.send(session_request::Frame::Typing(typing(true))).await;
    assert_eq!(cleo.event().await.event.unwrap().r#type, "agent.typing", "the first time it was not hers");
    world.publish(&said(ID, "thanks")).await;
    assert_eq!(cleo.event().await.event.unwrap().r#type, "message.received");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_says_what_its_guide_says() {
    let guide = include_str!("../../../../docs/how-to/bots.md");
    let snippets: Vec<&str> =
        guide.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(snippets.len(), 2);
    let world = World::start().await;
    let desk = world.desk(config()).await;
    world.router.set(TENANT, "ada", holding(&["cnv_2j9r4t6y8m0p1q3s5v7x9z2b4d"]));
    let (mut bot, _) = Client::begin(&desk, Transport::Grpc, &desk.token(TENANT, "ada").await).await;
    let mut said = Vec::new();
    for snippet in snippets {
        let request: SessionRequest = serde_json::from_str(snippet).unwrap();
        let written: serde_json::Value = serde_json::from_str(snippet).unwrap();
        assert_eq!(serde_json::to_value(&request).unwrap(), written, "nothing in it is passed over");
        let Some(session_request::Frame::Command(command)) = request.frame else { panic!("{snippet}") };
        said.push(command.action.clone().unwrap());
        bot.command(command).await;
        let result = result(&mut bot).await;
        assert!(result.accepted, "{result:?}");
    }
    let log = world.log().await.into_iter().filter_map(|(_, entry)| match entry.kind {
        Some(Kind::Command(command)) => command.action,
        _ => None,
    });
    let mut log: Vec<Action> = log.collect();
    if let Some(Action::Reply(reply)) = log.last_mut() {
        assert_eq!(reply.display_name, "ADA", "under the bot's own name");
        reply.display_name.clear();
    }
    assert_eq!(log, said);
}
