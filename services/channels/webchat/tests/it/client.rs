//! The widget's end of a connection.

use std::net::SocketAddr;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::fleet::DEADLINE;

pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Connects; the status when the upgrade is refused.
    pub(crate) async fn connect(addr: SocketAddr, origin: Option<&str>) -> Result<Self, u16> {
        let mut request = format!("ws://{addr}/webchat/shop/ws").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        request.headers_mut().insert("sec-websocket-protocol", "heliograph.chat.v1".parse().unwrap());
        match connect_async(request).await {
            Ok((stream, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "heliograph.chat.v1");
                Ok(Self(stream))
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next frame, or the code it was closed with.
    pub(crate) async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(1006),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame, which has to be of this kind.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next().await.unwrap_or_else(|code| panic!("closed with {code} before {kind}"));
        assert_eq!(frame["t"], kind, "{frame}");
        frame
    }

    /// The code it is closed with, whatever comes before.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Says hello with `more` fields; the welcome.
    pub(crate) async fn hello(&mut self, more: &Value) -> Value {
        self.say_hello(more).await;
        self.expect("welcome").await
    }

    pub(crate) async fn say_hello(&mut self, more: &Value) {
        let mut hello = json!({
            "t": "hello", "v": 1,
            "page": { "url": "https://shop.test/cart?secret=1#x", "title": "Cart", "locale": "de-AT" },
        });
        for (name, value) in more.as_object().unwrap() {
            hello[name] = value.clone();
        }
        self.send(&hello).await;
    }

    /// Says something and waits for the acknowledgement; what was pushed in between is dropped.
    pub(crate) async fn say(&mut self, cid: &str, text: &str) -> Value {
        self.send(&json!({ "t": "msg", "cid": cid, "text": text })).await;
        loop {
            let frame = self.next().await.unwrap();
            match frame["t"].as_str().unwrap() {
                "ack" if frame["cid"] == cid => return frame,
                "error" => panic!("{frame}"),
                _ => {}
            }
        }
    }

    /// Messages up to number `last`; every number once and in order from `first` on.
    pub(crate) async fn messages(&mut self, first: u64, last: u64) -> Vec<Value> {
        let mut all = Vec::new();
        for seq in first..=last {
            let frame = self.expect("msg").await;
            assert_eq!(frame["seq"], seq, "{frame}");
            all.push(frame);
        }
        all
    }

    /// Takes what is still on its way.
    pub(crate) async fn is_quiet_after_echo(&mut self) {
        self.send(&json!({ "t": "ping" })).await;
        while self.next().await.unwrap()["t"] != "pong" {}
    }

    /// Proves that nothing more was sent before now.
    pub(crate) async fn is_quiet(&mut self) {
        self.send(&json!({ "t": "ping" })).await;
        self.expect("pong").await;
    }
}
