//! NATS: JetStream on file storage in the data directory.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;

use super::Kind;

/// The largest message the fleet's broker takes, in bytes: an e-mail's text and headers, never its attachments.
const MAX_PAYLOAD: u32 = 8 * 1024 * 1024;

/// When JetStream makes what it acknowledged survive a power cut. A killed process loses nothing in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncInterval {
    /// The server's own default: two minutes.
    #[default]
    ServerDefault,
    /// Before every acknowledgement.
    Always,
    /// At this interval.
    Every(Duration),
}

/// What can be asked of a NATS server.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Where to keep data; a temporary directory when not given.
    pub data_dir: Option<PathBuf>,
    /// The port; a free one when not given.
    pub port: Option<u16>,
    /// The largest message, in bytes.
    pub max_payload: u32,
    /// When writes reach the disk.
    pub sync_interval: SyncInterval,
    /// Logs every protocol step.
    pub debug: bool,
    /// More lines for the configuration file, in its own syntax: accounts, users, limits.
    pub extra: String,
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            port: None,
            max_payload: MAX_PAYLOAD,
            sync_interval: SyncInterval::default(),
            debug: false,
            extra: String::new(),
        }
    }
}

/// The kind of server that speaks NATS.
#[derive(Debug)]
pub struct Nats;

impl Kind for Nats {
    const NAME: &'static str = "nats";
    const SCHEME: &'static str = "nats";
    const VARIABLE: &'static str = "HELIOGRAPH_NATS_SERVER";
    const PROGRAMS: &'static [&'static str] = &["nats-server"];
    type Options = NatsOptions;

    fn place(options: &NatsOptions) -> (Option<&Path>, Option<u16>) {
        (options.data_dir.as_deref(), options.port)
    }

    fn configuration(options: &NatsOptions, directory: &Path, port: u16, id: &str) -> String {
        let store = quoted(&directory.join("jetstream"));
        let sync = match options.sync_interval {
            SyncInterval::ServerDefault => String::new(),
            SyncInterval::Always => "\n  sync_interval: always".to_owned(),
            SyncInterval::Every(interval) => format!("\n  sync_interval: \"{}ms\"", interval.as_millis()),
        };
        let mut text = format!(
            "host: \"127.0.0.1\"\nport: {port}\nserver_name: \"{id}\"\nmax_payload: {}\n\
             jetstream {{\n  store_dir: {store}{sync}\n}}\n",
            options.max_payload
        );
        if options.debug {
            text.push_str("debug: true\ntrace: true\n");
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", options.extra);
        text
    }

    fn arguments(file: &Path) -> Vec<PathBuf> {
        vec!["--config".into(), file.into()]
    }

    /// A NATS server greets first, with `INFO {json}`, once JetStream has recovered its store.
    async fn ready(stream: TcpStream, id: &str, _pid: u32) -> bool {
        let mut greeting = String::new();
        let read = BufReader::new(stream).read_line(&mut greeting).await;
        read.is_ok() && greeting.starts_with("INFO ") && greeting.contains(id)
    }
}

/// A path as a quoted string of the configuration syntax.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
}
