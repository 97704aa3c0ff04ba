//! `dead list|show|replay|discard`.

use heliograph_fabric::{Burial, DeadLetters, Stream};
use serde_json::Value;

use crate::support::Bench;

#[tokio::test]
async fn dead_letters_are_listed_shown_replayed_and_discarded() {
    let bench = Bench::provisioned().await;
    assert_eq!(bench.run(&["dead", "list"]).await.ok().out, "");

    let fabric = bench.fabric().await;
    for number in 1..=2 {
        bench.event(&fabric, number).await;
    }
    let records = fabric.read_range(Stream::Events, "hg.event.>", 0, 10).await.unwrap();
    let letters = DeadLetters::new(&fabric);
    for record in &records {
        let burial = Burial { stage: "streams", reason: "malformed", error: "made up".to_owned(), tries: 3 };
        letters.bury(record, &burial, None).await.unwrap();
    }

    let list = bench.run(&["dead", "list", "--tenant", "acme", "--json"]).await.ok();
    let first: Value = serde_json::from_str(list.out.lines().next().unwrap()).unwrap();
    assert_eq!((&first["stage"], &first["reason"]["code"]), (&"streams".into(), &"malformed".into()));
    assert_eq!(bench.run(&["dead", "list", "--tenant", "other"]).await.ok().out, "");

    let shown = bench.run(&["dead", "show", "1"]).await.ok();
    assert!(shown.out.contains("made up") && shown.out.contains("message 1"), "{}", shown.out);

    let replayed = bench.run(&["dead", "replay", "1"]).await.ok();
    assert_eq!(replayed.out.trim(), "1 replayed to hg.event.acme.north-america.sms.cnv_1.message.received");
    let again = fabric.read_range(Stream::Events, "hg.event.>", 2, 10).await.unwrap();
    assert_eq!(again[0].envelope().unwrap().id, "evt_1");

    bench.run(&["dead", "discard", "--all", "--tenant", "acme", "--dry-run"]).await.ok();
    assert_eq!(
        bench.run(&["dead", "discard", "--all", "--tenant", "acme"]).await.ok().out.trim(),
        "2 discarded"
    );
    assert_eq!(bench.run(&["dead", "list"]).await.ok().out, "");
    let gone = bench.run(&["dead", "show", "2"]).await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("no dead letter 2"), "{}", gone.err);
}
