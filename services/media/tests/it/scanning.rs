//! With a virus scanner: nothing is given out that it did not call clean.

use std::{net::SocketAddr, time::Duration};

use heliograph_media::{ClamdConfig, MediaSettings, ScanConfig};
use heliograph_testkit::clamd::{Clamd, eicar};
use tokio::net::TcpListener;

use crate::{
    channel::{Held, file},
    world::{World, object_id, sending},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn scanned(at: SocketAddr) -> MediaSettings {
    let clamd = ClamdConfig { address: at.to_string(), timeout: Duration::from_secs(10) };
    MediaSettings { scan: Some(ScanConfig::Clamd(clamd)), ..MediaSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_infected_is_never_stored() {
    let clamd = Clamd::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let world = World::start(scanned(clamd.at)).await;
    let infected = Held::File { content_type: "image/png", name: "eicar.txt", content: eicar() };
    world.channel.hold("bad", infected);
    world.channel.hold("good", file(PNG));
    world.publish(&sending("bad")).await;
    world.publish(&sending("good")).await;
    let refused = world.answers("bad", 403).await;
    let told: serde_json::Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!(told["error"]["code"], "infected");
    assert!(world.store.info("acme", &object_id("bad")).await.unwrap().is_none());
    assert_eq!(world.answers("good", 200).await.bytes().await.unwrap(), PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_scanner_is_away_nothing_is_given_out_and_afterwards_everything() {
    // A port that was free a moment ago.
    let at = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let world = World::start(scanned(at)).await;
    world.channel.hold("p1", file(PNG));
    world.publish(&sending("p1")).await;
    let waits = world.answers("p1", 503).await;
    assert!(waits.headers().contains_key("retry-after"));
    let told: serde_json::Value = serde_json::from_slice(&waits.bytes().await.unwrap()).unwrap();
    assert_eq!(told["error"]["code"], "scanner_away", "{told}");
    assert!(world.store.info("acme", &object_id("p1")).await.unwrap().is_none());
    let _clamd = Clamd::start(at).await.unwrap();
    assert_eq!(world.answers("p1", 200).await.bytes().await.unwrap(), PNG);
}
