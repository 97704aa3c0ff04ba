//! `tenant list|move`.

use heliograph_fabric::{Placement, Stream};
use serde_json::Value;

use crate::support::Bench;

#[tokio::test]
async fn a_move_is_asked_for_once_and_nonsense_is_refused() {
    let bench = Bench::with_sample().await;
    let home = Placement::home("acme", 16).partition;
    let there = ((home + 1) % 16).to_string();
    let list = bench.run(&["tenant", "list", "--for", "1", "--json"]).await.ok();
    let list: Value = serde_json::from_str(&list.out).unwrap();
    assert_eq!((&list[0]["tenant"], &list[0]["partition"]), (&"acme".into(), &home.into()));
    assert_eq!((list.as_array().unwrap().len(), &list[0]["moves"]), (1, &0.into()));

    for (args, complaint) in [
        (&["nobody", "--to", "3"], "there is no tenant nobody"),
        (&["acme", "--to", "16"], "there is no routing partition 16; there are 16, from 0 to 15"),
        (&["acme", "--to", &home.to_string()], "already"),
    ] {
        let refused = bench.run(&[&["tenant", "move"][..], &args[..]].concat()).await;
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.contains(complaint), "{}", refused.err);
    }
    assert_eq!(bench.run(&["tenant", "move", "acme", "--home"]).await.code, 2, "it is at home");

    // No router runs: it stays asked for, and says so.
    let waiting = bench.run(&["tenant", "move", "acme", "--to", &there, "--wait", "1"]).await;
    assert_eq!(waiting.code, 69, "{}", waiting.err);
    assert!(waiting.err.contains("asked: acme leaves partition"), "{}", waiting.err);
    let other = ((home + 2) % 16).to_string();
    let refused = bench.run(&["tenant", "move", "acme", "--to", &other]).await;
    assert!(refused.code == 2 && refused.err.contains("on its way to routing partition"), "{}", refused.err);
    bench.run(&["tenant", "move", "acme", "--to", &there, "--wait", "1"]).await;
    let moves = bench.fabric().await.read_subject(Stream::Routing, "hg.routing.*.acme").await.unwrap();
    assert_eq!(moves.len(), 1, "the same move, however often it is asked for");
    let list = bench.run(&["tenant", "list", "--for", "1"]).await.ok();
    assert!(list.out.contains(&format!("on its way to {there}")), "{}", list.out);
}
