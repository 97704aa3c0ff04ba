#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// A server that reads until `end`, answers, and closes; what it read is returned.
async fn server(end: &'static [u8], answer: &'static [u8]) -> (String, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(end) {
            if socket.read_buf(&mut read).await.unwrap() == 0 {
                break;
            }
        }
        socket.write_all(answer).await.unwrap();
        read
    });
    (address, task)
}

fn clamd(address: String) -> Scanner {
    Scanner::new(ScanConfig::Clamd(ClamdConfig { address, timeout: PATIENCE })).unwrap()
}

fn icap(address: &str) -> Scanner {
    let url = format!("icap://{address}/avscan");
    Scanner::new(ScanConfig::Icap(IcapConfig { url, timeout: PATIENCE })).unwrap()
}

#[tokio::test]
async fn clamd_is_spoken_to_as_it_wants_it() {
    let (address, seen) = server(b"\0\0\0\0", b"stream: OK\0").await;
    assert_eq!(clamd(address).scan(b"hello").await.unwrap(), Verdict::Clean);
    assert_eq!(seen.await.unwrap(), b"zINSTREAM\0\0\0\0\x05hello\0\0\0\0");
}

#[tokio::test]
async fn what_clamd_finds_is_named() {
    let (address, _) = server(b"\0\0\0\0", b"stream: Eicar-Signature FOUND\0").await;
    let verdict = clamd(address).scan(b"X5O!").await.unwrap();
    assert_eq!(verdict, Verdict::Infected("Eicar-Signature".to_owned()));
}

#[tokio::test]
async fn what_clamd_does_not_take_is_no_clean_file() {
    let (address, _) = server(b"\0\0\0\0", b"INSTREAM size limit exceeded. ERROR\0").await;
    let verdict = clamd(address).scan(b"hello").await.unwrap();
    assert!(matches!(verdict, Verdict::NotScannable(_)), "{verdict:?}");
    for answer in [&b"stream: Can't allocate memory ERROR\0"[..], b"UNKNOWN COMMAND\0", b"OK\0"] {
        let (address, _) = server(b"\0\0\0\0", answer).await;
        let error = clamd(address).scan(b"hello").await.unwrap_err();
        assert!(matches!(error, ScanError::Protocol(_)), "{error}");
    }
    let (address, _) = server(b"\0\0\0\0", b"").await;
    assert!(matches!(clamd(address).scan(b"hello").await, Err(ScanError::Away(_))));
}

#[tokio::test]
async fn a_scanner_that_is_away_gives_no_verdict() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert!(matches!(icap(&address).scan(b"hello").await, Err(ScanError::Away(_))));
    assert!(matches!(clamd(address).scan(b"hello").await, Err(ScanError::Away(_))));
}

#[tokio::test]
async fn one_that_never_answers_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let config = ClamdConfig { address, timeout: Duration::from_millis(10) };
    let scanner = Scanner::new(ScanConfig::Clamd(config)).unwrap();
    assert!(matches!(scanner.scan(b"hello").await, Err(ScanError::Slow)));
}

#[tokio::test]
async fn icap_shows_the_file_as_an_answer() {
    let (address, seen) = server(b"\r\n0\r\n\r\n", b"ICAP/1.0 204 No Content\r\n\r\n").await;
    assert_eq!(icap(&address).scan(b"hello").await.unwrap(), Verdict::Clean);
    let seen = String::from_utf8(seen.await.unwrap()).unwrap();
    let (head, rest) = seen.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("RESPMOD icap://{address}/avscan ICAP/1.0\r\nHost: {address}\r\n")),
        "{head}"
    );
    // The offsets point at what they name.
    let offset = |name: &str| {
        let (_, at) = head.split_once(&format!("{name}=")).unwrap();
        at.split([',', '\r']).next().unwrap().parse::<usize>().unwrap()
    };
    assert!(rest[offset("req-hdr")..].starts_with("GET "));
    assert!(rest[offset("res-hdr")..].starts_with("HTTP/1.1 200"));
    assert_eq!(&rest[offset("res-body")..], "5\r\nhello\r\n0\r\n\r\n");
}

#[tokio::test]
async fn what_icap_would_replace_is_infected() {
    let answer = b"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=EICAR;\r\n\r\n";
    let (address, _) = server(b"\r\n0\r\n\r\n", answer).await;
    let verdict = icap(&address).scan(b"X5O!").await.unwrap();
    assert_eq!(verdict, Verdict::Infected("Type=0; Resolution=2; Threat=EICAR;".to_owned()));
    let (address, _) = server(b"\r\n0\r\n\r\n", b"ICAP/1.0 500 Server error\r\n\r\n").await;
    assert!(matches!(icap(&address).scan(b"X5O!").await, Err(ScanError::Protocol(_))));
}

#[test]
fn addresses_that_are_none_are_refused() {
    for address in ["", "clamd", ":3310", "clamd:0", "clamd:port", "unix:"] {
        let config = ClamdConfig { address: address.to_owned(), timeout: PATIENCE };
        assert!(Scanner::new(ScanConfig::Clamd(config)).is_err(), "{address}");
    }
    let config = IcapConfig { url: "http://scanner/".to_owned(), timeout: PATIENCE };
    assert!(Scanner::new(ScanConfig::Icap(config)).is_err());
}
