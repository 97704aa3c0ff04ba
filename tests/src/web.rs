//! Plain requests to the fleet's own HTTP.

use std::collections::BTreeMap;

use heliograph_runtime::http_client::{HttpClient, HttpClientOptions, read_body};
use serde_json::Value;

use crate::PATIENCE;

/// More than this is not read of an answer.
const LARGEST: usize = 16 << 20;

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the answer is JSON")
    }

    /// The code of a refusal.
    pub fn error(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Gets a URL, and follows nothing. `token` is a bearer's; empty for none.
pub async fn get(url: &str, token: &str) -> Answer {
    ask("GET", url, token, Vec::new()).await
}

/// Posts bytes.
pub async fn post(url: &str, token: &str, body: Vec<u8>) -> Answer {
    ask("POST", url, token, body).await
}

/// Signs an agent in at a desk (its HTTP address); the session's token.
pub async fn sign_in(desk: &str, login: &str, password: &str) -> String {
    let body = serde_json::json!({ "tenant": "acme", "login": login, "password": password }).to_string();
    let client = HttpClient::new(&HttpClientOptions::default()).expect("the default options make a client");
    let request =
        client.post(format!("{desk}/desk/login")).header("content-type", "application/json").body(body);
    let response = client.send(request).await.expect("the desk answers");
    let answer = read_body(response, LARGEST).await.expect("the answer can be read");
    let answer: Value = serde_json::from_slice(&answer).expect("the answer is JSON");
    answer["token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

async fn ask(method: &str, url: &str, token: &str, body: Vec<u8>) -> Answer {
    let client = HttpClient::new(&HttpClientOptions::default()).expect("the default options make a client");
    let mut request = if method == "GET" { client.get(url) } else { client.post(url).body(body) };
    request = request.timeout(PATIENCE);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let response = client.send(request).await.expect("it answers");
    let status = response.status().as_u16();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    let body = read_body(response, LARGEST).await.expect("the answer can be read").to_vec();
    Answer { status, headers, body }
}
