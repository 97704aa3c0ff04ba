//! Why a server could not be started or reached.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// What can go wrong with a server of one's own. Messages say what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No program of that name anywhere we look.
    #[error(
        "{program} was not found: `make tools` fetches it into .tools/bin; or set {variable} to its path, or put it on PATH"
    )]
    NotFound {
        /// The program looked for.
        program: &'static str,
        /// The environment variable that names it.
        variable: &'static str,
    },
    /// The variable names something that is not a program.
    #[error("{variable} is {path}, which is not an executable file")]
    NotExecutable {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// The data directory, configuration or log could not be written.
    #[error("cannot write {path}")]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program could not be started.
    #[error("cannot start {program}")]
    Spawn {
        /// The program's path.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended before it answered.
    #[error("{name} on port {port} ended before it answered ({status}); its log ends with:\n{tail}")]
    Exited {
        /// `nats` or `redis`.
        name: &'static str,
        /// The port it was given.
        port: u16,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        tail: String,
    },
    /// The program runs but did not answer in time.
    #[error("{name} on port {port} did not answer within {waited:?}; its log ends with:\n{tail}")]
    Silent {
        /// `nats` or `redis`.
        name: &'static str,
        /// The port it was given.
        port: u16,
        /// How long it was given.
        waited: Duration,
        /// The last lines of its log.
        tail: String,
    },
    /// The server is not running, so there is nothing to signal.
    #[error("{name} is not running")]
    NotRunning {
        /// `nats` or `redis`.
        name: &'static str,
    },
    /// A signal could not be sent, or the end of the child could not be awaited.
    #[error("cannot signal {name}")]
    Signal {
        /// `nats` or `redis`.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
