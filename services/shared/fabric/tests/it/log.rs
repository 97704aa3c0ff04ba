use heliograph_fabric::{Cursor, CursorError, LogError, LogReader, RangeReader, Start, Stream, subjects};

use crate::support::{Nats, PATIENCE, connect, envelope, ready, until};

async fn publish(fabric: &heliograph_fabric::Fabric, partition: u16, range: std::ops::Range<u32>) {
    let subject = subjects::routing(partition, "acme").unwrap();
    for number in range {
        let envelope = envelope(&format!("cmd_{partition}_{number}"), &number.to_string());
        fabric.publish(&subject, &envelope, None).await.unwrap();
    }
}

async fn read(reader: &mut LogReader, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let record = tokio::time::timeout(PATIENCE, reader.next()).await.expect("a message in time").unwrap();
        texts.push(String::from_utf8(record.envelope().unwrap().payload.to_vec()).unwrap());
    }
    texts
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_once_and_in_order_over_broker_restarts() {
    let (mut nats, fabric) = ready().await;
    publish(&fabric, 1, 0..50).await;
    publish(&fabric, 2, 0..50).await;
    let mut reader =
        LogReader::open(&fabric, Stream::Routing, [subjects::routing_partition(1)], Start::After(0))
            .await
            .unwrap();
    let mut texts = read(&mut reader, 20).await;
    nats.restart();
    texts.extend(read(&mut reader, 30).await);
    // Waiting for more when the broker goes, and getting more when it is back.
    let publisher = connect(&nats, "publisher").await;
    let waiting = tokio::spawn(async move {
        let more = read(&mut reader, 60).await;
        (reader, more)
    });
    publish(&publisher, 1, 50..80).await;
    nats.restart();
    publish(&publisher, 1, 80..110).await;
    let (reader, more) = waiting.await.unwrap();
    texts.extend(more);
    assert_eq!(texts, numbers(0..110));
    assert_eq!(reader.position(), fabric.last_sequence(Stream::Routing).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_recovers_when_its_consumer_is_gone() {
    let (_nats, fabric) = ready().await;
    publish(&fabric, 0, 0..3).await;
    let mut reader =
        LogReader::open(&fabric, Stream::Routing, [subjects::routing_partition(0)], Start::After(0))
            .await
            .unwrap();
    assert_eq!(read(&mut reader, 3).await, numbers(0..3));
    let waiting = tokio::spawn(async move { read(&mut reader, 2).await });
    // Somebody deletes every consumer of the stream behind our back.
    let stream = fabric.jetstream().get_stream(Stream::Routing.name()).await.unwrap();
    let names: Vec<String> = {
        use futures::TryStreamExt;
        stream.consumer_names().try_collect().await.unwrap()
    };
    for name in names {
        stream.delete_consumer(&name).await.unwrap();
    }
    publish(&fabric, 0, 3..5).await;
    assert_eq!(waiting.await.unwrap(), numbers(3..5));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_means_from_now_on_even_if_the_connection_is_lost_before_the_first_message() {
    let (mut nats, fabric) = ready().await;
    publish(&fabric, 0, 0..3).await;
    let mut reader = LogReader::open(&fabric, Stream::Routing, [subjects::routing_partition(0)], Start::New)
        .await
        .unwrap();
    let publisher = connect(&nats, "publisher").await;
    publish(&publisher, 0, 3..5).await;
    nats.restart();
    assert_eq!(read(&mut reader, 2).await, numbers(3..5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_ends_at_the_head_of_now() {
    let (_nats, fabric) = ready().await;
    assert!(fabric.read_subject(Stream::Routing, "hg.routing.0.*").await.unwrap().is_empty());
    publish(&fabric, 0, 0..10).await;
    publish(&fabric, 1, 0..10).await;
    let all = fabric.read_subject(Stream::Routing, "hg.routing.0.*").await.unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all[0].subject, "hg.routing.0.acme");
    assert!(fabric.read_subject(Stream::Routing, "hg.routing.3.*").await.unwrap().is_empty());
    assert_eq!(fabric.read_range(Stream::Routing, "hg.routing.0.*", all[6].seq, 2).await.unwrap().len(), 2);
    assert!(fabric.read_range(Stream::Routing, "hg.routing.0.*", 20, 9).await.unwrap().is_empty());
    let mut range = RangeReader::open(&fabric, Stream::Routing, ["hg.routing.>"], 0).await.unwrap();
    publish(&fabric, 0, 10..12).await;
    let mut read = 0;
    while range.next().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!((read, range.head(), range.reached()), (20, 20, 20));
    let mut others = RangeReader::open(&fabric, Stream::Routing, ["hg.routing.1.*"], 0).await.unwrap();
    while others.next().await.unwrap().is_some() {}
    assert_eq!((others.head(), others.reached()), (22, 20), "what follows may be on its way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_missing_or_too_short_is_an_error() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let opened = LogReader::open(&fabric, Stream::Routing, ["hg.routing.>"], Start::After(0)).await;
    assert!(matches!(opened, Err(LogError::NotProvisioned(_))));
    let (_nats, fabric) = ready().await;
    let opened = LogReader::open(&fabric, Stream::Routing, ["hg.routing.>"], Start::After(7)).await;
    assert!(matches!(opened, Err(LogError::Regressed { asked: 7, last: 0, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_ends_though_what_was_left_of_it_is_erased() {
    let (_nats, fabric) = ready().await;
    for n in 1..=3 {
        let id = format!("ent_{n}");
        fabric.publish("hg.routing.0.acme", &envelope(&id, "one"), None).await.unwrap();
    }
    let mut range = RangeReader::open(&fabric, Stream::Routing, ["hg.routing.>"], 0).await.unwrap();
    fabric.purge(Stream::Routing, "hg.routing.>").await.unwrap();
    assert!(range.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_owner_cannot_move_the_cursor() {
    let (mut nats, fabric) = ready().await;
    let mut first = Cursor::claim(&fabric, "router.inbound", 3, 10).await.unwrap();
    assert_eq!((first.seq(), first.is_first()), (0, true));
    first.store(5, PATIENCE).await.unwrap();
    let mut second = Cursor::claim(&fabric, "router.inbound", 3, 20).await.unwrap();
    assert_eq!((second.seq(), second.is_first()), (5, false));
    assert!(matches!(first.store(6, PATIENCE).await, Err(CursorError::Fenced { ours: 10, theirs: 20, .. })));
    second.store(7, PATIENCE).await.unwrap();
    assert!(matches!(Cursor::claim(&fabric, "router.inbound", 3, 15).await, Err(CursorError::Fenced { .. })));
    // Over a restart of the broker, too.
    nats.restart();
    second.store(9, PATIENCE).await.unwrap();
    let seq = until("the cursor", || async { Cursor::claim(&fabric, "router.inbound", 3, 21).await.ok() })
        .await
        .seq();
    assert_eq!(seq, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_done_leaves_no_consumer_behind() {
    let (_nats, fabric) = ready().await;
    fabric.publish("hg.inbound.0.acme.sms", &envelope("evt_1", "one"), None).await.unwrap();
    for _ in 0..20 {
        let read = fabric.read_subject(Stream::Inbound, "hg.inbound.0.acme.sms").await.unwrap();
        assert_eq!(read.len(), 1);
    }
    until("the consumers to be gone", || async {
        let stream = fabric.jetstream().get_stream(Stream::Inbound.name()).await.unwrap();
        (stream.cached_info().state.consumer_count == 0).then_some(())
    })
    .await;
}
