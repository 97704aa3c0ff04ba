//! TLS from files. The authority and the certificate under `fixtures/tls` are good for nothing else: the authority's
//! key was thrown away.

use std::path::PathBuf;

use axum::{Router, routing::get};
use heliograph_runtime::{
    Health,
    config::{GrpcSettings, HttpSettings, TlsSettings},
    grpc::{self, ChannelOptions, Routes},
    http::ServerError,
    http_client::{HttpClient, HttpClientOptions, read_body},
    tls::TlsError,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::support::{self, within};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

fn tls(client_ca: bool) -> TlsSettings {
    TlsSettings {
        cert_file: fixture("server.pem"),
        key_file: fixture("server.key"),
        client_ca_file: client_ca.then(|| fixture("ca.pem")),
    }
}

#[tokio::test]
async fn http_over_tls() {
    let settings = HttpSettings { tls: Some(tls(false)), ..support::http_settings() };
    let server = support::http(&settings, Router::new().route("/", get(async || "ok"))).await;
    let url = format!("https://localhost:{}/", server.addr.port());
    let trusting = HttpClientOptions { ca_file: Some(fixture("ca.pem")), ..HttpClientOptions::default() };
    let client = HttpClient::new(&trusting).unwrap();
    let response = within(client.send(client.get(&url))).await.unwrap();
    assert_eq!(response.version(), axum::http::Version::HTTP_2, "negotiated");
    assert_eq!(read_body(response, 10).await.unwrap(), "ok");

    let wary = HttpClient::new(&HttpClientOptions::default()).unwrap();
    let error = within(wary.send(wary.get(&url))).await.unwrap_err();
    assert!(error.never_sent(), "{error}");
}

#[tokio::test]
async fn grpc_over_tls_and_clients_without_a_certificate() {
    for client_ca in [false, true] {
        let settings = GrpcSettings { tls: Some(tls(client_ca)), ..support::grpc_settings() };
        let server = support::grpc(&settings, &Health::new(), Routes::default()).await;
        let options = ChannelOptions { ca_file: Some(fixture("ca.pem")), ..ChannelOptions::default() };
        let endpoint = format!("https://localhost:{}", server.addr.port());
        let mut client = HealthClient::new(grpc::channel_with(&endpoint, &options).unwrap());
        let answer = within(client.check(HealthCheckRequest::default())).await;
        assert_eq!(answer.is_ok(), !client_ca, "{answer:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let server = async |tls: TlsSettings| {
        let settings = HttpSettings { tls: Some(tls), ..support::http_settings() };
        let server = heliograph_runtime::http::HttpServer::bind(&settings).await.unwrap();
        within(server.serve(Router::new(), heliograph_runtime::Shutdown::new())).await.unwrap_err()
    };
    let missing = server(TlsSettings { cert_file: fixture("none.pem"), ..tls(false) }).await;
    assert!(missing.to_string().contains("none.pem"), "{missing}");
    let no_key = server(TlsSettings { key_file: fixture("ca.pem"), ..tls(false) }).await;
    assert!(matches!(no_key, ServerError::Tls(TlsError::File { what: "a private key", .. })), "{no_key}");
    let wrong_key = server(TlsSettings { cert_file: fixture("ca.pem"), ..tls(false) }).await;
    assert!(matches!(wrong_key, ServerError::Tls(TlsError::Rejected { .. })), "{wrong_key}");
}
