//! ICAP (RFC 3507): a file is shown as the answer to a request, and the server says what it would make of it.

use std::{fmt::Write as _, io, time::Duration};

use heliograph_runtime::config::duration;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use url::Url;

use super::{ScanError, Verdict, patience};

/// The port of `icap:`.
const PORT: u16 = 1344;
/// How much of an answer's head is read.
const HEAD: u64 = 64 * 1024;
/// Headers by which servers say what they found.
const FOUND: [&str; 4] = ["x-infection-found", "x-virus-id", "x-virus-name", "x-violations-found"];

/// Where the ICAP service is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcapConfig {
    /// Its RESPMOD service, e.g. `icap://scanner:1344/avscan`.
    pub url: String,
    /// How long a scan may take.
    #[serde(default = "patience", with = "duration")]
    pub timeout: Duration,
}

impl IcapConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = || "icap.url: `icap://host:1344/service`".to_owned();
        self.authority().map(|_| ()).ok_or_else(wrong)
    }

    /// Host and port; none where the URL is none of ICAP's.
    fn authority(&self) -> Option<String> {
        let url = Url::parse(&self.url).ok().filter(|url| url.scheme() == "icap")?;
        let host = url.host_str().filter(|host| !host.is_empty())?;
        Some(format!("{host}:{}", url.port().unwrap_or(PORT)))
    }
}

pub(super) async fn scan(config: &IcapConfig, content: &[u8]) -> Result<Verdict, ScanError> {
    let authority = config.authority().expect("checked when the scanner was made");
    let server = TcpStream::connect(&authority).await.map_err(ScanError::Away)?;
    let mut server = BufReader::new(server);
    let begun = head(&config.url, &authority, content.len());
    let sent = async {
        server.write_all(begun.as_bytes()).await?;
        // One chunk; an empty one would end the body twice.
        if !content.is_empty() {
            server.write_all(format!("{:x}\r\n", content.len()).as_bytes()).await?;
            server.write_all(content).await?;
            server.write_all(b"\r\n").await?;
        }
        server.write_all(b"0\r\n\r\n").await?;
        server.flush().await
    };
    // A server may answer before it has seen all of it.
    let sent = sent.await;
    match (answer(&mut server).await, sent) {
        (Ok(verdict), _) => Ok(verdict),
        (Err(_), Err(error)) => Err(ScanError::Away(error)),
        (Err(error), Ok(())) => Err(error),
    }
}

/// What stands before the file: the request of ours, and the answer that the file would be the body of.
fn head(url: &str, authority: &str, size: usize) -> String {
    let request = "GET /file HTTP/1.1\r\nHost: heliograph\r\n\r\n";
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
    );
    let (at, body) = (request.len(), request.len() + response.len());
    let mut head = String::new();
    let _ = write!(
        head,
        "RESPMOD {url} ICAP/1.0\r\nHost: {authority}\r\nAllow: 204\r\nConnection: close\r\n\
         Encapsulated: req-hdr=0, res-hdr={at}, res-body={body}\r\n\r\n{request}{response}",
    );
    head
}

/// 204: the file would pass as it is. 200: it would be replaced, so something was found.
async fn answer(server: &mut BufReader<TcpStream>) -> Result<Verdict, ScanError> {
    let mut lines = server.take(HEAD).lines();
    let Some(status) = lines.next_line().await.map_err(ScanError::Away)? else {
        return Err(ScanError::Away(io::ErrorKind::UnexpectedEof.into()));
    };
    match status.strip_prefix("ICAP/1.0 ").and_then(|status| status.get(..3)) {
        Some("204") => Ok(Verdict::Clean),
        Some("200") => {
            let mut found = "something that the scanner does not let pass".to_owned();
            while let Some(line) = lines.next_line().await.map_err(ScanError::Away)? {
                if line.is_empty() {
                    break;
                }
                if let Some((name, value)) = line.split_once(':')
                    && FOUND.contains(&name.to_ascii_lowercase().as_str())
                {
                    value.trim().clone_into(&mut found);
                }
            }
            Ok(Verdict::Infected(found))
        }
        _ => Err(ScanError::Protocol(status)),
    }
}
