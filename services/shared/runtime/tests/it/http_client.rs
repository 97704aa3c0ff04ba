//! Outbound HTTP: what is told apart, what is cut off, what never shows.

use std::time::Duration;

use axum::{Router, body::Body, http::HeaderMap, response::Redirect, routing::get};
use bytes::Bytes;
use futures::stream;
use heliograph_runtime::http_client::{BodyError, HttpClient, HttpClientOptions, SendError, read_body};
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::support::{self, within};

fn client(options: &HttpClientOptions) -> HttpClient {
    HttpClient::new(options).unwrap()
}

async fn failure(client: &HttpClient, url: &str) -> SendError {
    let error = within(client.send(client.get(url))).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    error
}

#[tokio::test]
async fn nobody_there_means_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let client = client(&HttpClientOptions::default());
    let error = failure(&client, &format!("http://{addr}/?access_token=s3cret")).await;
    assert!(matches!(error, SendError::NotSent(_)) && error.never_sent(), "{error:?}");
    let error = failure(&client, "http://no-such-host.invalid/?access_token=s3cret").await;
    assert!(matches!(error, SendError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn no_answer_means_unknown() {
    for hang_up in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?access_token=s3cret", listener.local_addr().unwrap());
        let provider = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            if !hang_up {
                std::future::pending::<()>().await;
            }
        });
        let options =
            HttpClientOptions { request_timeout: Duration::from_millis(300), ..HttpClientOptions::default() };
        let error = failure(&client(&options), &url).await;
        assert!(matches!(error, SendError::Unknown(_)) && !error.never_sent(), "{error:?}");
        assert_eq!(error.is_timeout(), !hang_up);
        provider.abort();
    }
}

#[tokio::test]
async fn nonsense_is_not_sent() {
    let client = client(&HttpClientOptions::default());
    assert!(matches!(failure(&client, "not a url?s3cret").await, SendError::Invalid(_)));
}

#[tokio::test]
async fn redirects_are_answers() {
    let router = Router::new().route("/", get(async || Redirect::temporary("/elsewhere")));
    let server = support::http(&support::http_settings(), router).await;
    let client = client(&HttpClientOptions::default());
    assert_eq!(client.send(client.get(server.url("/"))).await.unwrap().status(), 307);
}

#[tokio::test]
async fn says_who_it_is_and_not_where_it_came_from() {
    let router = Router::new().route(
        "/",
        get(async |headers: HeaderMap| {
            format!("{:?} {:?}", headers.get("user-agent").unwrap(), headers.get("traceparent"))
        }),
    );
    let server = support::http(&support::http_settings(), router).await;
    let client = client(&HttpClientOptions::default());
    let body = read_body(client.send(client.get(server.url("/"))).await.unwrap(), 1000).await.unwrap();
    assert_eq!(body, format!("\"heliograph/{}\" None", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn a_long_answer_is_cut_off_whether_or_not_it_says_its_length() {
    let announced = get(async || vec![b'x'; 1001]);
    let streamed = get(async || {
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 100]))))
    });
    let fits = get(async || vec![b'x'; 1000]);
    let router =
        Router::new().route("/announced", announced).route("/streamed", streamed).route("/fits", fits);
    let server = support::http(&support::http_settings(), router).await;
    let client = client(&HttpClientOptions::default());
    for path in ["/announced", "/streamed"] {
        let response = client.send(client.get(server.url(path))).await.unwrap();
        let error = within(read_body(response, 1000)).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { limit: 1000 }), "{error:?}");
    }
    let response = client.send(client.get(server.url("/fits"))).await.unwrap();
    assert_eq!(read_body(response, 1000).await.unwrap().len(), 1000);
}
