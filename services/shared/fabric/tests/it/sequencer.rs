use heliograph_fabric::{PublishError, Sequencer, SequencerOptions, Stream, subjects};

use crate::support::{envelope, ready};

#[tokio::test(flavor = "multi_thread")]
async fn lanes_keep_their_order_over_a_broker_restart() {
    let (mut nats, fabric) = ready().await;
    let sequencer = Sequencer::new(&fabric, SequencerOptions { capacity: 64, fence: None });
    let (lanes, items) = (20, 100);
    let submitter = sequencer.clone();
    let submitted = tokio::spawn(async move {
        for item in 0..items {
            for lane in 0..lanes {
                let conversation = format!("cnv_{lane}");
                let subject = subjects::event("acme", "", "sms", &conversation, "message.received").unwrap();
                let envelope = envelope(&format!("evt_{lane}_{item}"), &item.to_string());
                submitter.submit(conversation, subject, envelope, None).await;
            }
        }
    });
    for progress in [300, 1100] {
        crate::support::until("progress", || async {
            fabric.last_sequence(Stream::Events).await.ok().filter(|last| *last >= progress)
        })
        .await;
        nats.restart();
        crate::support::until("the broker", || async { fabric.last_sequence(Stream::Events).await.ok() })
            .await;
    }
    submitted.await.unwrap();
    sequencer.flush().await;
    for lane in 0..lanes {
        let filter = format!("hg.event.acme.*.*.cnv_{lane}.>");
        let records = fabric.read_subject(Stream::Events, &filter).await.unwrap();
        let texts: Vec<String> =
            records.iter().map(|record| String::from_utf8(record.payload.to_vec()).unwrap()).collect();
        let expected: Vec<String> = (0..items).map(|item| item.to_string()).collect();
        assert_eq!(texts, expected, "lane {lane}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_a_lane_stands_still_until_it_is_mended_and_others_go_on() {
    let (_nats, fabric) = ready().await;
    let sequencer = Sequencer::new(&fabric, SequencerOptions::default());
    let subject = |lane: &str| subjects::event("acme", "", "sms", lane, "message.received").unwrap();
    let large = envelope("evt_1", &"x".repeat(2 << 20));
    let first = sequencer.submit("a", subject("a"), large, None).await;
    let second = sequencer.submit("a", subject("a"), envelope("evt_2", ""), None).await;
    let other = sequencer.submit("b", subject("b"), envelope("evt_3", ""), None).await;
    assert!(matches!(first.await, Err(PublishError::TooLarge { .. })));
    assert!(matches!(second.await, Err(PublishError::Behind { .. })));
    other.await.unwrap();
    let third = sequencer.publish("a", subject("a"), envelope("evt_4", ""), None).await;
    assert!(matches!(third, Err(PublishError::Behind { .. })));
    sequencer.mend("a");
    sequencer.publish("a", subject("a"), envelope("evt_5", ""), None).await.unwrap();
    assert_eq!(fabric.read_subject(Stream::Events, &subject("a")).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_sequencer_stops_what_waits() {
    let (mut nats, fabric) = ready().await;
    nats.kill();
    let sequencer = Sequencer::new(&fabric, SequencerOptions::default());
    let ticket = sequencer.submit("a", "hg.routing.0.acme", envelope("evt_1", ""), None).await;
    drop(sequencer);
    assert!(matches!(ticket.await, Err(PublishError::Stopped)));
}
