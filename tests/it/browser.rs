//! The newcomer's first exchange, in a browser: `heliograph dev`, the widget, the desk.

use heliograph_tests::{
    process::{Process, free_port},
    root,
};
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_writes_in_the_widget_and_an_agent_answers_on_the_desk() {
    let chromium = root().join(".tools/browser/chromium");
    if !chromium.exists() {
        println!("SKIPPED: no browser; `make tools-browser` says why");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let http = format!("127.0.0.1:{}", free_port());
    let grpc = format!("127.0.0.1:{}", free_port());
    let data = folder.path().join("data");
    let args =
        ["dev", "--no-sandbox", "--http", &http, "--grpc", &grpc, "--data-dir", data.to_str().unwrap()];
    let args = args.map(str::to_owned).to_vec();
    let mut dev = Process::start("dev", args, Vec::new(), &http, folder.path()).await;

    let screenshots = root().join("target/browser");
    std::fs::create_dir_all(&screenshots).unwrap();
    let options = json!({
        "chromium": chromium,
        "modules": format!("{}/", root().join(".tools/browser").display()),
        "demo": format!("http://{http}/webchat/acme-web/demo.html"),
        "desk": format!("http://{http}/desk/"),
        "screenshots": screenshots,
    });
    let output = Command::new("node")
        .arg(root().join("tests/browser/exchange.mjs"))
        .arg(options.to_string())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", dev.log());
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    for side in ["customer", "agent"] {
        let once = json!({ "question": 1, "answer": 1, "followUp": 1, "farewell": 1 });
        assert_eq!(seen[side], once, "{side}");
    }
    assert_eq!(seen["quoted"], "Wonderful, thank you!", "what the answer quotes");
    assert_eq!(seen["errors"], json!([]), "errors in a browser's console");
    assert_eq!(dev.terminate().await, Some(0), "{}", dev.log());
}
