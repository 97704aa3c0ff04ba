//! `simulate`: no broker, no configuration.

use serde_json::Value;

use crate::support::{Done, binary};

const SCENARIO: &str = "\
name: Small
length: 2h
replications: 3
queues:
  chat: { wrap_up: 0s }
work:
  - { name: chats, queue: chat, arrivals: { poisson: { per_hour: 60 } }, service: { exponential: 2m }, patience: { exponential: 1m } }
agents:
  - { name: team, count: 3, queues: [chat], capacity: { chat: 1 } }
";

async fn simulate(scenario: &str, args: &[&str]) -> (Done, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.yaml"), scenario).unwrap();
    let args: Vec<&str> = ["simulate", "-f", "s.yaml"].into_iter().chain(args.iter().copied()).collect();
    let done = binary(&args, folder.path().to_owned()).output().await.unwrap().into();
    (done, folder)
}

#[tokio::test]
async fn tables_a_report_and_json_say_the_same() {
    let (tables, folder) = simulate(SCENARIO, &["--out", "r.html"]).await;
    let tables = tables.ok();
    assert!(tables.out.contains("Beside the closed form of M/M/3+M"), "{}", tables.out);
    assert!(tables.err.contains("the report is in r.html"), "{}", tables.err);
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("</svg>"));
    let (json, _folder) = simulate(SCENARIO, &["--json"]).await;
    let json: Value = serde_json::from_str(&json.ok().out).unwrap();
    let level = json["summary"]["queues"][0]["service_level"]["mean"].as_f64().unwrap();
    assert!(tables.out.contains(&format!("{:.1} %", level * 100.0)), "{level} {}", tables.out);
}

#[tokio::test]
async fn seeds_and_replications_are_taken_from_the_command_line() {
    let told = async |args: &[&str]| simulate(SCENARIO, args).await.0.ok().out;
    let one = told(&["--seed", "5", "--replications", "2"]).await;
    assert!(one.contains("2 replications") && one.contains("seed 5"), "{one}");
    assert_eq!(one, told(&["--seed", "5", "--replications", "2"]).await);
    assert_ne!(one, told(&["--seed", "6", "--replications", "2"]).await);
}

#[tokio::test]
async fn what_is_wrong_or_missed_shows_in_the_exit_code() {
    let (wrong, _folder) = simulate(&SCENARIO.replace("queue: chat,", "queue: chats,"), &[]).await;
    assert_eq!(wrong.code, 65);
    assert!(
        wrong.err.contains(r#"s.yaml:7:27: work[0].queue: unknown queue "chats"; did you mean "chat"?"#),
        "{}",
        wrong.err
    );
    let (missed, _folder) = simulate(&format!("check: {{ closed_form: 0% }}\n{SCENARIO}"), &[]).await;
    assert_eq!(missed.code, 1, "{}", missed.out);
    assert!(missed.out.contains("MISSED"), "{}", missed.out);
    let folder = tempfile::tempdir().unwrap();
    let nothing: Done =
        binary(&["simulate", "-f", "no.yaml"], folder.path().to_owned()).output().await.unwrap().into();
    assert_eq!(nothing.code, 2, "{}", nothing.err);
}
