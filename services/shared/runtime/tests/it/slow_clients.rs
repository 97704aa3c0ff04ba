//! What a stranger can hold open: nothing for longer than the settings say.

use std::{io::ErrorKind, time::Duration};

use axum::{Router, routing::get};
use heliograph_runtime::config::HttpSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::interval,
};

use crate::support::{self, Running, within};

async fn hasty(idle_timeout: Duration) -> Running {
    let settings = HttpSettings {
        header_read_timeout: Duration::from_millis(200),
        idle_timeout,
        ..support::http_settings()
    };
    support::http(&settings, Router::new().route("/", get(async || "ok"))).await
}

/// Reads until the server ends the connection; returns what it said before.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match within(stream.read_to_end(&mut said)).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Sends a whole request and reads its whole answer, leaving the connection open.
async fn exchange(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"ok") {
        let read = within(stream.read_buf(&mut said)).await.unwrap();
        assert_ne!(read, 0, "closed instead of answering");
    }
}

/// Sends `text` for ever, a byte at a time, until the server has had enough.
async fn dribble(stream: &mut TcpStream, text: &[u8]) {
    let mut pace = interval(Duration::from_millis(10));
    let (mut reading, mut writing) = stream.split();
    let closed = async {
        let mut rest = Vec::new();
        let _ = reading.read_to_end(&mut rest).await;
    };
    let dribbling = async {
        for byte in text.iter().cycle() {
            pace.tick().await;
            if writing.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    within(async {
        tokio::select! { () = closed => {}, () = dribbling => {} }
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed() {
    let server = hasty(Duration::from_mins(1)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_that_comes_a_byte_at_a_time_is_cut_off() {
    let server = hasty(Duration::from_mins(1)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    dribble(&mut stream, b"x-slow: very\r\n").await;
}

#[tokio::test]
async fn the_second_head_is_held_to_the_same_pace() {
    let server = hasty(Duration::from_mins(1)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    exchange(&mut stream).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    dribble(&mut stream, b"x-slow: very\r\n").await;
}

#[tokio::test]
async fn an_http2_preface_without_a_request_is_closed() {
    let server = hasty(Duration::from_mins(1)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    // The connection preface of RFC 9113, section 3.4, and an empty SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    until_closed(&mut stream).await;
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(b"PRI * HT").await.unwrap();
    until_closed(&mut half).await;
}

#[tokio::test]
async fn a_connection_may_rest_longer_than_a_head_may_take() {
    let server = hasty(Duration::from_mins(1)).await;
    let mut rested = TcpStream::connect(server.addr).await.unwrap();
    exchange(&mut rested).await;
    // The silent one came later and is closed for its silence; by then the other has rested for at least as long.
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    until_closed(&mut silent).await;
    exchange(&mut rested).await;
}

#[tokio::test]
async fn a_connection_does_not_rest_for_ever() {
    let server = hasty(Duration::from_millis(300)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    exchange(&mut stream).await;
    assert_eq!(until_closed(&mut stream).await, "");
}
