//! Joining and splitting contacts, with races and crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use heliograph_store::KvBucket;
use heliograph_store::consent::{Choice, ConsentStore, Statement, Subject};
use heliograph_store::contacts::{
    Address, Attribute, Contact, ContactError, ContactOptions, ContactStore, Hints, Identity, Join, Joining,
    LinkedBy, Moved, Whom,
};

use crate::support::{Nats, connect, nats};

const TENANT: &str = "acme";

/// A replica that remembers nothing for long, so that a test sees what is stored.
async fn forgetful(nats: &Nats) -> ContactStore {
    let options = ContactOptions { capacity: 1_000, ttl: Duration::from_nanos(1) };
    ContactStore::open(&connect(&nats.server).await, options).await.unwrap()
}

/// A replica that remembers for longer than any test takes.
async fn remembering(nats: &Nats) -> ContactStore {
    let options = ContactOptions { capacity: 1_000, ttl: Duration::from_hours(1) };
    ContactStore::open(&connect(&nats.server).await, options).await.unwrap()
}

fn phone(n: usize) -> Address {
    Address::new("sms", "main", format!("+4930{n}"))
}

fn visitor(n: usize) -> Address {
    Address::new("webchat", "site", format!("v-{n}"))
}

async fn resolve(store: &ContactStore, address: &Address) -> Arc<Contact> {
    store.resolve(TENANT, address, &Hints { seen_at_ms: 1, ..Hints::default() }).await.unwrap().contact
}

fn because(by: LinkedBy, cause: &str) -> Joining<'_> {
    Joining { by, actor: "ada", cause, at_ms: 100 }
}

fn joined(join: Join) -> (Arc<Contact>, Vec<Moved>) {
    match join {
        Join::Joined { contact, moved } => (contact, moved),
        Join::Apart => panic!("kept apart"),
    }
}

/// Every address points to one contact, which has it, and no other contact has it.
async fn assert_sound(nats: &Nats, addresses: &[Address]) -> BTreeMap<String, Vec<Address>> {
    let bucket = KvBucket::open(&nats.context, "HG_CONTACTS").await.unwrap();
    let stored = bucket.list::<Contact>(&format!("{TENANT}.c.")).await.unwrap();
    let mut of: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for (_, contact) in &stored {
        let contact = &contact.value;
        let unique: BTreeSet<&Address> = contact.addresses.iter().collect();
        assert_eq!(unique.len(), contact.addresses.len(), "{contact:?}");
        if contact.joined_into.is_some() {
            assert!(contact.addresses.is_empty(), "{contact:?}");
        } else if !contact.addresses.is_empty() {
            of.insert(contact.id.clone(), contact.addresses.clone());
        }
    }
    let all: Vec<&Address> = of.values().flatten().collect();
    let unique: BTreeSet<&Address> = all.iter().copied().collect();
    assert_eq!((all.len(), unique.len()), (addresses.len(), addresses.len()), "{of:?}");
    let store = forgetful(nats).await;
    for address in addresses {
        let found = store.find(TENANT, address).await.unwrap().unwrap();
        assert!(of[&found.id].contains(address), "{address:?} is not with {}", found.id);
    }
    of
}

#[tokio::test(flavor = "multi_thread")]
async fn all_addresses_of_a_contact_become_anothers_and_it_learns() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let (keep, other) = (resolve(&store, &phone(1)).await, resolve(&store, &visitor(1)).await);
    resolve(&store, &visitor(2)).await;
    let first = joined(
        store
            .join(TENANT, &other.id, Whom::Address(&visitor(2)), &because(LinkedBy::AddressChange, "evt_0"))
            .await
            .unwrap(),
    );
    assert_eq!(first.1, [Moved { address: visitor(2), previous: Some(visitor(2).own_contact(TENANT)) }]);
    let attribute = |value: &str, verified| Attribute { value: value.to_owned(), verified };
    store
        .update(TENANT, &keep.id, |contact| {
            contact.display_name = Some("Ada".to_owned());
            contact.attributes.insert("plan".to_owned(), attribute("free", false));
            contact.attributes.insert("tier".to_owned(), attribute("1", true));
        })
        .await
        .unwrap();
    store
        .update(TENANT, &other.id, |contact| {
            contact.display_name = Some("A. L.".to_owned());
            contact.locale = Some("de".to_owned());
            contact.time_zone = Some("Europe/Berlin".to_owned());
            contact.attributes.insert("plan".to_owned(), attribute("gold", true));
            contact.attributes.insert("tier".to_owned(), attribute("2", true));
            contact.attributes.insert("shoe".to_owned(), attribute("42", false));
        })
        .await
        .unwrap();
    let joining = because(LinkedBy::Asserted, "evt_1");
    for _ in 0..2 {
        let (contact, moved) =
            joined(store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap());
        assert_eq!(contact.addresses, [phone(1), visitor(1), visitor(2)]);
        assert_eq!(contact.display_name.as_deref(), Some("Ada"));
        assert_eq!(
            (contact.locale.as_deref(), contact.time_zone.as_deref()),
            (Some("de"), Some("Europe/Berlin"))
        );
        assert_eq!(contact.attributes["plan"], attribute("gold", true));
        assert_eq!(contact.attributes["tier"], attribute("1", true));
        assert_eq!(contact.attributes["shoe"], attribute("42", false));
        let previous = Some(other.id.clone());
        let came = |address| Moved { address, previous: previous.clone() };
        assert_eq!(moved, [came(visitor(1)), came(visitor(2))]);
        // How an address came to the other one is not forgotten.
        let ways: Vec<_> =
            contact.links.iter().map(|link| (&link.address, link.by, link.actor.as_str())).collect();
        let (asserted, changed) = (LinkedBy::Asserted, LinkedBy::AddressChange);
        let expected =
            [(&visitor(2), changed, "ada"), (&visitor(1), asserted, "ada"), (&visitor(2), asserted, "ada")];
        assert_eq!(ways, expected);
    }
    // Another cause finds them joined, and moved nothing.
    let again = because(LinkedBy::LinkCode, "evt_2");
    assert_eq!(joined(store.join(TENANT, &keep.id, Whom::Contact(&other.id), &again).await.unwrap()).1, []);
    // The old id stands for the new contact, for reading and for writing.
    assert_eq!(store.get(TENANT, &other.id).await.unwrap().unwrap().id, keep.id);
    let updated = store.update(TENANT, &other.id, |contact| contact.country = Some("DE".to_owned())).await;
    assert_eq!(updated.unwrap().id, keep.id);
    assert_sound(&nats, &[phone(1), visitor(1), visitor(2)]).await;

    let nobody = store.join(TENANT, "con_nobody", Whom::Address(&phone(1)), &joining).await;
    assert!(matches!(nobody, Err(ContactError::Unknown { .. })), "{nobody:?}");
    let elsewhere = store.join("acme2", &keep.id, Whom::Address(&phone(1)), &joining).await;
    assert!(matches!(elsewhere, Err(ContactError::Unknown { .. })), "{elsewhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_had_is_joined_too() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let keep = resolve(&store, &phone(1)).await;
    let joining = because(LinkedBy::Asserted, "evt_1");
    for _ in 0..2 {
        let (contact, moved) =
            joined(store.join(TENANT, &keep.id, Whom::Address(&visitor(1)), &joining).await.unwrap());
        assert_eq!(contact.addresses, [phone(1), visitor(1)]);
        assert_eq!(moved, [Moved { address: visitor(1), previous: None }]);
    }
    let resolved = store.resolve(TENANT, &visitor(1), &Hints::default()).await.unwrap();
    assert_eq!((resolved.contact.id.as_str(), resolved.created), (keep.id.as_str(), false));
    // It never had a contact of its own, and gets one.
    let split = store.split(TENANT, &keep.id, &visitor(1), 200).await.unwrap();
    assert_eq!(split.split.id, visitor(1).own_contact(TENANT));
    assert_sound(&nats, &[phone(1), visitor(1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_undoes_a_join_and_stays_until_somebody_asks() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let (keep, other) = (resolve(&store, &phone(1)).await, resolve(&store, &visitor(1)).await);
    store.update(TENANT, &other.id, |contact| contact.display_name = Some("Eve".to_owned())).await.unwrap();
    store.update(TENANT, &other.id, |contact| contact.country = Some("FR".to_owned())).await.unwrap();
    let automatic = because(LinkedBy::VerifiedPhone, "evt_1");
    let (contact, _) =
        joined(store.join(TENANT, &keep.id, Whom::Contact(&other.id), &automatic).await.unwrap());
    assert_eq!(contact.display_name.as_deref(), Some("Eve"));
    // What was said since stays.
    store.update(TENANT, &keep.id, |contact| contact.country = Some("CH".to_owned())).await.unwrap();

    let theirs = store.split(TENANT, &keep.id, &visitor(7), 200).await;
    assert!(matches!(theirs, Err(ContactError::NotTheirs { .. })), "{theirs:?}");
    for _ in 0..2 {
        let split = store.split(TENANT, &keep.id, &visitor(1), 200).await.unwrap();
        assert_eq!(
            (split.left.addresses.as_slice(), split.left.display_name.as_deref()),
            (&[phone(1)][..], None)
        );
        assert_eq!(split.left.country.as_deref(), Some("CH"));
        assert_eq!(
            (split.split.id.as_str(), split.split.addresses.as_slice()),
            (other.id.as_str(), &[visitor(1)][..])
        );
        assert_eq!(
            (split.split.display_name.as_deref(), split.split.country.as_deref()),
            (Some("Eve"), Some("FR"))
        );
        assert!(split.left.links.is_empty() && split.left.is_apart_from(&split.split));
    }
    // No verified identity brings them together again, from either side, and no event that did before.
    for cause in ["evt_1", "evt_2"] {
        for by in [LinkedBy::VerifiedPhone, LinkedBy::VerifiedEmail] {
            for (keep, whom) in [(&keep.id, &other.id), (&other.id, &keep.id)] {
                let join = store.join(TENANT, keep, Whom::Contact(whom), &because(by, cause)).await.unwrap();
                assert!(matches!(join, Join::Apart), "{join:?}");
            }
        }
    }
    assert_sound(&nats, &[phone(1), visitor(1)]).await;
    // Somebody who asks does, and then it is as if nobody had split them.
    let asked = because(LinkedBy::LinkCode, "evt_3");
    let (contact, moved) =
        joined(store.join(TENANT, &keep.id, Whom::Address(&visitor(1)), &asked).await.unwrap());
    assert_eq!((contact.addresses.len(), moved.len(), contact.apart.len()), (2, 1, 0));
    // Only the contact that keeps the others' address cannot be left without any.
    let last = store.split(TENANT, &other.id, &visitor(1), 300).await.unwrap();
    let alone = store.split(TENANT, &last.split.id, &visitor(1), 400).await.unwrap();
    assert_eq!(alone.left.id, alone.split.id);
    // The event that was undone does not join them when it is handled again.
    let stale = store.join(TENANT, &keep.id, Whom::Address(&visitor(1)), &asked).await.unwrap();
    assert!(matches!(stale, Join::Apart), "{stale:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_a_contact_began_with_is_split_into_a_new_one() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let (keep, other) = (resolve(&store, &phone(1)).await, resolve(&store, &visitor(1)).await);
    let joining = because(LinkedBy::Asserted, "evt_1");
    store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap();
    for _ in 0..2 {
        let split = store.split(TENANT, &keep.id, &phone(1), 200).await.unwrap();
        assert_eq!(
            (split.left.id.as_str(), split.left.addresses.as_slice()),
            (keep.id.as_str(), &[visitor(1)][..])
        );
        assert!(![&keep.id, &other.id].contains(&&split.split.id));
        assert_eq!(split.split.addresses, [phone(1)]);
        assert_eq!(resolve(&forgetful(&nats).await, &phone(1)).await.id, split.split.id);
    }
    assert_sound(&nats, &[phone(1), visitor(1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_and_a_split_are_seen_at_once_where_they_are_made() {
    let nats = nats().await;
    let store = remembering(&nats).await;
    let (keep, other) = (resolve(&store, &phone(1)).await, resolve(&store, &visitor(1)).await);
    let joining = because(LinkedBy::Asserted, "evt_1");
    store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap();
    assert_eq!(resolve(&store, &visitor(1)).await.id, keep.id);
    assert_eq!(store.find(TENANT, &visitor(1)).await.unwrap().unwrap().addresses.len(), 2);
    store.split(TENANT, &keep.id, &visitor(1), 200).await.unwrap();
    assert_eq!(resolve(&store, &visitor(1)).await.id, other.id);
    assert_eq!(store.get(TENANT, &keep.id).await.unwrap().unwrap().addresses, [phone(1)]);
    assert_eq!(store.get(TENANT, &other.id).await.unwrap().unwrap().addresses, [visitor(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_are_joined_crosswise_at_once_end_up_as_one() {
    let nats = nats().await;
    let addresses: Vec<Address> = (0..4).map(phone).collect();
    let store = forgetful(&nats).await;
    let mut ids = Vec::new();
    for address in &addresses {
        ids.push(resolve(&store, address).await.id.clone());
    }
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(remembering(&nats).await);
    }
    let ids = Arc::new(ids);
    let pairs: Vec<(usize, usize)> =
        (0..4).flat_map(|a| (0..4).map(move |b| (a, b))).filter(|(a, b)| a != b).collect();
    let racers: Vec<_> = pairs
        .into_iter()
        .enumerate()
        .map(|(n, (keep, other))| {
            let (store, ids) = (replicas[n % 3].clone(), Arc::clone(&ids));
            tokio::spawn(async move {
                let cause = format!("evt_{n}");
                let joining = because(LinkedBy::VerifiedEmail, &cause);
                joined(store.join(TENANT, &ids[keep], Whom::Contact(&ids[other]), &joining).await.unwrap())
            })
        })
        .collect();
    let mut moves = 0;
    for racer in racers {
        moves += racer.await.unwrap().1.len();
    }
    let of = assert_sound(&nats, &addresses).await;
    assert_eq!(of.len(), 1, "{of:?}");
    assert!(moves >= 3, "{moves}");
}

#[tokio::test(flavor = "multi_thread")]
async fn splitting_while_joining_leaves_every_address_with_one_contact() {
    let nats = nats().await;
    let addresses: Vec<Address> = (0..3).map(phone).chain((0..3).map(visitor)).collect();
    let store = forgetful(&nats).await;
    for address in &addresses {
        resolve(&store, address).await;
    }
    let mut racers = Vec::new();
    for n in 0..6_usize {
        let (store, addresses) = (remembering(&nats).await, addresses.clone());
        racers.push(tokio::spawn(async move {
            for round in 0..5_usize {
                let address = &addresses[(n + round) % addresses.len()];
                let other = &addresses[(n + 2 * round + 1) % addresses.len()];
                let contact = store.find(TENANT, address).await.unwrap().unwrap();
                if n % 2 == 0 {
                    let cause = format!("evt_{n}_{round}");
                    let joining = because(LinkedBy::Asserted, &cause);
                    store.join(TENANT, &contact.id, Whom::Address(other), &joining).await.unwrap();
                } else {
                    match store.split(TENANT, &contact.id, address, 200).await {
                        // Somebody else took it between the look and the split.
                        Ok(_) | Err(ContactError::NotTheirs { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }));
    }
    for racer in racers {
        racer.await.unwrap();
    }
    assert_sound(&nats, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_first_messages_and_a_join_of_their_address_agree() {
    let nats = nats().await;
    for n in 0..10 {
        let store = remembering(&nats).await;
        let keep = resolve(&store, &phone(n)).await;
        let others = [remembering(&nats).await, remembering(&nats).await];
        let address = visitor(n);
        let cause = format!("evt_{n}");
        let joining = because(LinkedBy::Asserted, &cause);
        let hints = ["evt_a", "evt_b"].map(|cause| Hints { cause: cause.to_owned(), ..Hints::default() });
        let (joining, first, second) = tokio::join!(
            store.join(TENANT, &keep.id, Whom::Address(&address), &joining),
            others[0].resolve(TENANT, &address, &hints[0]),
            others[1].resolve(TENANT, &address, &hints[1]),
        );
        joined(joining.unwrap());
        let created = [&first, &second].iter().filter(|found| found.as_ref().unwrap().created).count();
        assert!(created <= 1);
        assert_eq!(resolve(&forgetful(&nats).await, &address).await.id, keep.id);
    }
    let bucket = KvBucket::open(&nats.context, "HG_CONTACTS").await.unwrap();
    let stored = bucket.list::<Contact>(&format!("{TENANT}.c.")).await.unwrap();
    let all: Vec<&Address> = stored.iter().flat_map(|(_, found)| &found.value.addresses).collect();
    let unique: BTreeSet<&Address> = all.iter().copied().collect();
    assert_eq!((all.len(), unique.len()), (20, 20), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_was_half_made_gives_its_address_up() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let keep = resolve(&store, &phone(1)).await;
    // Its maker died before it wrote the pointer.
    let mut half = Contact::clone(&keep);
    half.id = visitor(1).own_contact(TENANT);
    half.addresses = vec![visitor(1)];
    let bucket = KvBucket::open(&nats.context, "HG_CONTACTS").await.unwrap();
    bucket.put(&format!("{TENANT}.c.{}", half.id), &half).await.unwrap();
    let joining = because(LinkedBy::Asserted, "evt_1");
    joined(store.join(TENANT, &keep.id, Whom::Address(&visitor(1)), &joining).await.unwrap());
    assert_sound(&nats, &[phone(1), visitor(1)]).await;
    assert_eq!(store.get(TENANT, &half.id).await.unwrap().unwrap().id, keep.id);
}

/// Polls `future` so often, and then no more: what a process does that stalls, or dies.
async fn stall_after<F: Future + Unpin>(polls: usize, future: &mut F) -> Option<F::Output> {
    let mut polled = 0;
    std::future::poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        Pin::new(&mut *future).poll(context).map(Some)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_anywhere_is_made_up_for() {
    let nats = nats().await;
    let consent = ConsentStore::open(&nats.context).await.unwrap();
    let mut addresses = Vec::new();
    for n in 0..60 {
        addresses.extend([phone(n), visitor(n)]);
        let store = forgetful(&nats).await;
        let (keep, other) = (resolve(&store, &phone(n)).await, resolve(&store, &visitor(n)).await);
        let subject = |contact: &str| Subject::new(TENANT, contact, Some("sms"), "marketing");
        let stop =
            Statement { choice: Choice::OptedOut, source: "sms".into(), cause: "evt".into(), at_ms: 10 };
        consent.record(&subject(&other.id), &stop).await.unwrap();
        let cause = format!("evt_{n}");
        let joining = because(LinkedBy::LinkCode, &cause);
        let dead = forgetful(&nats).await;
        let mut join = Box::pin(dead.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining));
        stall_after(n, &mut join).await;
        drop(join);
        // Wherever it died, the address is somebody's.
        let between = resolve(&forgetful(&nats).await, &visitor(n)).await;
        assert!([&keep.id, &other.id].contains(&&between.id) && between.addresses.contains(&visitor(n)));
        let (contact, moved) =
            joined(store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap());
        assert_eq!((contact.addresses.len(), contact.links.len(), moved.len()), (2, 1, 1), "died after {n}");
        assert_eq!(consent.get(&subject(&keep.id)).await.unwrap(), Some(stop));

        let dead = forgetful(&nats).await;
        let address = visitor(n);
        let mut split = Box::pin(dead.split(TENANT, &keep.id, &address, 200));
        stall_after(n, &mut split).await;
        drop(split);
        // Another customer's join finishes what the dead one left, not only its own repetition.
        if n % 2 == 0 {
            let cause = format!("evt_other_{n}");
            let joining = because(LinkedBy::Asserted, &cause);
            let elsewhere = Address::new("bottle", "beach", n.to_string());
            addresses.push(elsewhere.clone());
            let contact = resolve(&store, &elsewhere).await;
            store.join(TENANT, &contact.id, Whom::Address(&elsewhere), &joining).await.unwrap();
        }
        let split = store.split(TENANT, &keep.id, &visitor(n), 200).await.unwrap();
        assert_eq!((split.left.addresses.len(), split.split.addresses.len()), (1, 1), "died after {n}");
    }
    assert_sound(&nats, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_wakes_up_late_changes_nothing_any_more() {
    let nats = nats().await;
    let mut addresses = Vec::new();
    for n in 0..60 {
        addresses.extend([phone(n), visitor(n)]);
        let store = forgetful(&nats).await;
        let (keep, other) = (resolve(&store, &phone(n)).await, resolve(&store, &visitor(n)).await);
        let cause = format!("evt_{n}");
        let joining = because(LinkedBy::LinkCode, &cause);
        let slow = forgetful(&nats).await;
        let mut late = Box::pin(slow.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining));
        let done = stall_after(n, &mut late).await;
        // Others finish what it has begun, and undo it.
        joined(store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap());
        store.split(TENANT, &keep.id, &visitor(n), 200).await.unwrap();
        if done.is_none() {
            // What it answers may be what was so when it fell asleep.
            late.await.unwrap();
        }
        let mine = resolve(&forgetful(&nats).await, &visitor(n)).await;
        assert_eq!(
            (mine.id.as_str(), mine.addresses.as_slice()),
            (other.id.as_str(), &[visitor(n)][..]),
            "stalled after {n}"
        );
    }
    assert_sound(&nats, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_identity_is_the_first_contacts() {
    let nats = nats().await;
    let mut racers = Vec::new();
    for n in 0..10 {
        let store = remembering(&nats).await;
        racers.push(tokio::spawn(async move {
            let contact = resolve(&store, &visitor(n)).await;
            store.claim_identity(TENANT, Identity::Phone, "+49301", &contact.id).await.unwrap()
        }));
    }
    let mut owners = BTreeSet::new();
    for racer in racers {
        owners.insert(racer.await.unwrap());
    }
    assert_eq!(owners.len(), 1, "{owners:?}");
    let owner = owners.pop_first().unwrap();
    let store = forgetful(&nats).await;
    let by = |kind, value: &'static str| {
        let store = store.clone();
        async move { store.by_identity(TENANT, kind, value).await.unwrap() }
    };
    assert_eq!(by(Identity::Phone, "+49301").await.as_ref(), Some(&owner));
    assert_eq!((by(Identity::Email, "+49301").await, by(Identity::Phone, "+49302").await), (None, None));
    assert_eq!(store.by_identity("acme2", Identity::Phone, "+49301").await.unwrap(), None);
    // The owner is asked again, and joined into another one, which has the identity from then on.
    assert_eq!(store.claim_identity(TENANT, Identity::Phone, "+49301", &owner).await.unwrap(), owner);
    let keep = resolve(&store, &phone(1)).await;
    let joining = because(LinkedBy::Asserted, "evt_1");
    store.join(TENANT, &keep.id, Whom::Contact(&owner), &joining).await.unwrap();
    assert_eq!(by(Identity::Phone, "+49301").await.as_ref(), Some(&keep.id));
    let stranger = resolve(&store, &phone(2)).await;
    assert_eq!(store.claim_identity(TENANT, Identity::Phone, "+49301", &stranger.id).await.unwrap(), keep.id);
    // An erasure frees it, with everything that was joined.
    assert!(store.erase(TENANT, &owner).await.unwrap());
    for gone in [&keep.id, &owner] {
        assert!(store.get(TENANT, gone).await.unwrap().is_none());
    }
    assert_eq!(by(Identity::Phone, "+49301").await, None);
    assert_eq!(
        store.claim_identity(TENANT, Identity::Phone, "+49301", &stranger.id).await.unwrap(),
        stranger.id
    );
    assert!(!store.erase(TENANT, &owner).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_follows_joins_and_splits() {
    let nats = nats().await;
    let store = forgetful(&nats).await;
    let consent = ConsentStore::open(&nats.context).await.unwrap();
    let (keep, other) = (resolve(&store, &phone(1)).await, resolve(&store, &visitor(1)).await);
    let say = |contact: &str, choice, cause: &str, at_ms| {
        let subject = Subject::new(TENANT, contact, Some("sms"), "marketing");
        let statement = Statement { choice, source: "sms".into(), cause: cause.into(), at_ms };
        let consent = consent.clone();
        async move { consent.record(&subject, &statement).await.unwrap() }
    };
    let counts = |contact: String| {
        let consent = consent.clone();
        async move {
            let said = consent.effective(TENANT, &contact, "sms", "marketing").await.unwrap();
            said.map(|said| said.choice)
        }
    };
    say(&other.id, Choice::OptedIn, "evt_in", 10).await;
    let joining = because(LinkedBy::Asserted, "evt_join");
    store.join(TENANT, &keep.id, Whom::Contact(&other.id), &joining).await.unwrap();
    assert_eq!(counts(keep.id.clone()).await, Some(Choice::OptedIn));
    say(&keep.id, Choice::OptedOut, "evt_stop", 150).await;
    store.split(TENANT, &keep.id, &visitor(1), 200).await.unwrap();
    for contact in [keep.id.clone(), other.id.clone()] {
        assert_eq!(counts(contact).await, Some(Choice::OptedOut));
    }
}
