//! Media that come, come later, and never come.

use std::time::Duration;

use heliograph_fabric::{DeadLetters, Envelope, publish::within, subjects};
use heliograph_media::MediaSettings;
use heliograph_proto::v1::{Card, Carousel, Content, Media, content::Kind};
use heliograph_store::now_ms;
use tonic::Status;

use crate::{
    channel::{Held, file},
    world::{PATIENCE, World, object_id, saying, sending, until},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_there_soon_and_asked_for_once() {
    let world = World::start(MediaSettings::default()).await;
    let not_yet = world.open("p1").await;
    assert_eq!(not_yet.status(), 404);
    assert!(not_yet.headers().contains_key("retry-after"));
    world.channel.hold("p1", file(PNG));
    world.publish(&sending("p1")).await;
    let picture = world.answers("p1", 200).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["content-disposition"], "inline; filename*=UTF-8''a.png");
    assert_eq!(picture.bytes().await.unwrap(), PNG);
    let asked = world.channel.requests();
    assert_eq!((asked[0].tenant.as_str(), asked[0].account.as_str()), ("acme", "main"));

    // The same medium in another message, as when it is forwarded.
    let mut again = sending("p1");
    "evt_again".clone_into(&mut again.id);
    world.publish(&again).await;
    world.settled().await;
    assert_eq!(world.channel.asked("p1"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_for_its_tenant_and_its_time() {
    let world = World::start(MediaSettings { link_lasts: Duration::ZERO, ..MediaSettings::default() }).await;
    world.channel.hold("p1", file(PNG));
    world.publish(&sending("p1")).await;
    world.answers("p1", 200).await;
    let id = object_id("p1");
    let expired = world.links.path("acme", &id, now_ms() - 2 * 60 * 60 * 1000);
    assert_eq!(world.get(&expired).await.status(), 403);
    let good = world.links.path("acme", &id, now_ms());
    assert_eq!(world.get(&good.replace("/acme/", "/globex/")).await.status(), 403);
    // Another tenant's good link leads to nothing of acme's.
    assert_eq!(world.get(&world.links.path("globex", &id, now_ms())).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_media_of_a_message_are_fetched() {
    let world = World::start(MediaSettings::default()).await;
    let card = |id: &str| {
        let media = Media {
            object_id: object_id(id),
            provider_media_id: id.to_owned(),
            file_name: format!("{id}.pdf"),
            ..Media::default()
        };
        Card { media: Some(media), ..Card::default() }
    };
    for id in ["p1", "p2"] {
        let held = Held::File { content_type: "application/pdf", name: "", content: b"%PDF-1.7".to_vec() };
        world.channel.hold(id, held);
    }
    let carousel = Carousel { cards: vec![card("p1"), card("p2")], body: String::new() };
    world.publish(&saying("carousel", Content { kind: Some(Kind::Carousel(carousel)) })).await;
    for id in ["p1", "p2"] {
        // The message's own word where the provider has none.
        let found = world.answers(id, 200).await;
        assert_eq!(
            found.headers()["content-disposition"],
            format!("attachment; filename*=UTF-8''{id}.pdf").as_str()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_never_be_had_says_why_and_is_not_asked_for_again() {
    let world = World::start(MediaSettings { limit: 2_000, ..MediaSettings::default() }).await;
    let lying =
        Held::File { content_type: "image/png", name: "a.png", content: b"<svg onload=alert(1)>".to_vec() };
    world.channel.hold("lying", lying);
    world.channel.hold("large", file(&[b'x'; 2_001]));
    world.channel.hold("inside", Held::Refusal(Status::invalid_argument("refused: no public address")));
    world
        .channel
        .hold("cut", Held::BrokenOff(Status::invalid_argument("refused: it is larger than 100 bytes")));
    world.channel.hold("none", Held::Refusal(Status::unimplemented("no media here")));
    for (id, status, code) in [
        ("lying", 403, "file_type"),
        ("large", 410, "too_large"),
        ("inside", 410, "refused"),
        ("cut", 410, "refused"),
        ("none", 410, "unsupported"),
        ("gone", 410, "not_found"),
    ] {
        world.publish(&sending(id)).await;
        let told: serde_json::Value =
            serde_json::from_slice(&world.answers(id, status).await.bytes().await.unwrap()).unwrap();
        assert_eq!(told["error"]["code"], code, "{told}");
    }
    world.settled().await;
    assert_eq!(world.channel.requests().len(), 6);
    assert!(world.dead().await.is_empty(), "none of it is a fault of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_decide_what_a_file_is() {
    let world = World::start(MediaSettings::default()).await;
    world
        .channel
        .hold("lying", Held::File { content_type: "text/html", name: "a.html", content: PNG.to_vec() });
    world
        .channel
        .hold("odd", Held::File { content_type: "image/png", name: "a.png", content: b"\x01\x02".to_vec() });
    world.publish(&sending("lying")).await;
    world.publish(&sending("odd")).await;
    assert_eq!(world.answers("lying", 200).await.headers()["content-type"], "image/png");
    let odd = world.answers("odd", 200).await;
    assert_eq!(odd.headers()["content-type"], "application/octet-stream");
    assert!(odd.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_asked_again() {
    let world = World::start(MediaSettings::default()).await;
    world.channel.hold("p1", Held::Refusal(Status::unavailable("the provider could not be read")));
    world.publish(&sending("p1")).await;
    until("a first try", async || (world.channel.asked("p1") > 0).then_some(())).await;
    assert_eq!(world.open("p1").await.status(), 404);
    world.channel.hold("p1", file(PNG));
    world.answers("p1", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_comes_as_200_is_no_picture() {
    let world = World::start(MediaSettings::default()).await;
    let content = br#"{"errcode":40001,"errmsg":"invalid credential"}"#.to_vec();
    world.channel.hold("p1", Held::File { content_type: "text/plain; charset=utf-8", name: "", content });
    world.publish(&sending("p1")).await;
    until("a first try", async || (world.channel.asked("p1") > 0).then_some(())).await;
    assert_eq!(world.open("p1").await.status(), 404);
    world.channel.hold("p1", file(PNG));
    assert_eq!(world.answers("p1", 200).await.bytes().await.unwrap(), PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_for_long_is_given_up_and_can_be_replayed() {
    let world =
        World::start(MediaSettings { give_up_after: Duration::ZERO, ..MediaSettings::default() }).await;
    world.channel.hold("p1", Held::Refusal(Status::unavailable("away")));
    world.publish(&sending("p1")).await;
    world.answers("p1", 410).await;
    let letter = until("a dead letter", async || world.dead().await.pop()).await;
    assert_eq!((letter.stage.as_str(), letter.reason.as_str()), ("media", "channel_away"));
    world.channel.hold("p1", file(PNG));
    DeadLetters::new(&world.fabric).replay(letter.seq, PATIENCE).await.unwrap();
    world.answers("p1", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_buried_and_holds_nothing_up() {
    let world = World::start(MediaSettings::default()).await;
    let event = sending("p1");
    let subject = subjects::event("acme", "asia", "wechat", "cnv_1", "message.received").unwrap();
    let mut envelope = Envelope::of("evt_bad", &event.r#type, "heliograph/test", 0, &event);
    envelope.payload = b"\xff\xff\xff".as_slice().into();
    world.fabric.publish(&subject, &envelope, within(PATIENCE)).await.unwrap();
    world.channel.hold("p1", file(PNG));
    world.publish(&event).await;
    world.answers("p1", 200).await;
    let letter = until("a dead letter", async || world.dead().await.pop()).await;
    assert_eq!((letter.stage.as_str(), letter.reason.as_str()), ("media", "malformed"));
    world.settled().await;
}
