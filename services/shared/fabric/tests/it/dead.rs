use heliograph_fabric::envelope::REPLAYED;
use heliograph_fabric::trace::TraceHeaders;
use heliograph_fabric::{Burial, DeadError, DeadFilter, DeadLetters, Stream, subjects};

use crate::support::{PATIENCE, envelope, ready};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_shown_replayed_and_discarded() {
    let (_nats, fabric) = ready().await;
    let letters = DeadLetters::new(&fabric);
    let trace = TraceHeaders {
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        tracestate: String::new(),
    };
    for (id, tenant) in [("evt_1", "acme"), ("evt_2", "acme"), ("evt_3", "other")] {
        let subject = subjects::inbound(2, tenant, "sms").unwrap();
        fabric.publish(&subject, &envelope(id, id).traced(trace.clone()), None).await.unwrap();
    }
    let burial = Burial {
        stage: "intake",
        reason: "malformed",
        error: "line one\nNats-Rollup: all".to_owned(),
        tries: 3,
    };
    for record in fabric.read_subject(Stream::Inbound, "hg.inbound.>").await.unwrap() {
        let first = letters.bury(&record, &burial, None).await.unwrap();
        let again = letters.bury(&record, &burial, None).await.unwrap();
        assert!(!first.duplicate && again.duplicate);
    }
    let acme = DeadFilter { tenant: Some("acme"), ..DeadFilter::default() };
    let listed = letters.list(&acme, 0, 10).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(letters.list(&acme, listed[0].seq, 10).await.unwrap().len(), 1);
    assert_eq!(letters.list(&DeadFilter::default(), 0, 10).await.unwrap().len(), 3);

    let letter = letters.show(listed[0].seq).await.unwrap();
    assert_eq!((letter.stage.as_str(), letter.reason.as_str(), letter.tries), ("intake", "malformed", 3));
    assert_eq!(letter.error, "line one Nats-Rollup: all");
    assert_eq!((letter.subject.as_str(), letter.stream_seq), ("hg.inbound.2.acme.sms", 1));
    let kept = letter.record.envelope().unwrap();
    assert_eq!((kept.id.as_str(), &kept.trace, &kept.payload[..]), ("evt_1", &trace, b"evt_1".as_slice()));

    let replayed = letters.replay(letter.seq, PATIENCE).await.unwrap();
    assert!(!replayed.duplicate);
    let records =
        fabric.read_range(Stream::Inbound, "hg.inbound.2.acme.sms", replayed.seq - 1, 1).await.unwrap();
    let again = records[0].envelope().unwrap();
    assert_eq!((again.id.as_str(), &again.payload[..], &again.trace), ("evt_1", b"evt_1".as_slice(), &trace));
    assert_eq!(again.extensions.get(REPLAYED), Some(&letter.seq.to_string()));
    assert!(again.extensions.len() == 1 && again.msg_id.is_some(), "{again:?}");
    assert!(matches!(letters.show(letter.seq).await, Err(DeadError::NotFound(_))));
    assert!(matches!(letters.replay(letter.seq, PATIENCE).await, Err(DeadError::NotFound(_))));

    letters.discard(listed[1].seq).await.unwrap();
    assert!(matches!(letters.discard(listed[1].seq).await, Err(DeadError::NotFound(_))));
    assert!(letters.list(&acme, 0, 10).await.unwrap().is_empty());

    // What died, was replayed and dies again is a dead letter again.
    letters.bury(&records[0], &burial, None).await.unwrap();
    assert_eq!(letters.list(&acme, 0, 10).await.unwrap().len(), 1);
}
