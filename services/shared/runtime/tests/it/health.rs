//! `/livez`, `/readyz`, `/metrics`, and the gRPC health service beside them.

use heliograph_runtime::{
    Health, Telemetry, grpc,
    http_client::{HttpClient, HttpClientOptions, read_body},
};
use serde_json::{Value, json};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::support::{self, Running, within};

async fn get(server: &Running, path: &str) -> (u16, String) {
    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    let response = client.send(client.get(server.url(path))).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response, 10_000).await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let health = Health::new();
    let server = support::http(&support::http_settings(), health.router(&Telemetry::off())).await;
    assert_eq!(get(&server, "/readyz").await.0, 200, "nothing to wait for");

    let broker = health.scope("sms").check("broker");
    let streams = health.scope("sms").check("streams");
    streams.ready();
    broker.not_ready("connection refused");
    let (status, body) = get(&server, "/readyz").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 503);
    let expected = json!({
        "ready": false,
        "checks": {
            "sms.broker": { "ready": false, "reason": "connection refused" },
            "sms.streams": { "ready": true },
        },
    });
    assert_eq!(body, expected);
    assert_eq!(get(&server, "/livez").await.0, 200, "alive all the same");

    broker.ready();
    within(health.ready()).await;
    assert_eq!(get(&server, "/readyz").await.0, 200);

    health.leave("stopping");
    broker.ready();
    let (status, body) = get(&server, "/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("stopping"), "{body}");
    assert_eq!(get(&server, "/metrics").await.0, 404, "metrics are off");
}

#[tokio::test]
async fn grpc_health_follows() {
    let health = Health::new();
    let broker = health.check("broker");
    let server = support::grpc(&support::grpc_settings(), &health, grpc::Routes::default()).await;
    let mut client = HealthClient::new(grpc::channel(&server.url("")).unwrap());
    for service in ["", "test.Echo"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let mut changes = within(client.watch(request)).await.unwrap().into_inner();
        let mut until = async |wanted: ServingStatus| {
            while within(changes.message()).await.unwrap().unwrap().status() != wanted {}
        };
        broker.not_ready("away");
        until(ServingStatus::NotServing).await;
        broker.ready();
        until(ServingStatus::Serving).await;
    }
}
