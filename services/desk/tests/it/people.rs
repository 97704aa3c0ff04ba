//! Who customers are, how they can be answered, and how they continue elsewhere.

use heliograph_proto::v1::{
    Address, ChannelOffer, ContactView, ConversationView, LoadContact, LoadHistory, OfferChannel, Region,
    Reply, command::Action, event::Payload, routing_entry::Kind, session_request, session_response::Frame,
};
use heliograph_store::{
    codes::Codes,
    consent::{Choice, ConsentStore, Statement, Subject},
    contacts::{Address as Stored, ContactOptions, ContactStore, Hints, Joining, LinkedBy, Whom},
    now_ms,
    trail::Trail,
    windows::{Window, WindowKey, Windows},
};
use serde_json::json;

use crate::support::{Client, DeskAt, TENANT, Transport, World, command, config, http_client, said, text};

pub(crate) const NUMBER: &str = "+5511987654321";

fn phone() -> Stored {
    Stored::new("sms", "us", NUMBER)
}

fn mailbox() -> Stored {
    Stored::new("email", "help", "maria@example.com")
}

/// A customer with a phone and a mailbox who has written before; ada has their conversation. Her id.
pub(crate) async fn maria(world: &World) -> String {
    world
        .apply("ChannelAccount", "us", json!({ "channel": "sms", "settings": { "sender": "+12025550123" } }))
        .await;
    world.apply("ChannelAccount", "help", json!({ "channel": "email" })).await;
    world.apply("ChannelAccount", "cn", json!({ "channel": "wechat" })).await;
    let regions = json!([{ "name": "latam", "countries": ["BR"], "channels": ["sms", "email", "wechat", "bottle"] }, { "name": "south", "countries": ["AR"], "channels": ["voice"] }]);
    let templates = json!([{ "channel": "sms", "name": "again", "language": "pt_BR" }]);
    let spec = json!({ "regions": regions, "default": { "channels": [] }, "templates": templates });
    world.apply("ChannelPolicy", "default", spec).await;

    let context = world.fabric.jetstream();
    let contacts = ContactStore::open(context, ContactOptions::default()).await.unwrap();
    let hints = Hints { locale: Some("pt-BR".to_owned()), seen_at_ms: now_ms(), ..Hints::default() };
    let contact = contacts.resolve(TENANT, &phone(), &hints).await.unwrap().contact;
    let joining = Joining { by: LinkedBy::Asserted, actor: "test", cause: "test", at_ms: now_ms() };
    contacts.join(TENANT, &contact.id, Whom::Address(&mailbox()), &joining).await.unwrap();
    let trail = Trail::open(context).await.unwrap();
    trail.record(TENANT, &mailbox(), "cnv_0", 1_000).await.unwrap();
    trail.record(TENANT, &phone(), "cnv_1", 2_000).await.unwrap();

    let view = ConversationView {
        id: "cnv_1".to_owned(),
        contact: contact.id.clone(),
        address: Some(Address {
            channel: "sms".to_owned(),
            account: "us".to_owned(),
            user_id: NUMBER.to_owned(),
            phone: NUMBER.to_owned(),
            ..Address::default()
        }),
        region: Some(Region {
            name: "latam".to_owned(),
            country: "BR".to_owned(),
            source: "number".to_owned(),
            ..Region::default()
        }),
        state: "assigned".to_owned(),
        agent: "ada".to_owned(),
        ..ConversationView::default()
    };
    world.router.set_conversation(TENANT, view.clone());
    let state = heliograph_proto::v1::DeskState {
        presence: 2,
        conversations: vec![view],
        ..heliograph_proto::v1::DeskState::default()
    };
    world.router.set(TENANT, "ada", state);
    for agent in ["bob", "cleo"] {
        world.router.set(
            TENANT,
            agent,
            heliograph_proto::v1::DeskState { presence: 2, ..Default::default() },
        );
    }
    contact.id.clone()
}

async fn session(desk: &DeskAt, agent: &str) -> Client {
    Client::begin(desk, Transport::WebSocket, &desk.token(TENANT, agent).await).await.0
}

async fn load(client: &mut Client, contact: &str) -> Result<ContactView, String> {
    let load = LoadContact { contact: contact.to_owned() };
    client.send(session_request::Frame::LoadContact(load)).await;
    client
        .until(|frame| match frame {
            Frame::Contact(view) => Some(Ok(view)),
            Frame::Error(error) => Some(Err(error.code)),
            _ => None,
        })
        .await
}

async fn past(client: &mut Client, conversation: &str) -> Result<usize, String> {
    let load = LoadHistory { conversation: conversation.to_owned(), ..LoadHistory::default() };
    client.send(session_request::Frame::LoadHistory(load)).await;
    client
        .until(|frame| match frame {
            Frame::History(history) => Some(Ok(history.events.len())),
            Frame::Error(error) => Some(Err(error.code)),
            _ => None,
        })
        .await
}

async fn offer(client: &mut Client, conversation: &str, channel: &str) -> Result<ChannelOffer, String> {
    let offer = OfferChannel {
        conversation: conversation.to_owned(),
        channel: channel.to_owned(),
        ..OfferChannel::default()
    };
    client.send(session_request::Frame::OfferChannel(offer)).await;
    client
        .until(|frame| match frame {
            Frame::ChannelOffer(offer) => Some(Ok(offer)),
            Frame::Error(error) => Some(Err(error.code)),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_serves_a_customer_sees_their_addresses_and_what_was_said_before_and_nobody_else_does() {
    let world = World::start().await;
    let contact = maria(&world).await;
    world.publish(&said("cnv_0", "an old question")).await;
    world.publish(&said("cnv_9", "somebody else's")).await;
    let desk = world.desk(config()).await;
    let mut ada = session(&desk, "ada").await;
    let view = load(&mut ada, &contact).await.unwrap();
    let shown = view.contact.unwrap();
    let channels: Vec<_> = shown.addresses.iter().map(|address| address.channel.as_str()).collect();
    assert_eq!((channels, shown.locale.as_str()), (vec!["sms", "email"], "pt-BR"));
    let ids: Vec<_> = view.conversations.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["cnv_1", "cnv_0"]);
    assert_eq!(past(&mut ada, "cnv_0").await, Ok(1));
    assert_eq!(past(&mut ada, "cnv_9").await, Err("forbidden".to_owned()));

    let mut bob = session(&desk, "bob").await;
    assert_eq!(load(&mut bob, &contact).await.unwrap_err(), "forbidden");
    assert_eq!(past(&mut bob, "cnv_0").await, Err("forbidden".to_owned()));
    let mut cleo = session(&desk, "cleo").await;
    assert_eq!(load(&mut cleo, &contact).await.unwrap().conversations.len(), 2);
    assert_eq!(load(&mut cleo, "con_nobody").await.unwrap_err(), "not_known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_before_the_session_has_begun_is_answered_once_it_has() {
    let world = World::start().await;
    let contact = maria(&world).await;
    world.router.pause();
    let desk = world.desk(config()).await;
    let token = desk.token(TENANT, "ada").await;
    let mut ada = Client::hello(&desk, Transport::WebSocket, &token, 0).await;
    ada.welcome().await;
    let load = LoadContact { contact: contact.clone() };
    ada.send(session_request::Frame::LoadContact(load)).await;
    world.router.resume().await;
    let view = ada.until(|frame| match frame {
        Frame::Contact(view) => Some(view),
        Frame::Error(error) if error.code == "forbidden" => panic!("asked too early"),
        _ => None,
    });
    assert_eq!(view.await.contact.unwrap().id, contact);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_offered_another_channel_by_a_code_that_is_theirs() {
    let world = World::start().await;
    let contact = maria(&world).await;
    let desk = world.desk(config()).await;
    let mut ada = session(&desk, "ada").await;
    let made = offer(&mut ada, "cnv_1", "wechat").await.unwrap();
    assert_eq!((made.channel.as_str(), made.account.as_str()), ("wechat", "cn"));
    // In the customer's language, with the code in it.
    assert!(made.text.starts_with("Para continuar por WeChat") && made.text.contains(&made.code), "{made:?}");
    assert!(made.expires_at.unwrap().millis() > now_ms());
    let codes = Codes::open(world.fabric.jetstream(), world.redis()).await.unwrap();
    let sender = Stored::new("wechat", "cn", "openid");
    let redeemed = codes.redeem(TENANT, &sender, &made.code, "evt_1", now_ms()).await.unwrap();
    assert_eq!(redeemed, heliograph_store::codes::Redeemed::Contact(contact));

    let sms = offer(&mut ada, "cnv_1", "sms").await.unwrap();
    assert_eq!(sms.uri, format!("sms:+12025550123?body={}", sms.code));
    assert_eq!(offer(&mut ada, "cnv_1", "bottle").await.unwrap_err(), "no_account");
    assert_eq!(offer(&mut ada, "cnv_1", "voice").await.unwrap_err(), "channel_not_in_region");
    assert_eq!(offer(&mut ada, "cnv_2", "sms").await.unwrap_err(), "forbidden");
    let mut bob = session(&desk, "bob").await;
    assert_eq!(offer(&mut bob, "cnv_1", "sms").await.unwrap_err(), "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_may_name_an_address_of_the_customers_own_and_no_other() {
    let world = World::start().await;
    maria(&world).await;
    let desk = world.desk(config()).await;
    let mut ada = session(&desk, "ada").await;
    let reply = |id: &str, conversation: &str, address: &Stored| {
        let address = Address {
            channel: address.channel.clone(),
            account: address.account.clone(),
            user_id: address.user_id.clone(),
            // Not for the client to say.
            country: "US".to_owned(),
            ..Address::default()
        };
        let reply = Reply {
            conversation: conversation.to_owned(),
            content: Some(text("hello")),
            address: Some(address),
            ..Reply::default()
        };
        command(id, Action::Reply(reply))
    };
    let mut answered = async |command| {
        ada.command(command).await;
        ada.until(|frame| match frame {
            Frame::Result(result) => {
                Some(result.reasons.first().map_or_else(String::new, |reason| reason.code.clone()))
            }
            _ => None,
        })
        .await
    };
    assert_eq!(answered(reply("1", "cnv_1", &mailbox())).await, "");
    assert_eq!(answered(reply("2", "cnv_1", &phone())).await, "");
    let stranger = Stored::new("sms", "us", "+15550100");
    assert_eq!(answered(reply("3", "cnv_1", &stranger)).await, "reply.not_their_address");
    assert_eq!(answered(reply("4", "cnv_7", &phone())).await, "reply.conversation_over");
    let log = world.log().await;
    let addresses = log.iter().filter_map(|(_, entry)| match &entry.kind {
        Some(Kind::Command(command)) => match &command.action {
            Some(Action::Reply(reply)) => reply.address.clone(),
            _ => None,
        },
        _ => None,
    });
    let addresses: Vec<_> =
        addresses.map(|address| (address.user_id, address.phone, address.country)).collect();
    let told = |user: &str, phone: &str| (user.to_owned(), phone.to_owned(), String::new());
    assert_eq!(addresses, [told("maria@example.com", ""), told(NUMBER, NUMBER)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reach_of_a_conversation_tells_windows_verdicts_and_what_stands_in() {
    let world = World::start().await;
    let contact = maria(&world).await;
    let windows = Windows::new(world.redis());
    let key = WindowKey::new(TENANT, "sms", "us", NUMBER);
    let day = std::time::Duration::from_hours(24);
    let closed = Window::opened("message", now_ms() - 25 * 3_600_000, day, None);
    windows.open(&key, &closed).await.unwrap();
    let desk = world.desk(config()).await;
    let token = desk.token(TENANT, "ada").await;
    let (status, reach) = desk.get("/desk/api/conversations/cnv_1/reach", &token).await;
    assert_eq!((status, &reach["contact"], &reach["region"]), (200, &json!(contact), &json!("latam")));
    let (sms, email) = (&reach["addresses"][0], &reach["addresses"][1]);
    assert_eq!((&sms["channel"], &email["channel"]), (&json!("sms"), &json!("email")));
    assert_eq!(sms["verdict"]["outcome"], json!("OUTCOME_NEEDS_TEMPLATE"), "{sms}");
    assert_eq!(sms["template"], json!({ "name": "again", "language": "pt_BR", "takesText": false }));
    assert_eq!(sms["window"]["remaining"], json!(-1));
    assert_eq!((&email["verdict"]["outcome"], email.get("window")), (&json!("OUTCOME_ALLOW"), None));
    assert_eq!(reach["offers"], json!(["wechat"]), "bottle has no account, and they are on the others");

    // The customer writes again.
    windows.open(&key, &Window::opened("message", now_ms(), day, Some(3))).await.unwrap();
    let (_, reach) = desk.get("/desk/api/conversations/cnv_1/reach", &token).await;
    let sms = &reach["addresses"][0];
    assert_eq!(
        (&sms["verdict"]["outcome"], &sms["window"]["remaining"]),
        (&json!("OUTCOME_ALLOW"), &json!(3))
    );

    let bob = desk.token(TENANT, "bob").await;
    assert_eq!(desk.get("/desk/api/conversations/cnv_1/reach", &bob).await.0, 403);
    assert_eq!(desk.get("/desk/api/conversations/cnv_7/reach", &token).await.0, 404);
    let eve = desk.token("globex", "eve").await;
    assert_eq!(desk.get("/desk/api/conversations/cnv_1/reach", &eve).await.0, 404, "another tenant's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn supervisors_split_an_address_off_and_can_take_it_back_and_the_stream_says_so() {
    let world = World::start().await;
    let contact = maria(&world).await;
    let desk = world.desk(config()).await;
    let mut ada = session(&desk, "ada").await;
    let cleo = desk.token(TENANT, "cleo").await;
    let body = |id: &str| json!({ "channel": "email", "account": "help", "userId": "maria@example.com", "commandId": id });
    let split = format!("/desk/api/contacts/{contact}/split");
    let join = format!("/desk/api/contacts/{contact}/join");
    let agent = desk.token(TENANT, "ada").await;
    assert_eq!(desk.post(&split, &agent, &body("1")).await.0, 403, "agents do not");
    assert_eq!(desk.post(&split, &cleo, &json!({ "channel": "email" })).await.0, 400);
    let (status, told) = desk.post(&split, &cleo, &body("1")).await;
    let new = told["contact"].as_str().unwrap().to_owned();
    assert_eq!((status, new != contact), (200, true), "{told}");
    // Ada serves them, so she hears of it.
    let event = ada.event().await.event.unwrap();
    let Some(Payload::ContactSplit(payload)) = &event.payload else { panic!("a split: {event:?}") };
    assert_eq!((&event.contact, &payload.new_contact, payload.actor.as_str()), (&contact, &new, "cleo"));
    let addresses = |view: ContactView| view.contact.unwrap().addresses.len();
    assert_eq!(addresses(load(&mut ada, &contact).await.unwrap()), 1);
    assert_eq!(past(&mut ada, "cnv_0").await, Err("forbidden".to_owned()), "its history went with it");

    // What the split one refuses meanwhile, the joined one does.
    let consent = ConsentStore::open(world.fabric.jetstream()).await.unwrap();
    let (choice, at_ms) = (Choice::OptedOut, now_ms());
    let stop = Statement { choice, source: "keyword STOP".into(), cause: "evt_stop".into(), at_ms };
    consent.record(&Subject::new(TENANT, &new, Some("email"), "marketing"), &stop).await.unwrap();

    let (status, told) = desk.post(&join, &cleo, &body("2")).await;
    assert_eq!((status, &told["contact"]), (200, &json!(contact)), "{told}");
    let event = ada.event().await.event.unwrap();
    let Some(Payload::ContactJoined(payload)) = &event.payload else { panic!("a join: {event:?}") };
    assert_eq!((payload.previous_contact.as_str(), payload.by.as_str()), (new.as_str(), "asserted"));
    assert_eq!(addresses(load(&mut ada, &contact).await.unwrap()), 2);
    assert_eq!(past(&mut ada, "cnv_0").await, Ok(0));

    // And what the joined one refuses, both do when they are split again.
    let refuses = async |contact: &str, channel: &str| {
        let said = consent.effective(TENANT, contact, channel, "marketing").await.unwrap();
        said.is_some_and(|said| said.choice == Choice::OptedOut)
    };
    assert!(refuses(&contact, "email").await && !refuses(&contact, "sms").await);
    let subject = Subject::new(TENANT, &contact, Some("sms"), "marketing");
    consent.record(&subject, &Statement { cause: "evt_stop_2".into(), ..stop }).await.unwrap();
    let (_, told) = desk.post(&split, &cleo, &body("3")).await;
    let new = told["contact"].as_str().unwrap();
    for contact in [&*contact, new] {
        assert!(refuses(contact, "email").await && refuses(contact, "sms").await, "{contact}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_not_signed_in_are_refused() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    for path in [
        "/desk/api/policy/explain?country=BR",
        "/desk/api/policy/traffic",
        "/desk/api/conversations/cnv_1/reach",
    ] {
        assert_eq!(desk.get(path, "").await.0, 401, "{path}");
        assert_eq!(desk.get(path, "garbage").await.0, 401, "{path}");
    }
    let posted = http_client().post(desk.url("/desk/api/contacts/con_1/split")).send();
    assert_eq!(posted.await.unwrap().status(), 401);
}
