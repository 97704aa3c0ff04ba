//! `route explain`.

use heliograph_proto::v1::{ExplainRoutingResponse, rule_asked::Answer};
use heliograph_store::contacts::{Address, ContactOptions, ContactStore, Hints};

use crate::support::{Bench, Done, SAMPLE};

/// What the guide shows.
const GUIDE: &str = include_str!("../../../../docs/how-to/routing.md");

/// The binary with a file and a broker that does not answer.
async fn offline(bench: &Bench, file: &str, args: &[&str]) -> Done {
    let args: Vec<&str> = ["route", "explain", "--tenant", "acme", "-f", file]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let mut command = bench.command(&args);
    command.env("HELIOGRAPH__NATS__URL", "nats://127.0.0.1:9").output().await.unwrap().into()
}

#[tokio::test]
async fn the_guide_shows_what_is_printed() {
    let bench = Bench::bare().await;
    let file = bench.file("acme.yaml", SAMPLE);
    let shown = GUIDE.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let args = ["--channel", "sms", "--from", "+5511987654321", "--text", "Quero comprar"];
    assert_eq!(offline(&bench, &file, &args).await.ok().out, shown);
}

#[tokio::test]
async fn files_are_asked_without_a_broker() {
    let bench = Bench::bare().await;
    let file = bench.file("acme.yaml", SAMPLE);
    let text = "Estou esperando o reembolso desde terça-feira, vocês podem me ajudar por favor?";
    let args = ["--channel", "webchat", "--from", "visitor", "--text", text, "--json"];
    let told: ExplainRoutingResponse =
        serde_json::from_str(&offline(&bench, &file, &args).await.ok().out).unwrap();
    let wanted = told.wanted.unwrap();
    assert_eq!((wanted.queue.as_str(), wanted.language.as_str()), ("support", "pt"));
    assert_eq!(told.language_source, "detected");
    assert!(wanted.reasons.iter().any(|reason| reason.code == "routing.language_detected"));
    let decides = told.rules.iter().find(|rule| rule.answer() == Answer::Decides).unwrap();
    assert_eq!(decides.rule, "portuguese");

    // What the channel says of the message counts.
    let said = ["--channel", "webchat", "--from", "visitor", "--text", text, "--language", "de"];
    let told = offline(&bench, &file, &said).await.ok().out;
    assert!(told.contains("queue support, by rule everybody"), "{told}");
    assert!(told.contains("language  de, as the channel says of the message"), "{told}");

    let word = ["--channel", "sms", "--account", "acme-us", "--from", "+12125550100", "--text", "STOP"];
    let told = offline(&bench, &file, &word).await.ok().out;
    assert!(told.contains("word      ") && told.contains("no agent is asked"), "{told}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let bench = Bench::bare().await;
    let file = bench.file("acme.yaml", &SAMPLE.replace("contact.attributes[\"vip\"]", "contact.vip"));
    let args = ["--channel", "sms", "--from", "+12125550100"];
    let refused = offline(&bench, &file, &args).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("RoutingRule/vip: spec.when: there is no contact.vip"), "{}", refused.err);

    let file = bench.file("good.yaml", SAMPLE);
    let account = ["--channel", "sms", "--from", "x", "--account", "acme-web"];
    let refused = offline(&bench, &file, &account).await;
    assert_eq!(refused.code, 65);
    assert!(refused.err.contains("acme-web is on webchat, not on sms"), "{}", refused.err);
}

#[tokio::test]
async fn what_is_stored_of_the_customer_counts() {
    let bench = Bench::with_sample().await;
    let contacts =
        ContactStore::open(bench.fabric().await.jetstream(), ContactOptions::default()).await.unwrap();
    let address = Address::new("sms", "acme-us", "+12125550100");
    let hints = Hints {
        locale: Some("pt-BR".to_owned()),
        attributes: [("vip".to_owned(), "yes".to_owned())].into(),
        seen_at_ms: 1_795_392_000_000,
        cause: "evt_1".to_owned(),
        ..Hints::default()
    };
    let contact = contacts.resolve("acme", &address, &hints).await.unwrap().contact;
    let ask = async |who: &[&str]| {
        let fixed = ["route", "explain", "--tenant", "acme", "--channel", "sms", "--account", "acme-us"];
        let args: Vec<&str> = fixed.iter().chain(who).copied().chain(["--text", "oi"]).collect();
        bench.run(&args).await.ok().out
    };
    for who in [["--from", "+12125550100"], ["--contact", contact.id.as_str()]] {
        let told = ask(&who).await;
        assert!(told.starts_with("queue support, by rule vip\n"), "{told}");
        assert!(told.contains("priority  2: 0 of the queue, 2 of the rule"), "{told}");
        assert!(told.contains("language  pt-BR, as is known of the contact"), "{told}");
        assert!(told.contains("required  any(billing:8, hardware:8), for rule vip"), "{told}");
        assert!(told.contains(&format!("contact   {}", contact.id)), "{told}");
    }
    let stranger = ask(&["--from", "+12125550199"]).await;
    assert!(stranger.starts_with("queue support, by rule everybody\n"), "{stranger}");
}
