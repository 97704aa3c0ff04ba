//! `ContactService`.

use heliograph_fabric::{Stream, subjects::EventFilter};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, CreateLinkCodeRequest, Event, GetContactRequest, InboundEvent, JoinContactsRequest,
        ListConsentRequest, RequestCallbackRequest, SetConsentRequest, SplitContactRequest,
        contact_service_client::ContactServiceClient, content, event::Payload, get_contact_request::By,
        inbound_event, join_contacts_request::Other, request_callback_request::To,
    },
};
use heliograph_store::codes::Codes;
use tonic::{Code, Request};

use crate::api::with_token;
use crate::support::{Channel, World};

fn address(channel: &str, user: &str) -> Address {
    let account = if channel == "sms" { "main" } else { "site" };
    Address {
        channel: channel.to_owned(),
        account: account.to_owned(),
        user_id: user.to_owned(),
        ..Address::default()
    }
}

async fn events(world: &World, kind: &str) -> Vec<Event> {
    let filter = EventFilter { tenant: "acme", kind: Some(kind), ..EventFilter::default() };
    let records = world.fabric.read_subject(Stream::Events, &filter.subject().unwrap()).await.unwrap();
    records.iter().map(|record| record.envelope().unwrap().decode().unwrap()).collect()
}

fn by_address(channel: &str, user: &str) -> GetContactRequest {
    GetContactRequest { by: Some(By::Address(address(channel, user))) }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_joined_and_split_with_what_was_agreed_to() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = ContactServiceClient::connect(egress.grpc.clone()).await.unwrap();
    let contact = world.contact("one").await;
    let consent = |granted, channel: &str| SetConsentRequest {
        contact: contact.id.clone(),
        channel: channel.to_owned(),
        purpose: "marketing".to_owned(),
        granted,
        source: "web form".to_owned(),
    };
    client.set_consent(with_token(consent(true, "sms"))).await.unwrap();
    client.set_consent(with_token(consent(true, "sms"))).await.unwrap();
    client.set_consent(with_token(consent(false, ""))).await.unwrap();
    let said = ListConsentRequest { contact: contact.id.clone() };
    let said = client.list_consent(with_token(said)).await.unwrap().into_inner().statements;
    assert!(said.iter().any(|said| said.granted && said.channel == "sms" && said.purpose == "marketing"));
    assert!(said.iter().any(|said| !said.granted && said.channel.is_empty()));
    assert_eq!(events(&world, "consent.changed").await.len(), 2, "the same thing twice is said once");

    let join = JoinContactsRequest {
        contact: contact.id.clone(),
        other: Some(Other::Address(address("webchat", "laptop"))),
    };
    let joined = client.join_contacts(with_token(join.clone())).await.unwrap().into_inner().contact.unwrap();
    assert_eq!(joined.addresses.len(), 3);
    client.join_contacts(with_token(join.clone())).await.unwrap();
    let told = events(&world, "contact.joined").await;
    let mut ids: Vec<&str> = told.iter().map(|event| event.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{told:?}");
    let Some(Payload::ContactJoined(payload)) = &told[0].payload else { panic!("{told:?}") };
    assert_eq!((payload.by.as_str(), payload.actor.as_str()), ("asserted", "shop"));
    assert_eq!(
        (told[0].contact.as_str(), payload.address.as_ref().unwrap().user_id.as_str()),
        (contact.id.as_str(), "laptop")
    );
    let found = client.get_contact(with_token(by_address("webchat", "laptop"))).await.unwrap().into_inner();
    assert_eq!(found.contact.unwrap().id, contact.id);

    let split =
        SplitContactRequest { contact: contact.id.clone(), address: Some(address("webchat", "laptop")) };
    let done = client.split_contact(with_token(split)).await.unwrap().into_inner();
    let (left, split) = (done.contact.unwrap(), done.split.unwrap());
    assert_eq!((left.addresses.len(), split.addresses.len()), (2, 1));
    let told = events(&world, "contact.split").await;
    let Some(Payload::ContactSplit(payload)) = &told[0].payload else { panic!("{told:?}") };
    assert_eq!((payload.new_contact.as_str(), told.len()), (split.id.as_str(), 1));
    // What was refused while they were one is refused by both.
    let said = ListConsentRequest { contact: split.id.clone() };
    let said = client.list_consent(with_token(said)).await.unwrap().into_inner().statements;
    assert!(said.iter().any(|said| !said.granted), "{said:?}");
    // And what the other one refused, is refused when they are joined.
    let texts = || SetConsentRequest {
        channel: "sms".to_owned(),
        purpose: "service".to_owned(),
        ..consent(false, "")
    };
    client.set_consent(with_token(SetConsentRequest { contact: split.id.clone(), ..texts() })).await.unwrap();
    // Joined again, it is said again.
    client.join_contacts(with_token(join)).await.unwrap();
    let told = events(&world, "contact.joined").await;
    assert_ne!(told.first().unwrap().id, told.last().unwrap().id);
    let said = ListConsentRequest { contact: contact.id.clone() };
    let said = client.list_consent(with_token(said)).await.unwrap().into_inner().statements;
    assert!(said.iter().any(|said| !said.granted && said.purpose == "service"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_code_is_good_for_the_contact_it_was_made_for() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = ContactServiceClient::connect(egress.grpc.clone()).await.unwrap();
    let contact = world.contact("one").await;
    let request = CreateLinkCodeRequest { contact: contact.id.clone() };
    let code = client.create_link_code(with_token(request)).await.unwrap().into_inner();
    assert_eq!(Codes::parse(&code.code.to_lowercase()).as_deref(), Some(code.code.as_str()));
    assert!(code.expires_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_callers_is_refused() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = ContactServiceClient::connect(egress.grpc.clone()).await.unwrap();
    let code = |status: tonic::Status| status.code();
    let nobody = by_address("sms", "nobody");
    assert_eq!(
        code(client.get_contact(Request::new(nobody.clone())).await.unwrap_err()),
        Code::Unauthenticated
    );
    assert_eq!(code(client.get_contact(with_token(nobody)).await.unwrap_err()), Code::NotFound);
    let contact = world.contact("one").await.id.clone();
    let elsewhere = Address { account: "of-another".to_owned(), ..address("sms", "x") };
    let join = |other| JoinContactsRequest { contact: contact.clone(), other };
    let refused = client.join_contacts(with_token(join(Some(Other::Address(elsewhere))))).await.unwrap_err();
    assert_eq!(code(refused), Code::NotFound);
    assert_eq!(code(client.join_contacts(with_token(join(None))).await.unwrap_err()), Code::InvalidArgument);
    let foreign = SplitContactRequest { contact: contact.clone(), address: Some(address("sms", "stranger")) };
    assert_eq!(code(client.split_contact(with_token(foreign)).await.unwrap_err()), Code::FailedPrecondition);
    let consent = SetConsentRequest {
        contact,
        purpose: "anything".to_owned(),
        source: "x".to_owned(),
        ..SetConsentRequest::default()
    };
    assert_eq!(code(client.set_consent(with_token(consent)).await.unwrap_err()), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_asked_for_as_the_customer_would_and_once() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = ContactServiceClient::connect(egress.grpc.clone()).await.unwrap();
    let asked = RequestCallbackRequest {
        idempotency_key: "form 17".to_owned(),
        to: Some(To::Address(Address { channel: String::new(), ..address("sms", "+12125550100") })),
        not_before: Some(Timestamp::from_millis(1_772_442_000_000)),
        note: "about my order".to_owned(),
    };
    let answer = client.request_callback(with_token(asked.clone())).await.unwrap().into_inner();
    assert_eq!(client.request_callback(with_token(asked.clone())).await.unwrap().into_inner(), answer);
    let records = world.fabric.read_subject(Stream::Inbound, ">").await.unwrap();
    assert_eq!(records.len(), 1);
    let event: InboundEvent = records[0].envelope().unwrap().decode().unwrap();
    assert!(records[0].subject.ends_with(".acme.sms"), "{}", records[0].subject);
    let Some(inbound_event::Kind::Message(message)) = &event.kind else { panic!("{event:?}") };
    let said = message.content.as_ref().and_then(|content| content.kind.as_ref());
    let Some(content::Kind::Selection(chosen)) = said else { panic!("{said:?}") };
    assert_eq!((chosen.option_id.as_str(), chosen.title.as_str()), ("hg.callback", "about my order"));
    assert_eq!(chosen.payload, "2026-03-02T09:00:00Z");
    assert_eq!((&message.id, event.opens_window.as_str()), (&answer.message_id, "none"));

    let contact = world.contact("one").await.id.clone();
    let known = RequestCallbackRequest {
        idempotency_key: "form 18".to_owned(),
        to: Some(To::Contact(contact)),
        ..RequestCallbackRequest::default()
    };
    client.request_callback(with_token(known)).await.unwrap();
    assert_eq!(world.fabric.read_subject(Stream::Inbound, ">").await.unwrap().len(), 2);
    let elsewhere = Address { account: "of-another".to_owned(), ..address("sms", "x") };
    for (wrong, code) in [
        (RequestCallbackRequest { idempotency_key: String::new(), ..asked.clone() }, Code::InvalidArgument),
        (RequestCallbackRequest { note: "x".repeat(1_001), ..asked.clone() }, Code::InvalidArgument),
        (RequestCallbackRequest { to: None, ..asked.clone() }, Code::InvalidArgument),
        (RequestCallbackRequest { to: Some(To::Address(elsewhere)), ..asked.clone() }, Code::NotFound),
        (RequestCallbackRequest { to: Some(To::Contact("con_no".to_owned())), ..asked }, Code::NotFound),
    ] {
        assert_eq!(client.request_callback(with_token(wrong)).await.unwrap_err().code(), code);
    }
}
