use std::collections::BTreeSet;
use std::time::Duration;

use heliograph_store::contacts::{Address, Attribute, ContactOptions, ContactStore, Hints};

use crate::support::{Nats, connect, nats};

const DAY_MS: i64 = 86_400_000;

/// A replica that remembers nothing for long, so that a test sees what is stored.
fn forgetful() -> ContactOptions {
    ContactOptions { capacity: 1_000, ttl: Duration::from_nanos(1) }
}

async fn replica(nats: &Nats, options: ContactOptions) -> ContactStore {
    ContactStore::open(&connect(&nats.server).await, options).await.unwrap()
}

fn seen(at: i64) -> Hints {
    Hints { seen_at_ms: at, ..Hints::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_racing_first_messages_make_one_contact() {
    let nats = nats().await;
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(replica(&nats, ContactOptions::default()).await);
    }
    let address = Address::new("sms", "main", "+4930 1234/*>.");
    let racers = (0..100_usize).map(|n| {
        let (store, address) = (replicas[n % replicas.len()].clone(), address.clone());
        tokio::spawn(async move { store.resolve("acme", &address, &seen(5)).await.unwrap() })
    });
    let mut ids = BTreeSet::new();
    let mut created = 0;
    for racer in racers.collect::<Vec<_>>() {
        let resolved = racer.await.unwrap();
        created += u32::from(resolved.created);
        ids.insert(resolved.contact.id.clone());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(created, 1);
    assert_eq!(ids.first(), Some(&address.own_contact("acme")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_crashed_after_making_a_contact_is_told_again_that_it_is_new() {
    let nats = nats().await;
    let address = Address::new("sms", "main", "+12125550100");
    let first = Hints { cause: "evt_1".to_owned(), ..seen(1) };
    let next = Hints { cause: "evt_2".to_owned(), ..seen(2) };
    assert!(
        replica(&nats, ContactOptions::default())
            .await
            .resolve("acme", &address, &first)
            .await
            .unwrap()
            .created
    );
    for (hints, created) in [(&first, true), (&next, false)] {
        let restarted = replica(&nats, ContactOptions::default()).await;
        assert_eq!(restarted.resolve("acme", &address, hints).await.unwrap().created, created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_channels_and_accounts_never_share_a_contact() {
    let nats = nats().await;
    let store = replica(&nats, ContactOptions::default()).await;
    let places = [
        ("acme", Address::new("sms", "main", "u")),
        ("acme2", Address::new("sms", "main", "u")),
        ("acme", Address::new("wechat", "main", "u")),
        ("acme", Address::new("sms", "mainu", "")),
        ("acme", Address::new("sms", "main", "u ")),
    ];
    let mut ids = BTreeSet::new();
    for (tenant, address) in &places {
        let resolved = store.resolve(tenant, address, &seen(1)).await.unwrap();
        assert!(resolved.created);
        assert_eq!(resolved.contact.tenant, *tenant);
        ids.insert(resolved.contact.id.clone());
    }
    assert_eq!(ids.len(), places.len());
    // A contact's id does not open it to another tenant.
    let mine = places[0].1.own_contact("acme");
    assert!(store.get("acme", &mine).await.unwrap().is_some());
    assert!(store.get("acme2", &mine).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_fill_gaps_and_never_overwrite() {
    let nats = nats().await;
    let store = replica(&nats, forgetful()).await;
    let address = Address::new("webchat", "site", "v-1");
    store.resolve("acme", &address, &seen(3)).await.unwrap();
    let hints = Hints {
        display_name: Some("Ada".to_owned()),
        country: Some("DE".to_owned()),
        attributes: [("plan".to_owned(), "free".to_owned())].into(),
        seen_at_ms: 3 * DAY_MS + 17,
        ..Hints::default()
    };
    let contact = store.resolve("acme", &address, &hints).await.unwrap().contact;
    assert_eq!(contact.display_name.as_deref(), Some("Ada"));
    assert_eq!((contact.first_seen_ms, contact.last_seen_ms), (0, 3 * DAY_MS));

    store
        .update("acme", &contact.id, |contact| {
            contact.country = Some("CH".to_owned());
            contact
                .attributes
                .insert("plan".to_owned(), Attribute { value: "gold".to_owned(), verified: true });
        })
        .await
        .unwrap();
    let other = replica(&nats, forgetful()).await;
    let contact = other.resolve("acme", &address, &hints).await.unwrap().contact;
    assert_eq!(contact.country.as_deref(), Some("CH"));
    assert_eq!(contact.attributes["plan"], Attribute { value: "gold".to_owned(), verified: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_in_its_order() {
    let nats = nats().await;
    let store = replica(&nats, ContactOptions::default()).await;
    let wanted: Vec<(Address, Hints)> =
        (0..300).map(|n| (Address::new("sms", "main", (n % 100).to_string()), seen(1))).collect();
    let answers = store.resolve_many("acme", &wanted).await;
    let mut created = 0;
    for ((address, _), answer) in wanted.iter().zip(answers) {
        let answer = answer.unwrap();
        assert_eq!(answer.contact.id, address.own_contact("acme"));
        created += u32::from(answer.created);
    }
    assert_eq!(created, 100);
}
