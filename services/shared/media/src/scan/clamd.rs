//! ClamAV's daemon: the `INSTREAM` command of clamd(8), over TCP or a Unix socket.

use std::{io, time::Duration};

use heliograph_runtime::config::duration;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

use super::{ScanError, Verdict, patience};

/// A file goes over in pieces of this size.
const PIECE: usize = 64 * 1024;
/// The longest answer that is read.
const ANSWER: u64 = 4 * 1024;
/// What clamd says of a file beyond its `StreamMaxLength`, before it closes the connection.
const TOO_LARGE: &str = "INSTREAM size limit exceeded";

/// Where clamd is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClamdConfig {
    /// `host:port`, or `unix:` and the path of its socket.
    pub address: String,
    /// How long a scan may take.
    #[serde(default = "patience", with = "duration")]
    pub timeout: Duration,
}

impl ClamdConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let good = match self.address.strip_prefix("unix:") {
            Some(path) => !path.is_empty(),
            None => self.address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
            }),
        };
        if good {
            Ok(())
        } else {
            Err("clamd.address: `host:port`, or `unix:/path/of/the/socket`".to_owned())
        }
    }
}

pub(super) async fn scan(config: &ClamdConfig, content: &[u8]) -> Result<Verdict, ScanError> {
    if let Some(path) = config.address.strip_prefix("unix:") {
        ask(UnixStream::connect(path).await.map_err(ScanError::Away)?, content).await
    } else {
        ask(TcpStream::connect(&config.address).await.map_err(ScanError::Away)?, content).await
    }
}

async fn ask(mut clamd: impl AsyncRead + AsyncWrite + Unpin, content: &[u8]) -> Result<Verdict, ScanError> {
    // A file that is too large is answered in the middle of it, and what is still written then fails.
    let written = hand_over(&mut clamd, content).await;
    let mut answer = Vec::new();
    let read = (&mut clamd).take(ANSWER).read_to_end(&mut answer).await;
    if let Some(verdict) = verdict(&answer) {
        Ok(verdict)
    } else {
        written.map_err(ScanError::Away)?;
        read.map_err(ScanError::Away)?;
        if answer.is_empty() {
            return Err(ScanError::Away(io::ErrorKind::UnexpectedEof.into()));
        }
        Err(ScanError::Protocol(String::from_utf8_lossy(&answer).into_owned()))
    }
}

async fn hand_over(clamd: &mut (impl AsyncWrite + Unpin), content: &[u8]) -> io::Result<()> {
    clamd.write_all(b"zINSTREAM\0").await?;
    for piece in content.chunks(PIECE) {
        let length = u32::try_from(piece.len()).expect("a piece is short");
        clamd.write_all(&length.to_be_bytes()).await?;
        clamd.write_all(piece).await?;
    }
    clamd.write_all(&0_u32.to_be_bytes()).await?;
    clamd.flush().await
}

/// `stream: OK`, `stream: <name> FOUND`, or an error.
fn verdict(answer: &[u8]) -> Option<Verdict> {
    let answer = std::str::from_utf8(answer).ok()?.trim_end_matches(['\0', '\n']);
    if answer.starts_with(TOO_LARGE) {
        return Some(Verdict::NotScannable("it is larger than the virus scanner takes".to_owned()));
    }
    let answer = answer.strip_prefix("stream: ")?;
    if answer == "OK" {
        return Some(Verdict::Clean);
    }
    answer.strip_suffix(" FOUND").map(|name| Verdict::Infected(name.to_owned()))
}
