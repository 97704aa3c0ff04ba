//! The page itself, in a browser: what an agent is told before answering, and the map.

use std::path::Path;

use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Event, Message, MessageAccepted, MessageDeferred, MessageReceived, MessageRefused,
        MessageRerouted, Reason, Region, Verdict, event::Payload, verdict::Outcome,
    },
};
use heliograph_store::{
    now_ms,
    windows::{Window, WindowKey, Windows},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    people::{NUMBER, maria},
    support::{TENANT, World, config, fact, said, text},
};

const DAY_MS: i64 = 24 * 3_600_000;

fn verdict(outcome: Outcome, why: &str) -> Verdict {
    let reason = Reason { code: "policy.test".to_owned(), text: why.to_owned(), detail: None };
    let region = Region { name: "latam".to_owned(), country: "BR".to_owned(), ..Region::default() };
    let fired = vec![reason];
    Verdict { outcome: outcome.into(), region: Some(region), fired, ..Verdict::default() }
}

fn accepted(id: &str, channel: &str, body: &str) -> Event {
    let address = Address { channel: channel.to_owned(), ..Address::default() };
    let message = Message {
        id: id.to_owned(),
        content: Some(text(body)),
        address: Some(address),
        ..Message::default()
    };
    of(Payload::MessageAccepted(MessageAccepted { message: Some(message), ..MessageAccepted::default() }))
}

fn of(payload: Payload) -> Event {
    Event { region: "latam".to_owned(), channel: "sms".to_owned(), ..fact("cnv_1", payload) }
}

/// A denied question, an answer that was refused, one that waits, and one that went another way.
async fn a_conversation(world: &World) {
    let message = Message { id: "msg_0".to_owned(), content: Some(text("Oi!")), ..Message::default() };
    let verdict_of = |why| Some(verdict(Outcome::Deny, why));
    let verdict_here = verdict_of("sms is not for here");
    let heard =
        MessageReceived { message: Some(message), verdict: verdict_here, ..MessageReceived::default() };
    let refused =
        MessageRefused { message_id: "msg_1".to_owned(), verdict: verdict_of("rule no-sms forbids it") };
    let deferred = MessageDeferred {
        message_id: "msg_2".to_owned(),
        until: Some(Timestamp::from_millis(now_ms() + DAY_MS)),
        verdict: Some(verdict(Outcome::Defer, "quiet hours")),
        ..MessageDeferred::default()
    };
    let rerouted = MessageRerouted {
        message_id: "msg_3".to_owned(),
        new_message_id: "msg_4".to_owned(),
        from_channel: "sms".to_owned(),
        to: Some(Address { channel: "email".to_owned(), ..Address::default() }),
        trigger: "no_receipt".to_owned(),
        ..MessageRerouted::default()
    };
    for event in [
        of(Payload::MessageReceived(heard)),
        accepted("msg_1", "sms", "one"),
        of(Payload::MessageRefused(refused)),
        accepted("msg_2", "sms", "two"),
        of(Payload::MessageDeferred(deferred)),
        accepted("msg_3", "sms", "three"),
        of(Payload::MessageRerouted(rerouted)),
        accepted("msg_4", "email", "three"),
        said("cnv_0", "an old question"),
    ] {
        world.publish(&event).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_sees_what_becomes_of_an_answer_and_finds_its_rules_on_the_map() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/browser");
    let chromium = tools.join("chromium");
    if !chromium.exists() {
        println!("SKIPPED: no browser; `make tools-browser` says why");
        return;
    }
    let world = World::start().await;
    maria(&world).await;
    Box::pin(a_conversation(&world)).await;
    let windows = Windows::new(world.redis());
    let day = std::time::Duration::from_hours(24);
    let closed = Window::opened("message", now_ms() - DAY_MS - 1_000, day, None);
    windows.open(&WindowKey::new(TENANT, "sms", "us", NUMBER), &closed).await.unwrap();
    let desk = world.desk(config()).await;

    let options = json!({
        "chromium": chromium, "modules": format!("{}/", tools.display()), "desk": desk.url("/desk/"),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.mjs");
    let run = Command::new("node").arg(script).arg(options.to_string()).kill_on_drop(true).output();
    let output = run.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();

    assert_eq!(seen["errors"], json!([]));
    assert_eq!(seen["window"], json!("Window closed"));
    let notice = seen["notice"].as_str().unwrap();
    assert!(notice.contains("template “again” (pt_BR) goes out instead"), "{notice}");
    assert_eq!(seen["refused"], json!("rule no-sms forbids it"));
    assert!(seen["deferred"].as_str().unwrap().starts_with("Waiting until "), "{seen}");
    let detours =
        json!(["Sent by e-mail instead: no receipt came in time.", "In place of the message by SMS.",]);
    assert_eq!(seen["detours"], detours);
    assert_eq!(seen["addresses"], json!([NUMBER, "maria@example.com"]));
    assert_eq!(seen["ways"], json!([format!("SMS · {NUMBER}, restricted"), "e-mail · maria@example.com"]));
    let answer = seen["answer"].as_str().unwrap();
    assert!(answer.contains("HG-") && answer.contains("WeChat"), "{answer}");
    assert_eq!(seen["past"], json!(["an old question"]));

    assert_eq!(seen["places"], json!(250));
    assert_eq!(seen["counts"], json!(["1", "0", "2"]), "one came in and was denied, one was refused");
    assert_eq!(seen["term"], json!("Brazil"));
    let of = |channel: &str| {
        let verdicts = seen["verdicts"].as_array().unwrap();
        verdicts.iter().find(|verdict| verdict[0] == json!(channel)).map(|verdict| verdict[1].clone())
    };
    assert_eq!((of("SMS"), of("e-mail")), (Some(json!("Allowed")), Some(json!("Allowed"))));
    assert!(seen["because"].as_str().unwrap().contains("voice"), "{seen}");
    assert_ne!(seen["neighbour"], json!("BR"));
    assert_eq!(seen["back"], json!(true));
}
