//! The servers of one's own: real programs, real signals.

use std::time::Duration;

use async_nats::jetstream;
use heliograph_testkit::servers::{
    NatsOptions, NatsServer, RedisOptions, RedisServer, ServerError, SyncInterval,
};

const STREAM: &str = "TEST";

/// Publishes `body` to a file-backed stream and awaits the acknowledgement.
async fn publish(server: &NatsServer, body: &'static str) {
    let client = async_nats::connect(server.url()).await.unwrap();
    let context = jetstream::new(client);
    let config =
        jetstream::stream::Config { name: STREAM.into(), subjects: vec!["t.>".into()], ..Default::default() };
    context.get_or_create_stream(config).await.unwrap();
    context.publish("t.one", body.into()).await.unwrap().await.unwrap();
}

async fn stored(server: &NatsServer) -> u64 {
    let client = async_nats::connect(server.url()).await.unwrap();
    let mut stream = jetstream::new(client).get_stream(STREAM).await.unwrap();
    stream.info().await.unwrap().state.messages
}

async fn redis(server: &RedisServer) -> redis::aio::MultiplexedConnection {
    redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn get(server: &RedisServer, key: &str) -> Option<String> {
    redis::cmd("GET").arg(key).query_async(&mut redis(server).await).await.unwrap()
}

async fn set(server: &RedisServer, key: &str, value: &str) {
    let () = redis::cmd("SET").arg(key).arg(value).query_async(&mut redis(server).await).await.unwrap();
}

#[tokio::test]
async fn nats_keeps_acknowledged_messages_over_kill_and_restart() {
    let mut server = NatsServer::start().await.unwrap();
    let (url, pid) = (server.url(), server.pid());
    publish(&server, "before the kill").await;

    server.kill9();
    assert!(!server.is_running());
    assert!(async_nats::connect(&url).await.is_err(), "nobody may answer for a killed server");
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    assert_eq!(stored(&server).await, 1);

    publish(&server, "before the orderly restart").await;
    server.restart().await.unwrap();
    assert_eq!(stored(&server).await, 2);
}

#[tokio::test]
async fn nats_takes_messages_of_the_promised_size() {
    let options = NatsOptions { sync_interval: SyncInterval::Always, ..NatsOptions::default() };
    let server = NatsServer::start_with(options).await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    assert_eq!(client.server_info().max_payload, 8 * 1024 * 1024);
    assert!(client.server_info().jetstream);
    publish(&server, "synced").await;
}

#[tokio::test]
async fn a_paused_server_is_silent_and_goes_on_after() {
    let server = NatsServer::start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    client.flush().await.unwrap();

    server.pause().unwrap();
    // A wait that may only time out: no length of it makes the test fail wrongly.
    let answer = tokio::time::timeout(Duration::from_millis(200), async_nats::connect(server.url())).await;
    assert!(!matches!(answer, Ok(Ok(_))), "a paused server must not greet");
    server.resume().unwrap();
    let again = async_nats::connect(server.url()).await.unwrap();
    again.flush().await.unwrap();
}

#[tokio::test]
async fn a_given_directory_is_kept_and_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = NatsOptions { data_dir: Some(folder.path().join("nats")), ..NatsOptions::default() };
    let server = NatsServer::start_with(options.clone()).await.unwrap();
    publish(&server, "kept").await;
    assert!(std::fs::read_to_string(server.log_file()).unwrap().contains("Server is ready"));
    drop(server);

    let server = NatsServer::start_with(options).await.unwrap();
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn temporary_data_and_the_process_go_with_the_handle() {
    let mut server = RedisServer::start().await.unwrap();
    let (url, folder) = (server.url(), server.data_dir().to_owned());
    assert!(server.is_running());
    drop(server);
    assert!(!folder.exists());
    assert!(redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.is_err());
}

#[tokio::test]
async fn redis_forgets_on_restart_unless_asked_to_keep() {
    let mut forgetful = RedisServer::start().await.unwrap();
    set(&forgetful, "k", "v").await;
    assert_eq!(get(&forgetful, "k").await.as_deref(), Some("v"));
    forgetful.restart().await.unwrap();
    assert_eq!(get(&forgetful, "k").await, None);

    let mut keeping =
        RedisServer::start_with(RedisOptions { appendonly: true, ..RedisOptions::default() }).await.unwrap();
    let url = keeping.url();
    set(&keeping, "k", "v").await;
    keeping.restart().await.unwrap();
    assert_eq!(keeping.url(), url);
    assert_eq!(get(&keeping, "k").await.as_deref(), Some("v"));
    keeping.kill9();
    keeping.restart().await.unwrap();
    assert_eq!(get(&keeping, "k").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn a_refused_configuration_is_an_error_that_shows_the_log() {
    let options = NatsOptions { extra: "no_such_option: 1".into(), ..NatsOptions::default() };
    let error = NatsServer::start_with(options).await.unwrap_err();
    assert!(matches!(&error, ServerError::Exited { tail, .. } if tail.contains("no_such_option")), "{error}");
}

#[tokio::test]
async fn a_stopped_server_cannot_be_signalled() {
    let mut server = RedisServer::start().await.unwrap();
    server.stop().await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(server.pid(), None);
    assert!(matches!(server.pause(), Err(ServerError::NotRunning { name: "redis" })));
}

/// The kernel ends the children of a process that was killed; the child here is this test binary, run again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn servers_end_with_a_killed_process() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    const PARENT: &str = "HELIOGRAPH_TEST_SERVER_PARENT";
    if std::env::var_os(PARENT).is_some() {
        let server = RedisServer::start().await.unwrap();
        println!("\nport={}", server.port());
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::servers_end_with_a_killed_process", "--nocapture"])
        .env(PARENT, "1")
        // What a killed process cannot remove goes with this test.
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("port=").map(str::to_owned)).unwrap();
    let mut server = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The server's end closes the connection: a read that returns, not one that waits for ever.
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let closed = server.read(&mut [0]);
    assert!(
        matches!(&closed, Ok(0))
            || closed.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
        "the server outlived its parent: {closed:?}"
    );
}
