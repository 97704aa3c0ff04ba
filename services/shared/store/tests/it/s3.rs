//! An S3-compatible server that is none of ours: moto, of the Python peers.

use std::path::Path;
use std::process::Stdio;

use heliograph_store::media::{MediaStore, Medium, Refusal};
use heliograph_store::objects::{ObjectError, Objects, ObjectsConfig, S3Config};
use heliograph_store::snapshots::SnapshotStore;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Nats, nats};

/// The server; ends with this.
struct Moto {
    url: String,
    _process: Child,
}

impl Moto {
    async fn start() -> Self {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../.tools/peers/bin/python");
        assert!(python.exists(), "the S3 server is missing: `make tools-peers` fetches it");
        let mut process = Command::new(python)
            .args(["-u", "-c", "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = loop {
            let line = said.next_line().await.unwrap().expect("the server says where it runs");
            if let Some((_, url)) = line.split_once("Running on ") {
                break url.trim().to_owned();
            }
        };
        // What it goes on to say must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self { url, _process: process }
    }

    fn config(&self, bucket: &str) -> S3Config {
        S3Config {
            bucket: bucket.to_owned(),
            endpoint: Some(self.url.clone()),
            prefix: "/some/where/".to_owned(),
            access_key_id: Some("a-key".to_owned()),
            secret_access_key: Some("a-secret".into()),
            ..S3Config::default()
        }
    }

    async fn make_bucket(&self, bucket: &str) {
        let made = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(10)).build();
        let made = made.unwrap().put(format!("{}/{bucket}", self.url)).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.status());
    }
}

async fn open(nats: &Nats, config: S3Config, folder: &str) -> Result<Objects, ObjectError> {
    Objects::open(&ObjectsConfig::S3(Box::new(config)), &nats.context, folder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn media_and_snapshots_stand_in_a_bucket() {
    let (nats, moto) = tokio::join!(nats(), Moto::start());
    heliograph_runtime::tls::install_provider();
    moto.make_bucket("acme").await;
    let store = MediaStore::new(open(&nats, moto.config("acme"), "HG_MEDIA").await.unwrap());
    let content: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
    let limit = content.len() as u64;
    let name = format!("größe \"1\" {}.png", "長".repeat(180));
    let put = store.put("acme", "med_1", "image/png", &name, &mut content.as_slice(), limit).await;
    let info = put.unwrap();
    let (found, mut reader) = store.get("acme", "med_1").await.unwrap().unwrap();
    assert_eq!((&found, &found.name, found.size), (&info, &name, limit));
    let mut read = Vec::new();
    reader.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, content);
    assert_eq!(store.info("acme", "med_1").await.unwrap(), Some(info));
    assert!(store.info("acme2", "med_1").await.unwrap().is_none());

    let refused = store.put("acme", "med_2", "a/b", "", &mut content.as_slice(), limit - 1).await;
    assert!(matches!(refused, Err(ObjectError::TooLarge { .. })), "{refused:?}");
    assert!(store.look("acme", "med_2").await.unwrap().is_none());
    let refusal = Refusal { code: "too_large".to_owned(), reason: "why".to_owned() };
    store.refuse("acme", "med_2", &refusal).await.unwrap();
    assert_eq!(store.look("acme", "med_2").await.unwrap(), Some(Medium::Refused(refusal)));
    assert!(store.get("acme", "med_2").await.unwrap().is_none());

    assert!(store.delete("acme", "med_1").await.unwrap());
    assert!(!store.delete("acme", "med_1").await.unwrap());

    let snapshots = SnapshotStore::new(open(&nats, moto.config("acme"), "HG_SNAPSHOTS").await.unwrap(), 2);
    for position in [10, 20, 30] {
        snapshots.put("routing-0", position, b"state").await.unwrap();
    }
    assert_eq!(snapshots.latest("routing-0").await.unwrap().unwrap().position, 30);
    assert_eq!(snapshots.oldest_position("routing-0").await.unwrap(), Some(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_and_settings_that_cannot_work() {
    let (nats, moto) = tokio::join!(nats(), Moto::start());
    let store = MediaStore::new(open(&nats, moto.config("nowhere"), "HG_MEDIA").await.unwrap());
    let put = store.put("acme", "med_1", "image/png", "", &mut &b"x"[..], 1).await;
    assert!(put.is_err());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a-secret\n").unwrap();
    let in_file = S3Config {
        secret_access_key: None,
        secret_access_key_file: Some(file.path().to_owned()),
        ..moto.config("acme")
    };
    assert!(open(&nats, in_file.clone(), "HG_MEDIA").await.is_ok());
    for (wrong, named) in [
        (S3Config::default(), "bucket"),
        (S3Config { access_key_id: None, ..moto.config("acme") }, "access_key_id"),
        (S3Config { secret_access_key: Some("twice".into()), ..in_file }, "not both"),
    ] {
        let error = open(&nats, wrong, "HG_MEDIA").await.unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert!(!error.to_string().contains("a-secret"));
    }
}
