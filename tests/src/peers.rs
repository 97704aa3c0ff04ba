//! Requests made by the providers' own SDKs (`tests/peers/sign.py`).

use std::process::Stdio;

use heliograph_runtime::http_client::{HttpClient, HttpClientOptions, read_body};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::root;

/// A signed request.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Query of the URL; may be empty.
    pub query: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The signed bytes.
    pub body: String,
}

/// Lets the peer named in `request` sign it.
pub async fn sign(request: &Value) -> Signed {
    let signed = run(request).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = signed["headers"].as_object().expect("headers are an object");
    Signed {
        query: text(&signed["query"]),
        headers: headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        body: text(&signed["body"]),
    }
}

/// What the peer named in `request` makes of a request of ours.
pub async fn parse(mut request: Value) -> Value {
    request["mode"] = "parse".into();
    run(&request).await
}

async fn run(request: &Value) -> Value {
    let python = root().join(".tools/peers/bin/python");
    assert!(python.exists(), "the providers' SDKs are missing: `make tools-peers` fetches them");
    let mut child = Command::new(python)
        .arg(root().join("tests/peers/sign.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    input.write_all(request.to_string().as_bytes()).await.expect("the script reads its input");
    drop(input);
    let output = child.wait_with_output().await.expect("the script ends");
    assert!(output.status.success(), "the peer failed for {}", request["peer"]);
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

/// Posts it to `url`; our status and answer.
pub async fn post(url: &str, signed: &Signed) -> (u16, String) {
    let client = HttpClient::new(&HttpClientOptions::default()).expect("the default options make a client");
    let separator = if signed.query.is_empty() { "" } else { "?" };
    let mut request = client.post(format!("{url}{separator}{}", signed.query)).body(signed.body.clone());
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let response = client.send(request).await.expect("the ingress answers");
    let status = response.status().as_u16();
    let body = read_body(response, 1 << 20).await.expect("the answer can be read");
    (status, String::from_utf8_lossy(&body).into_owned())
}
