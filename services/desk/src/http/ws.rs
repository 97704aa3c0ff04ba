//! `/desk/ws`: the session's frames as canonical JSON, one a text message.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::Response,
};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use heliograph_proto::v1::{SessionRequest, SessionResponse};
use http::{
    HeaderMap, StatusCode,
    header::{HOST, ORIGIN},
};
use tokio::{sync::mpsc, time::timeout};

use super::{Web, refuse};
use crate::session::{self, BadFrame, Frames, Shared};

/// Largest message of a client, in bytes: a reply of 64 KiB, escaped as badly as JSON can.
const MESSAGE_BYTES: usize = 512 * 1024;
/// How long saying goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

pub(super) async fn open(State(web): State<Web>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !is_allowed(&headers, &web.shared.config.allowed_origins) {
        return refuse(
            StatusCode::FORBIDDEN,
            "origin",
            "pages of this origin may not open the desk's WebSocket",
        );
    }
    upgrade
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .on_upgrade(move |socket| serve(web.shared, socket))
}

/// Whether the page that asks is the desk's own or one it allows. Programs name no origin; the token is what counts.
fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    matches!((own, host), (Some(own), Some(host)) if own.eq_ignore_ascii_case(host))
}

async fn serve(shared: Arc<Shared>, socket: WebSocket) {
    let (sink, stream) = socket.split();
    let (queue, waiting) = mpsc::channel(shared.config.send_queue);
    let writer = tokio::spawn(write(sink, waiting, shared.config.slow_client));
    let end = session::run(&shared, "websocket", frames(stream), queue).await;
    let Ok(Some(mut sink)) = writer.await else { return };
    let (code, reason) = end.close();
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // A client that has gone needs no goodbye.
    let _ = timeout(CLOSE_WITHIN, async { sink.send(close).await.and(sink.close().await) }).await;
}

/// Writes until the queue ends; gives the socket back unless it is broken, or the client does not read.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut waiting: mpsc::Receiver<SessionResponse>,
    patience: Duration,
) -> Option<SplitSink<WebSocket, Message>> {
    while let Some(response) = waiting.recv().await {
        let json = serde_json::to_string(&response).expect("a frame is JSON");
        match timeout(patience, sink.send(Message::Text(json.into()))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return None,
        }
    }
    Some(sink)
}

/// The client's frames, until it closes.
fn frames(stream: SplitStream<WebSocket>) -> Frames {
    let frames = stream.map(|message| match message {
        Ok(Message::Text(text)) => Some(Some(read(&text))),
        Ok(Message::Binary(_)) => Some(Some(Err(BadFrame("frames are text: canonical JSON".to_owned())))),
        Ok(Message::Ping(_) | Message::Pong(_)) => Some(None),
        Ok(Message::Close(_)) | Err(_) => None,
    });
    let until_closed = frames.take_while(|frame| std::future::ready(frame.is_some()));
    until_closed.filter_map(|frame| std::future::ready(frame.flatten())).boxed()
}

fn read(text: &str) -> Result<SessionRequest, BadFrame> {
    serde_json::from_str(text).map_err(|error| BadFrame(format!("not a frame: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn allowed(origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("desk.example.com:8080"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        is_allowed(&headers, &["https://other.example.com".to_owned()])
    }

    #[test]
    fn only_the_desk_itself_and_what_it_allows_may_connect_from_a_page() {
        assert!(allowed(None) && allowed(Some("http://desk.example.com:8080")));
        assert!(allowed(Some("https://other.example.com")));
        for origin in
            ["https://desk.example.com", "https://evil.example.com", "null", "ftp://desk.example.com:8080"]
        {
            assert!(!allowed(Some(origin)), "{origin}");
        }
    }

    #[test]
    fn unknown_fields_are_passed_over_and_nonsense_is_not() {
        let frame = read(r#"{"ping":{"nonce":"7"},"newer":1}"#).unwrap();
        assert!(frame.frame.is_some());
        assert!(read("{").is_err());
    }
}
