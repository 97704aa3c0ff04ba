#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::{
    contact::Contact,
    region::Country,
    resources::{Metadata, Resource, SenderIdentity, Spec, Stored},
};
use heliograph_proto::v1::{Address, WindowRule};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Customer;
use crate::{RegionSource, Shelf, TenantPolicy};

fn stored(name: &str, spec: Spec) -> Stored {
    let metadata = Metadata { tenant: "acme".to_owned(), name: name.to_owned(), labels: [].into() };
    let resource = Resource { metadata, spec };
    Stored { resource, version: 1, applied_by: "test".to_owned(), applied_at: Timestamp::UNIX_EPOCH }
}

fn account(name: &str, spec: Value) -> Stored {
    stored(name, Spec::ChannelAccount(serde_json::from_value(spec).unwrap()))
}

fn tenant() -> std::sync::Arc<TenantPolicy> {
    let policy = json!({
        "regions": [{ "name": "nanp", "countries": ["US"], "channels": ["sms"] }],
        "default": { "channels": ["webchat"] },
    });
    let resources = [
        stored("default", Spec::ChannelPolicy(serde_json::from_value(policy).unwrap())),
        account(
            "line",
            json!({ "channel": "sms", "region": "nanp", "settings": { "sender": "+12125550100" } }),
        ),
        account("code", json!({ "channel": "sms", "settings": { "sender": "262966" } })),
        account(
            "declared",
            json!({
                "channel": "sms", "settings": { "sender": "+12125550100" }, "sender_identity": "10dlc",
            }),
        ),
        account("old", json!({ "channel": "wechat", "enabled": false })),
        account("page", json!({ "channel": "webchat" })),
    ];
    let (shelf, unusable) = Shelf::build(&resources, &Shelf::default());
    assert!(unusable.is_empty(), "{unusable:?}");
    shelf.tenant("acme")
}

fn contact(more: &Value) -> Contact {
    let mut value = json!({
        "id": "con_1", "tenant": "acme", "first_seen_ms": 1_000, "last_seen_ms": 2_000,
        "addresses": [
            { "channel": "sms", "account": "line", "user_id": "+12025550123" },
            { "channel": "webchat", "account": "page", "user_id": "v-7" },
            { "channel": "sms", "account": "code", "user_id": "+447400123456" },
        ],
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn address(channel: &str, account: &str, user_id: &str) -> Address {
    Address {
        channel: channel.to_owned(),
        account: account.to_owned(),
        user_id: user_id.to_owned(),
        ..Address::default()
    }
}

#[test]
fn accounts_in_use_are_known_with_their_senders() {
    let tenant = tenant();
    assert_eq!(tenant.channels(), ["sms", "webchat"]);
    let senders: Vec<_> = tenant.accounts().map(|(name, account)| (name, account.sender)).collect();
    assert_eq!(
        senders,
        [
            ("code", Some(SenderIdentity::ShortCode)),
            ("declared", Some(SenderIdentity::TenDlc)),
            ("line", Some(SenderIdentity::LongCode)),
            ("page", None),
        ]
    );
    assert!(tenant.account("old").is_none(), "it is not in use");
    assert!(tenant.account_on("webchat", "line").is_none(), "it is on another channel");
    assert_eq!(&*TenantPolicy::nothing().policy.name(), "none");
}

#[test]
fn an_account_replaces_windows_of_its_kind_only() {
    let windows =
        json!([{ "kind": "message", "open": "1h", "messages": 2 }, { "kind": "other", "open": "1m" }]);
    let page = account("page", json!({ "channel": "webchat", "windows": windows }));
    let shelf = Shelf::build(&[page], &Shelf::default()).0;
    let rule = |kind: &str, seconds, messages| WindowRule { kind: kind.to_owned(), seconds, messages };
    let held = |account: &str, rule: &WindowRule| shelf.tenant("acme").window_rule(account, rule);
    let (message, menu) = (rule("message", 172_800, 5), rule("menu", 60, 3));
    assert_eq!(held("page", &message), rule("message", 3_600, 2));
    assert_eq!((held("page", &menu), held("none", &message)), (menu, message));
}

#[test]
fn the_best_that_is_known_of_an_address_places_it() {
    let tenant = tenant();
    let place = |contact: Option<&Contact>, address: &Address| {
        let found = Customer::new(&tenant, contact, Some(address)).place();
        (found.region.to_string(), found.source)
    };
    let named = |region: &str, source| (region.to_owned(), source);
    let sms = address("sms", "line", "+447400123456");
    assert_eq!(place(None, &sms), named("default", RegionSource::Number));
    // What the channel calls a number counts before the id that it gives.
    let phone = Address { phone: "+12025550123".to_owned(), ..sms.clone() };
    assert_eq!(place(None, &phone), named("nanp", RegionSource::Number));
    // A number of no country says nothing.
    assert_eq!(place(None, &address("sms", "line", "+80012345678")), named("nanp", RegionSource::Account));
    // Digits may be anything.
    assert_eq!(place(None, &address("sms", "code", "12025550123")), named("default", RegionSource::Nothing));
    assert_eq!(place(None, &address("sms", "line", "12025550123")), named("nanp", RegionSource::Account));
    let declared = Address { country: "us".to_owned(), ..address("webchat", "page", "v-7") };
    assert_eq!(place(None, &declared), named("nanp", RegionSource::Declared));
    // What somebody vouched for counts before everything; an attribute does not place anybody.
    let known = contact(&json!({ "country": "us", "attributes": { "phone": { "value": "+447400123456" } } }));
    assert_eq!(place(Some(&known), &sms), named("nanp", RegionSource::Explicit));
    let said = contact(&json!({ "attributes": { "phone": { "value": "+12025550123" } } }));
    assert_eq!(
        place(Some(&said), &address("webchat", "page", "v-7")),
        named("default", RegionSource::Nothing)
    );
    // An account of another channel is another account.
    assert_eq!(place(None, &address("webchat", "line", "v-7")), named("default", RegionSource::Nothing));
}

#[test]
fn without_an_address_the_newest_number_places_the_customer() {
    let (tenant, known) = (tenant(), contact(&json!({})));
    let customer = Customer::new(&tenant, Some(&known), None);
    let region = customer.place();
    assert_eq!(region.country.map(Country::code), Some("GB"));
    let facts = customer.facts(&region);
    assert_eq!((facts.channel, facts.account, facts.sender), (None, None, None));
    assert_eq!(facts.contact.channels, ["sms", "webchat"]);
}

#[test]
fn the_facts_are_those_of_the_address_then_of_the_contact() {
    let tenant = tenant();
    let known = contact(&json!({
        "locale": "pt-BR",
        "attributes": {
            "phone": { "value": "+1 (202) 555-0123" },
            "time_zone": { "value": "Asia/Tokyo" },
        },
    }));
    let here = Address { locale: "en-US".to_owned(), ..address("webchat", "page", "v-7") };
    let customer = Customer::new(&tenant, Some(&known), Some(&here));
    let region = customer.place();
    let facts = customer.facts(&region);
    assert_eq!((facts.channel, facts.account), (Some("webchat"), Some("page")));
    assert_eq!(facts.available, Some(&["sms", "webchat"][..]));
    assert_eq!(facts.contact.channels, ["webchat", "sms"]);
    assert_eq!(facts.contact.locale, Some("en-US"));
    assert_eq!(facts.contact.number, Some("+12025550123"), "it tells the time");
    assert_eq!(facts.contact.time_zone, Some("Asia/Tokyo"));
    assert_eq!(facts.contact.first_seen.map(Timestamp::as_millisecond), Some(1_000));
    let zoned = Contact { time_zone: Some("America/Bahia".to_owned()), ..known };
    let sms = address("sms", "declared", "+12025550199");
    let customer = Customer::new(&tenant, Some(&zoned), Some(&sms));
    let facts = customer.facts(&region);
    assert_eq!(facts.sender, Some(SenderIdentity::TenDlc));
    assert_eq!(facts.contact.number, Some("+12025550199"));
    assert_eq!(facts.contact.locale, Some("pt-BR"));
    assert_eq!(facts.contact.time_zone, Some("America/Bahia"));
    let stranger = Customer::new(&tenant, None, Some(&sms));
    assert_eq!(stranger.facts(&region).contact.attributes, None);
}
