//! The gRPC server and the channels that call it.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, Response, header::CONTENT_TYPE},
    routing::post,
};
use futures::StreamExt as _;
use heliograph_runtime::{
    Health,
    config::GrpcSettings,
    grpc::{self, ChannelError, ChannelOptions, GrpcChannel, GrpcServer, Routes, never_sent},
    tls,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tower::ServiceExt as _;

use crate::support::{self, within};

/// A service by hand: what it has to say stands in the headers of its answer.
fn echo() -> Routes {
    let say = async |ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap| {
        let mut response =
            Response::builder().header(CONTENT_TYPE, "application/grpc").header("grpc-status", "0");
        response = response.header("x-peer-port", peer.port());
        if let Some(timeout) = headers.get("grpc-timeout") {
            response = response.header("x-timeout", timeout);
        }
        response.body(Body::empty()).unwrap()
    };
    let hang = async || std::future::pending::<Response<Body>>().await;
    Routes::from(Router::new().route("/test.Echo/Say", post(say)).route("/test.Echo/Hang", post(hang)))
}

/// Calls a method by hand, and returns the headers of the answer.
async fn call(channel: &GrpcChannel, method: &str) -> Result<HeaderMap, tonic::Status> {
    let request = Request::post(format!("/test.Echo/{method}")).header(CONTENT_TYPE, "application/grpc");
    let request = request.body(tonic::body::Body::empty()).unwrap();
    match within(channel.clone().oneshot(request)).await {
        Ok(response) => Ok(response.headers().clone()),
        Err(error) => Err(tonic::Status::from_error(error.into())),
    }
}

#[tokio::test]
async fn a_call_carries_its_deadline_and_the_server_keeps_it() {
    tls::install_provider();
    let server = support::grpc(&support::grpc_settings(), &Health::new(), echo()).await;
    let headers = call(&grpc::channel(&server.url("")).unwrap(), "Say").await.unwrap();
    assert!(headers.contains_key("x-timeout"));

    let endless = ChannelOptions { deadline: None, ..ChannelOptions::default() };
    let channel = grpc::channel_with(&server.url(""), &endless).unwrap();
    assert!(!call(&channel, "Say").await.unwrap().contains_key("x-timeout"));

    // Without a timer of its own, this client learns of the deadline from the server only.
    let http2 =
        reqwest::Client::builder().http2_prior_knowledge().timeout(Duration::from_secs(20)).build().unwrap();
    let hang = http2.post(server.url("/test.Echo/Hang")).header("grpc-timeout", "50m");
    let response = within(hang.header(CONTENT_TYPE, "application/grpc").send()).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], (Code::DeadlineExceeded as i32).to_string().as_str());
}

#[tokio::test]
async fn http1_is_refused() {
    tls::install_provider();
    let server = support::grpc(&support::grpc_settings(), &Health::new(), echo()).await;
    let http1 = reqwest::Client::builder().http1_only().timeout(Duration::from_secs(20)).build().unwrap();
    assert!(http1.post(server.url("/test.Echo/Say")).send().await.is_err());
}

#[tokio::test]
async fn a_connection_is_sent_away_at_its_age_and_no_call_is_lost() {
    let settings = GrpcSettings {
        max_connection_age: Duration::from_millis(100),
        max_connection_age_grace: Duration::from_secs(30),
        ..support::grpc_settings()
    };
    let server = support::grpc(&settings, &Health::new(), echo()).await;
    let channel = grpc::channel(&server.url("")).unwrap();
    let first = call(&channel, "Say").await.unwrap()["x-peer-port"].clone();
    // A call may meet the connection's end; then it was certainly not sent, and says so.
    let replaced = async {
        loop {
            match call(&channel, "Say").await {
                Ok(headers) if headers["x-peer-port"] != first => return,
                Ok(_) => {}
                Err(error) => assert!(never_sent(&error), "{error:?}"),
            }
        }
    };
    within(replaced).await;
}

#[tokio::test]
async fn a_call_that_outlives_the_grace_is_cut() {
    let settings = GrpcSettings {
        max_connection_age: Duration::from_millis(100),
        max_connection_age_grace: Duration::from_millis(100),
        ..support::grpc_settings()
    };
    let server = support::grpc(&settings, &Health::new(), echo()).await;
    let endless = ChannelOptions { deadline: None, ..ChannelOptions::default() };
    let channel = grpc::channel_with(&server.url(""), &endless).unwrap();
    let error = call(&channel, "Hang").await.unwrap_err();
    assert!(!never_sent(&error), "{error:?}");
}

#[tokio::test]
async fn a_channel_survives_its_server() {
    let settings = support::grpc_settings();
    let mut server = support::grpc(&settings, &Health::new(), echo()).await;
    let channel = grpc::channel(&server.url("")).unwrap();
    call(&channel, "Say").await.unwrap();
    server.shutdown.drain();
    within(&mut server.task).await.unwrap();
    let error = call(&channel, "Say").await.unwrap_err();
    assert!(never_sent(&error), "{error:?}");

    let again = GrpcSettings { addr: server.addr, ..settings };
    let _server = support::grpc(&again, &Health::new(), echo()).await;
    within(async { while call(&channel, "Say").await.is_err() {} }).await;
}

#[tokio::test]
async fn endpoints_are_checked_when_the_channel_is_made() {
    for endpoint in ["", "sms:9090", "ftp://sms", "http://"] {
        let error = grpc::channel(endpoint).unwrap_err();
        assert!(matches!(error, ChannelError::Endpoint { .. }), "{endpoint}: {error:?}");
    }
}

#[tokio::test]
async fn reflection_and_health_are_on_every_server() {
    let server = support::grpc(&support::grpc_settings(), &Health::new(), echo()).await;
    let channel = grpc::channel(&server.url("")).unwrap();
    within(HealthClient::new(channel.clone()).check(HealthCheckRequest::default())).await.unwrap();

    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = futures::stream::iter([list]).chain(futures::stream::pending());
    let mut answers = within(ServerReflectionClient::new(channel).server_reflection_info(requests))
        .await
        .unwrap()
        .into_inner();
    let answer = within(answers.message()).await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == "grpc.health.v1.Health"), "{services:?}");
}

#[tokio::test]
async fn descriptors_that_are_none_are_refused() {
    let server =
        GrpcServer::bind(&support::grpc_settings(), &Health::new()).await.unwrap().descriptors(b"\xff\xff");
    let served = within(server.serve(Routes::default(), heliograph_runtime::Shutdown::new())).await;
    assert!(served.is_err());
}
