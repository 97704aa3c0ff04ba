//! A visitor of a web page, as the widget connects them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{PATIENCE, tenant::WEBCHAT_SECRET};

/// How long a signed identity is good for.
const TOKEN_LIFE: Duration = Duration::from_mins(10);

/// A visitor with an open connection.
pub struct Visitor(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Visitor {
    /// Opens the chat of an account at `ingress` (a URL). `claims` are signed as the page's server would sign them;
    /// none is a guest.
    pub async fn open(ingress: &str, account: &str, claims: Option<Value>) -> Self {
        let url = format!("{}/webchat/{account}/ws", ingress.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a URL");
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "heliograph.chat.v1".parse().expect("plain text"));
        let (socket, _) = connect_async(request).await.expect("the widget's connection is taken");
        let mut visitor = Self(socket);
        let mut hello =
            json!({ "t": "hello", "v": 1, "page": { "url": "https://shop.test/", "locale": "en" } });
        if let Some(claims) = claims {
            hello["identity"] = json!({ "jwt": signed(claims) });
        }
        visitor.send(&hello).await;
        visitor.wait("a welcome", |frame| (frame["t"] == "welcome").then_some(())).await;
        visitor
    }

    async fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.expect("the connection is open");
    }

    /// Says something; returns when it is durable.
    pub async fn say(&mut self, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let cid = now.as_nanos().to_string();
        self.send(&json!({ "t": "msg", "cid": cid, "text": text })).await;
        self.wait("an acknowledgement", |frame| {
            assert_ne!(frame["t"], "error", "{frame}");
            (frame["t"] == "ack" && frame["cid"] == cid.as_str()).then_some(())
        })
        .await;
    }

    /// Waits for the agent's side to say `text`.
    pub async fn hears(&mut self, text: &str) {
        self.wait(text, |frame| (frame["t"] == "msg" && frame["text"] == text).then_some(())).await;
    }

    async fn wait<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let search = async {
            loop {
                let message = self.0.next().await.expect("the connection stays open").expect("a frame");
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                if let Some(found) = wanted(&frame) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("gave up waiting for {what}"))
    }
}

/// A token of the page's server.
fn signed(mut claims: Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    claims["exp"] = (now + TOKEN_LIFE).as_secs().into();
    let key = jsonwebtoken::EncodingKey::from_secret(WEBCHAT_SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("claims can be signed")
}
