//! Servers on free ports, and waiting that ends.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::Router;
use heliograph_runtime::{
    Health, Shutdown,
    config::{GrpcSettings, HttpSettings},
    grpc::{GrpcServer, Routes},
    http::HttpServer,
};
use tokio::task::JoinHandle;

/// Long enough for the slowest machine; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `what`, and fails the test if it never comes.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens in time")
}

/// A server that runs until its shutdown says otherwise.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(crate) fn http_settings() -> HttpSettings {
    HttpSettings { addr: anywhere(), ..HttpSettings::default() }
}

pub(crate) fn grpc_settings() -> GrpcSettings {
    GrpcSettings { addr: anywhere(), ..GrpcSettings::default() }
}

pub(crate) async fn http(settings: &HttpSettings, router: Router) -> Running {
    let server = HttpServer::bind(settings).await.unwrap();
    let (addr, shutdown) = (server.local_addr(), Shutdown::new());
    let task = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { server.serve(router, shutdown).await.unwrap() }
    });
    Running { addr, shutdown, task }
}

pub(crate) async fn grpc(settings: &GrpcSettings, health: &Health, routes: Routes) -> Running {
    let server = GrpcServer::bind(settings, health).await.unwrap().service_name("test.Echo");
    let (addr, shutdown) = (server.local_addr(), Shutdown::new());
    let task = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { server.serve(routes, shutdown).await.unwrap() }
    });
    Running { addr, shutdown, task }
}
