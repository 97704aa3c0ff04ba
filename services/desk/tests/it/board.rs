//! The supervisor's board in a browser.

use std::path::Path;

use heliograph_proto::{
    Timestamp,
    v1::{
        Address, AgentView, AgentWork, ConversationView, PoolState, Presence, QueueView, Waiting,
        command::Action, routing_entry::Kind,
    },
};
use heliograph_store::now_ms;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{TENANT, World, config, eventually, holding};

fn pool() -> PoolState {
    let person =
        |name: &str| Some(Address { channel: "sms".into(), display_name: name.into(), ..Address::default() });
    let agent = |name: &str, presence: Presence, occupancy| AgentView {
        name: name.to_owned(),
        presence: presence.into(),
        connected: true,
        occupancy,
        queues: vec!["sales".to_owned()],
        ..AgentView::default()
    };
    let work = AgentWork {
        conversation: "cnv_2".to_owned(),
        state: "assigned".to_owned(),
        display_name: "Wei".to_owned(),
        ..AgentWork::default()
    };
    let waiting = Waiting {
        position: 1,
        since: Some(Timestamp::from_millis(now_ms() - 90_000)),
        estimated_wait_seconds: Some(60),
        step: 1,
    };
    PoolState {
        agents: vec![
            agent("bob", Presence::Offline, 0),
            AgentView { work: vec![work], ..agent("ada", Presence::Online, 500) },
        ],
        agents_total: 2,
        agents_online: 1,
        queues: vec![QueueView {
            name: "sales".to_owned(),
            waiting: 1,
            oldest_wait_ms: 90_000,
            agents_online: 1,
            target_seconds: 20,
            ..QueueView::default()
        }],
        waiting: vec![ConversationView {
            id: "cnv_1".to_owned(),
            queue: "sales".to_owned(),
            address: person("Maria"),
            priority: 5,
            waiting: Some(waiting),
            ..ConversationView::default()
        }],
        waiting_total: 1,
        open_total: 2,
        ..PoolState::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_sees_the_pool_and_acts_from_the_board() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/browser");
    let chromium = tools.join("chromium");
    if !chromium.exists() {
        println!("SKIPPED: no browser; `make tools-browser` says why");
        return;
    }
    let world = World::start().await;
    world.router.set(TENANT, "cleo", holding(&[]));
    world.router.set_pool(TENANT, pool());
    let desk = world.desk(config()).await;
    let options = json!({
        "chromium": chromium, "modules": format!("{}/", tools.display()), "desk": desk.url("/desk/"),
        "screenshots": std::env::var("HELIOGRAPH_SCREENSHOTS").ok(),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/board.mjs");
    let run = Command::new("node").arg(script).arg(options.to_string()).kill_on_drop(true).output();
    let output = run.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["errors"], json!([]));
    assert_eq!(seen["totals"], json!("1 waiting · 2 open · 1 of 2 online"));
    assert_eq!(seen["queues"], json!([["sales", "1", "bad"]]));
    assert_eq!(seen["waiting"], json!(["Maria"]));
    assert_eq!(seen["agents"], json!([["ADA", "online"], ["BOB", "offline"]]));
    assert_eq!((&seen["work"], &seen["back"]), (&json!(["Wei"]), &json!(true)));

    let said = eventually("six commands", || async {
        let log = world.log().await.into_iter().filter_map(|(_, entry)| match entry.kind {
            Some(Kind::Command(command)) if command.agent == "cleo" => command.action,
            _ => None,
        });
        let said: Vec<Action> = log.filter(|action| !matches!(action, Action::Heartbeat(_))).collect();
        (said.len() >= 6).then_some(said)
    })
    .await;
    let [
        Action::Prioritize(sooner),
        Action::Prioritize(undone),
        Action::Assign(assigned),
        Action::Join(joined),
        Action::Pull(pulled),
        Action::SetAgentPresence(sent),
    ] = said.as_slice()
    else {
        panic!("{said:?}")
    };
    assert_eq!((sooner.priority, undone.priority, assigned.note.as_str()), (15, 5, "you know her"));
    assert_eq!((joined.conversation.as_str(), pulled.conversation.as_str()), ("cnv_2", "cnv_2"));
    assert_eq!((sent.agent.as_str(), sent.presence()), ("ada", Presence::Away));
}
