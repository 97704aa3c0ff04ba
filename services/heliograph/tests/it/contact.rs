//! `contact`, and what `policy explain` knows of a customer.

use heliograph_store::{
    consent::{Choice, ConsentStore, Statement, Subject},
    contacts::{Address, ContactOptions, ContactStore, Hints},
    trail::Trail,
};
use serde_json::Value;

use crate::support::Bench;

/// A customer of the sample tenant who does not want to be written to by SMS.
async fn somebody(bench: &Bench) -> String {
    let fabric = bench.fabric().await;
    let context = fabric.jetstream();
    let contacts = ContactStore::open(context, ContactOptions::default()).await.unwrap();
    let address = Address::new("sms", "acme-us", "+12125550100");
    let hints =
        Hints { display_name: Some("Amy".to_owned()), seen_at_ms: 1_767_225_600_000, ..Hints::default() };
    let contact = contacts.resolve("acme", &address, &hints).await.unwrap().contact;
    let said = Statement {
        choice: Choice::OptedOut,
        source: "keyword STOP".to_owned(),
        cause: "evt_1".to_owned(),
        at_ms: 1_767_225_600_000,
    };
    let consent = ConsentStore::open(context).await.unwrap();
    for class in ["service", "utility", "marketing"] {
        consent.record(&Subject::new("acme", &contact.id, Some("sms"), class), &said).await.unwrap();
    }
    let trail = Trail::open(context).await.unwrap();
    trail.record("acme", &address, "cnv_1", 1_767_225_600_000).await.unwrap();
    contact.id.clone()
}

#[tokio::test]
async fn a_customer_is_shown_with_consent_and_conversations() {
    let bench = Bench::with_sample().await;
    let id = somebody(&bench).await;
    for who in [id.as_str(), "sms:acme-us:+12125550100"] {
        let shown = bench.run(&["contact", "show", "--tenant", "acme", who]).await.ok().out;
        for part in [&id, "Amy", "sms:acme-us:+12125550100", "out sms marketing", "keyword STOP", "cnv_1"] {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
    }
    let json = bench.run(&["contact", "show", "--tenant", "acme", &id, "--json"]).await.ok().out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["contact"]["id"], &json["conversations"][0]["id"]), (&id.into(), &"cnv_1".into()));

    let nobody = bench.run(&["contact", "show", "--tenant", "acme", "con_nobody"]).await;
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("con_nobody"), "{}", nobody.err);
    assert_eq!(bench.run(&["contact", "show", "--tenant", "acme", "+12125550100"]).await.code, 2);
}

#[tokio::test]
async fn policy_is_asked_with_what_is_stored_of_the_customer() {
    let bench = Bench::with_sample().await;
    let id = somebody(&bench).await;
    let by_number = ["--to", "+12125550100"];
    let by_contact = ["--contact", id.as_str()];
    for who in [by_number, by_contact] {
        let mut args =
            vec!["policy", "explain", "--tenant", "acme", "--channel", "sms", "--account", "acme-us"];
        args.extend(who);
        let told = bench.run(&args).await.ok().out;
        assert!(told.starts_with("deny") && told.contains("consent.opted_out"), "{told}");
        assert!(told.contains(&format!("contact {id}: opted out")), "{told}");
        // What is said on the command line counts in place of what is stored.
        args.extend(["--consent", "opted-in", "--window", "none"]);
        let told = bench.run(&args).await.ok().out;
        assert!(told.starts_with("allow"), "{told}");
    }
}
