//! Words for the system: consent taken and given, help, each answered as often as it should be.

use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{
        ConsentSignal, InboundEvent, Notice, OutboundMessage, SenderKind, event::Payload, inbound_event::Kind,
    },
};
use heliograph_store::consent::{Choice, ConsentStore};
use serde_json::json;

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, event, eventually, from, number, said};

/// SMS for everybody.
async fn fleet() -> Fleet {
    let fleet = Fleet::start().await;
    fleet.with_sms(json!({ "default": { "channels": ["sms", "webchat"] } })).await;
    fleet
}

/// Waits for an ordinary message to come out of the other end, so that all before it has.
async fn settled(fleet: &Fleet, phone: &str, id: &str) {
    fleet.receive(from(&number(phone), id, id)).await;
    fleet
        .until("the last message", |events| {
            events.iter().find(|event| event.r#type == "message.received" && said(event) == id).map(drop)
        })
        .await;
}

fn text(work: &OutboundMessage) -> String {
    content::preview(work.message.as_ref().unwrap().content.as_ref().unwrap())
}

async fn choice(fleet: &Fleet, contact: &str) -> Option<Choice> {
    let consent = ConsentStore::open(fleet.fabric.jetstream()).await.unwrap();
    let found = consent.effective(TENANT, contact, "sms", "marketing").await.unwrap();
    found.map(|statement| statement.choice)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_is_confirmed_once_in_three_languages_whatever_is_repeated() {
    let fleet = fleet().await;
    let router = fleet.router("one").await;
    fleet.online(TENANT, "ann").await;
    let customers = [("+12125550101", "STOP"), ("+5511987654321", "parar"), ("+491711234567", "Stopp!")];
    let events: Vec<InboundEvent> =
        customers.iter().map(|(phone, word)| from(&number(phone), "first", word)).collect();
    for event in &events {
        for n in 0..3 {
            fleet.receive_as(event.clone(), &format!("{}-{n}", event.id)).await;
        }
    }
    let work = eventually("three confirmations", || async {
        let work = fleet.outbound().await;
        (work.len() >= 3).then_some(work)
    })
    .await;
    for ((phone, _), work) in customers.iter().flat_map(|who| work.iter().map(move |work| (who, work))) {
        let message = work.message.as_ref().unwrap();
        assert_eq!(work.notice(), Notice::OptOut);
        assert_eq!(message.sender.as_ref().unwrap().kind(), SenderKind::System);
        let of = work_of(&fleet, phone).await;
        assert_eq!(of.len(), 1, "{phone}");
    }
    let received = fleet.count("message.received", 3).await;
    for event in &received {
        assert_eq!(choice(&fleet, &event.contact).await, Some(Choice::OptedOut));
    }

    // Said again, and read again after a crash that forgot everything.
    for (phone, word) in &customers {
        fleet.receive(from(&number(phone), "second", word)).await;
    }
    fleet.count("message.received", 6).await;
    router.kill();
    fleet.rewind("router.inbound", 0..LAYOUT.inbound).await;
    let _router = fleet.router("two").await;
    for (phone, _) in &customers {
        settled(&fleet, phone, &format!("hello from {phone}")).await;
        assert_eq!(work_of(&fleet, phone).await.len(), 1, "{phone}");
    }
    let events = fleet.events().await;
    assert_unique(&events);
    let count = |kind: &str| events.iter().filter(|event| event.r#type == kind).count();
    assert_eq!((count("consent.changed"), count("message.received")), (3, 9));
    assert_eq!(count("conversation.queued"), 3, "nobody was asked before somebody said hello");
}

async fn work_of(fleet: &Fleet, phone: &str) -> Vec<OutboundMessage> {
    let to =
        |work: &OutboundMessage| work.message.as_ref().unwrap().address.as_ref().unwrap().user_id == phone;
    fleet.outbound().await.into_iter().filter(to).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tenants_own_words_for_a_country_are_answered_there_and_in_the_language_of_the_word() {
    let fleet = Fleet::start().await;
    let replies = json!({ "stop": { "pt": "Tchau", "pt-PT": "Adeus", "fr": "Salut" } });
    let channels = json!({ "channels": ["sms", "webchat"] });
    fleet.with_sms(json!({ "default": channels, "consent": { "replies": replies } })).await;
    let _router = fleet.router("one").await;
    let customers = [
        ("+351912345678", "pt-PT", "PARAR", "Adeus"),
        ("+5511987654321", "pt-BR", "PARAR", "Tchau"),
        ("+12125550101", "pt_PT", "STOP", "Adeus"),
        ("+12125550102", "pt-PT", "ARRÊT", "Salut"),
    ];
    for (phone, locale, word, _) in customers {
        let mut event = from(&number(phone), word, word);
        event.address.as_mut().unwrap().locale = locale.to_owned();
        fleet.receive(event).await;
    }
    for (phone, _, _, answer) in customers {
        let told = eventually("an answer", || async { work_of(&fleet, phone).await.into_iter().next() });
        assert_eq!(text(&told.await), answer, "{phone}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_in_a_sentence_are_a_message() {
    let fleet = fleet().await;
    let _router = fleet.router("one").await;
    settled(&fleet, "+12125550101", "please stop by").await;
    let events = fleet.until("a queue", |events| {
        events.iter().any(|event| event.r#type == "conversation.queued").then(|| events.to_vec())
    });
    let events = events.await;
    assert!(!events.iter().any(|event| event.r#type == "consent.changed"));
    assert!(fleet.outbound().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_is_given_each_time_and_start_takes_stop_back() {
    let fleet = fleet().await;
    let _router = fleet.router("one").await;
    let mia = number("+12125550101");
    for (at, word) in (1..).zip(["HELP", "help", "STOP", "HELP", "START", "START"]) {
        let mut event = from(&mia, &at.to_string(), word);
        event.occurred_at = Some(Timestamp::from_millis(1_000 * at));
        fleet.receive(event).await;
    }
    settled(&fleet, &mia.phone, "hello").await;
    let notices: Vec<Notice> = fleet.outbound().await.iter().map(OutboundMessage::notice).collect();
    assert_eq!(notices, [Notice::Help, Notice::Help, Notice::OptOut, Notice::Help, Notice::OptIn]);
    let contact = fleet.count("message.received", 7).await[0].contact.clone();
    assert_eq!(choice(&fleet, &contact).await, Some(Choice::OptedIn));
    let changed = fleet.count("consent.changed", 2).await;
    let Some(Payload::ConsentChanged(it)) = &changed[0].payload else { panic!("not changed") };
    assert_eq!((it.channel.as_str(), it.granted, it.source.contains("STOP")), ("sms", false, true));
    assert_eq!(changed.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_confirmed_is_not_confirmed_again() {
    let fleet = fleet().await;
    let _router = fleet.router("one").await;
    let signal = |confirmed| {
        let source = "provider".to_owned();
        let (granted, confirmed_by_provider) = (false, confirmed);
        Kind::Consent(ConsentSignal { granted, source, confirmed_by_provider, ..ConsentSignal::default() })
    };
    // The word and the provider's event, in the order in which Twilio tells them.
    let (mia, ben, eve) = (number("+12125550101"), number("+12125550102"), number("+12125550103"));
    let mut word = from(&mia, "word", "STOP");
    if let Some(Kind::Message(message)) = &mut word.kind {
        message.metadata.insert("answered_by_provider".to_owned(), "STOP".to_owned());
    }
    fleet.receive(word).await;
    fleet.receive(event(&mia, "signal", signal(true))).await;
    fleet.receive(event(&ben, "signal", signal(true))).await;
    // Nobody confirmed this one; and the word that comes with it says nothing new.
    fleet.receive(event(&eve, "signal", signal(false))).await;
    fleet.receive(from(&eve, "word", "STOP")).await;
    for who in [&mia, &ben, &eve] {
        settled(&fleet, &who.phone, &format!("hello from {}", who.phone)).await;
    }
    let work = fleet.outbound().await;
    assert_eq!(work.len(), 1, "{:?}", work.iter().map(text).collect::<Vec<_>>());
    assert_eq!(work_of(&fleet, &eve.phone).await[0].notice(), Notice::OptOut);
    assert_eq!(fleet.count("consent.changed", 3).await.len(), 3);
}
