//! Messages that wait in the broker for their time.

use std::time::Duration;

use heliograph_fabric::{Fabric, HASTENED, LATER, LogReader, PublishError, Record, Start, Stream, subjects};

use crate::support::{PATIENCE, envelope, ready};

const TARGET: &str = "hg.outbound.sms.0.acme";

fn in_ms(wait: i64) -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + wait
}

async fn reader(fabric: &Fabric) -> LogReader {
    let filter = subjects::outbound_partition("sms", 0).unwrap();
    LogReader::open(fabric, Stream::Outbound, [filter], Start::After(0)).await.unwrap()
}

async fn next(reader: &mut LogReader) -> Record {
    tokio::time::timeout(PATIENCE, reader.next()).await.expect("it comes").unwrap()
}

/// What waits or was delivered, newest last.
async fn stored(fabric: &Fabric, filter: &str) -> Vec<Record> {
    fabric.read_subject(Stream::Outbound, filter).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_at_its_time_once_and_whole() {
    let (_nats, fabric) = ready().await;
    let mut reader = reader(&fabric).await;
    let mut waiting = envelope("dlv_1", "hello").about("cnv_1");
    waiting.extensions.insert("Heliograph-After".to_owned(), "7".to_owned());
    let at = in_ms(1_500);
    let first = fabric.publish_later(TARGET, "tok_1", at, &waiting, None).await.unwrap();
    let again = fabric.publish_later(TARGET, "tok_1", at, &waiting, None).await.unwrap();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert!(stored(&fabric, TARGET).await.is_empty(), "it is not there before its time");

    let came = next(&mut reader).await;
    assert!(came.time_ms >= at, "{} came before {at}", came.time_ms);
    assert_eq!(came.subject, TARGET);
    let read = came.envelope().unwrap();
    assert_eq!((read.id.as_str(), read.payload.as_ref()), ("dlv_1", b"hello".as_slice()));
    assert_eq!(read.subject.as_deref(), Some("cnv_1"));
    assert_eq!(read.extensions["Heliograph-After"], "7");
    assert_eq!(read.extensions[LATER], "tok_1");
    assert!(came.headers.get("Nats-Schedule").is_none() && came.headers.get("Nats-Msg-Id").is_none());

    // The next one is the marker: there was no second copy, and nothing waits any more.
    fabric.publish(TARGET, &envelope("marker", "marker"), None).await.unwrap();
    assert_eq!(next(&mut reader).await.envelope().unwrap().id, "marker");
    assert!(stored(&fabric, "hg.later.*").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_survives_a_crash_of_the_broker() {
    let (mut nats, fabric) = ready().await;
    let at = in_ms(3_000);
    fabric.publish_later(TARGET, "tok_1", at, &envelope("dlv_1", "short"), None).await.unwrap();
    fabric.publish_later(TARGET, "tok_2", in_ms(3_600_000), &envelope("dlv_2", "long"), None).await.unwrap();
    nats.restart();
    let mut reader = reader(&fabric).await;
    let came = next(&mut reader).await;
    assert_eq!((came.envelope().unwrap().id.as_str(), came.time_ms >= at), ("dlv_1", true));
    nats.restart();
    let marker = fabric.publish(TARGET, &envelope("marker", "marker"), None).await.unwrap();
    let came = next(&mut reader).await;
    assert_eq!(came.seq, marker.seq, "a crash after its time does not bring it again");
    assert_eq!(stored(&fabric, "hg.later.*").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_passed_is_due_at_once_also_while_the_broker_was_away() {
    let (mut nats, fabric) = ready().await;
    let mut reader = reader(&fabric).await;
    fabric.publish_later(TARGET, "tok_1", in_ms(-60_000), &envelope("dlv_1", "x"), None).await.unwrap();
    assert_eq!(next(&mut reader).await.envelope().unwrap().id, "dlv_1");
    // Delivered once, it can be asked for again, at another time.
    fabric.publish_later(TARGET, "tok_1", in_ms(-50_000), &envelope("dlv_1", "x"), None).await.unwrap();
    assert_eq!(next(&mut reader).await.envelope().unwrap().id, "dlv_1");
    let at = in_ms(700);
    fabric.publish_later(TARGET, "tok_2", at, &envelope("dlv_2", "x"), None).await.unwrap();
    nats.kill();
    while in_ms(0) < at {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nats.revive();
    assert_eq!(next(&mut reader).await.envelope().unwrap().id, "dlv_2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_again_replaces_what_waits() {
    let (_nats, fabric) = ready().await;
    let mut reader = reader(&fabric).await;
    fabric.publish_later(TARGET, "tok_1", in_ms(3_600_000), &envelope("dlv_1", "late"), None).await.unwrap();
    fabric.publish_later(TARGET, "tok_1", in_ms(300), &envelope("dlv_1", "soon"), None).await.unwrap();
    assert_eq!(next(&mut reader).await.payload.as_ref(), b"soon");
    assert!(stored(&fabric, "hg.later.*").await.is_empty(), "the first is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_is_refused() {
    let (_nats, fabric) = ready().await;
    let refused = fabric.publish_later(TARGET, "a.b", 0, &envelope("dlv_1", "x"), None).await;
    assert!(matches!(refused, Err(PublishError::Refused { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hastened_comes_at_once_and_again_at_its_time() {
    let (_nats, fabric) = ready().await;
    let mut reader = reader(&fabric).await;
    assert!(!fabric.hasten("tok_1", None).await.unwrap(), "nothing waits");
    let waiting = envelope("dlv_1", "hello").about("cnv_1");
    let at = in_ms(2_000);
    fabric.publish_later(TARGET, "tok_1", at, &waiting, None).await.unwrap();
    assert!(fabric.hasten("tok_1", None).await.unwrap());
    assert!(fabric.hasten("tok_1", None).await.unwrap());
    let first = next(&mut reader).await;
    let read = first.envelope().unwrap();
    assert_eq!((read.id.as_str(), read.payload.as_ref()), ("dlv_1", b"hello".as_slice()));
    assert_eq!(read.extensions[LATER], "tok_1");
    assert!(first.headers.get(HASTENED).is_some());
    let second = next(&mut reader).await;
    assert!(
        second.headers.get(HASTENED).is_none() && second.time_ms >= at,
        "hastened twice is hastened once"
    );
}
