//! Redis or Valkey, without persistence unless asked: the fleet keeps nothing there that it could not lose.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Kind;

/// What can be asked of a Redis server.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// Where to keep data; a temporary directory when not given.
    pub data_dir: Option<PathBuf>,
    /// The port; a free one when not given.
    pub port: Option<u16>,
    /// Keeps the data over restarts (an append-only file, written to disk once a second).
    pub appendonly: bool,
    /// More lines for the configuration file, in its own syntax.
    pub extra: String,
}

/// The kind of server that speaks the Redis protocol.
#[derive(Debug)]
pub struct Redis;

impl Kind for Redis {
    const NAME: &'static str = "redis";
    const SCHEME: &'static str = "redis";
    const VARIABLE: &'static str = "HELIOGRAPH_REDIS_SERVER";
    const PROGRAMS: &'static [&'static str] = &["valkey-server", "redis-server"];
    type Options = RedisOptions;

    fn place(options: &RedisOptions) -> (Option<&Path>, Option<u16>) {
        (options.data_dir.as_deref(), options.port)
    }

    /// The directory is the child's working directory, so that no path needs quoting.
    fn configuration(options: &RedisOptions, _directory: &Path, port: u16, _id: &str) -> String {
        let appendonly = if options.appendonly { "yes" } else { "no" };
        format!(
            "bind 127.0.0.1\nport {port}\ndaemonize no\ndir ./\nlogfile \"\"\nsave \"\"\n\
             appendonly {appendonly}\nappendfsync everysec\n{}\n",
            options.extra
        )
    }

    fn arguments(file: &Path) -> Vec<PathBuf> {
        vec![file.into()]
    }

    /// `PONG` says that loading is over, `process_id` that it is ours and not another's on the same port.
    async fn ready(mut stream: TcpStream, _id: &str, pid: u32) -> bool {
        if stream.write_all(b"PING\r\nINFO server\r\n").await.is_err() {
            return false;
        }
        let ours = format!("process_id:{pid}\r\n");
        let mut answer = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut answer).await {
            let text = String::from_utf8_lossy(&answer);
            if text.contains("process_id:") && text.ends_with('\n') {
                return text.starts_with("+PONG\r\n") && text.contains(&ours);
            }
        }
        false
    }
}
