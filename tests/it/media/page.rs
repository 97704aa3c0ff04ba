//! The same in a browser: what the agent sees of a customer's pictures, and of files on their way to one.

use std::path::Path;

use heliograph_testkit::clamd::{Clamd, eicar};
use heliograph_tests::{eventually, fleet::Fleet, root};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{LAMP, OFFER, got, uploads};

/// The largest file the desk takes here, in bytes.
const LIMIT: usize = 200_000;

/// Files to attach: what they are for, name, content.
fn files() -> [(&'static str, &'static str, Vec<u8>); 4] {
    [
        ("picture", "reading lamp.png", LAMP.to_vec()),
        ("document", "offer.pdf", OFFER.to_vec()),
        (
            "large",
            "catalogue of all our lamps, with prices, for the whole of the coming year.pdf",
            [OFFER, &vec![b' '; LIMIT]].concat(),
        ),
        ("page", "page.html", b"<!doctype html><p>hello".to_vec()),
    ]
}

async fn run(script: &Path, options: &Value) -> Value {
    let run = Command::new("node").arg(script).arg(options.to_string()).kill_on_drop(true).output();
    let output = run.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_sees_pictures_and_is_told_what_becomes_of_files() {
    let chromium = root().join(".tools/browser/chromium");
    if !chromium.exists() {
        println!("SKIPPED: no browser; `make tools-browser` says why");
        return;
    }
    let clamd = Clamd::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (at, limit) = (clamd.at.to_string(), LIMIT.to_string());
    let settings = [("MEDIA__SCAN__CLAMD__ADDRESS", at.as_str()), ("MEDIA__LIMIT", limit.as_str())];
    let fleet = Fleet::start_with(&["wechat", "router", "egress", "desk", "media"], &settings).await;
    let wei = fleet.sandbox.customer("acme-cn", "oWei", "Wei");
    wei.send_picture("image/jpeg", eicar()).await;
    wei.send_picture("image/jpeg", LAMP).await;
    eventually("both were fetched", || async {
        let files = fleet.sandbox.files();
        files.iter().all(|file| file.fetched > 0).then_some(())
    })
    .await;

    let folder = tempfile::tempdir().unwrap();
    let mut paths = serde_json::Map::new();
    for (what, name, content) in files() {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        paths.insert(what.to_owned(), json!(path));
    }
    let screenshots = root().join("target/browser");
    std::fs::create_dir_all(&screenshots).unwrap();
    let options = json!({
        "chromium": chromium, "modules": format!("{}/", root().join(".tools/browser").display()),
        "desk": format!("{}/desk/", fleet.http("desk")), "files": paths, "screenshots": screenshots,
    });
    let seen = run(&root().join("tests/browser/media.mjs"), &options).await;

    assert_eq!(seen["errors"], json!([]), "errors in the browser's console");
    assert_eq!(seen["picture"], json!([720, 480]), "the customer's picture is shown");
    assert_eq!(seen["refused"], json!("the virus scanner found something in it"));
    let share = seen["share"].as_f64().unwrap();
    assert!(share > 0.0 && share < 1.0, "{share}");
    assert_eq!(seen["told"]["large"], json!("Too large: a file may have at most 200 kB."));
    assert_eq!(seen["told"]["page"], json!("files of this type are not accepted"));
    assert_eq!(seen["told"]["document"], json!("WeChat carries no files: the customer gets a link to it."));
    assert_eq!(seen["told"]["picture"], json!(""));
    assert_eq!(seen["covered"], json!(false), "the answer can be sent on a narrow screen");
    assert_eq!(seen["sent"], json!([720, 480]), "the agent's picture is shown");
    assert!(seen["changed"].as_str().unwrap().contains("goes out as text"), "{seen}");

    let sent = got(&fleet, "oWei", 3).await;
    let kinds: Vec<&str> = sent.iter().map(|sent| sent.request["msgtype"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["image", "text", "text"], "the picture, its caption, the link");
    assert_eq!(uploads(&fleet).len(), 1);
}
