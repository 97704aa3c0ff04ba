//! `EgressService`.

use heliograph_domain::{content, ids};
use heliograph_proto::v1::{
    Address, Event, GetMessageRequest, Message, MessageAccepted, OutboundMessage, SendRequest,
    egress_service_client::EgressServiceClient, event::Payload, routing_entry, send_request::To, verdict,
};
use tonic::{Code, Request, transport::Channel as Transport};

use crate::support::{Channel, TOKEN, World};

pub(crate) fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

pub(crate) fn order(key: &str, channel: &str, account: &str, user: &str) -> SendRequest {
    SendRequest {
        tenant: "acme".to_owned(),
        idempotency_key: key.to_owned(),
        to: Some(To::Address(Address {
            channel: channel.to_owned(),
            account: account.to_owned(),
            user_id: user.to_owned(),
            ..Address::default()
        })),
        content: Some(content::text("Your order is on its way")),
        ..SendRequest::default()
    }
}

pub(crate) async fn client(endpoint: &str) -> EgressServiceClient<Transport> {
    EgressServiceClient::connect(endpoint.to_owned()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_sent_once() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = client(&egress.grpc).await;
    let request = SendRequest {
        expires_at: Some(crate::support::stamp(4_000_000_000_000)),
        ..order("order-1", "sms", "main", "+12025550123")
    };
    let first = client.send(with_token(request.clone())).await.unwrap().into_inner();
    assert!(!first.duplicate);
    let verdict = first.verdict.as_ref().unwrap();
    assert_eq!(verdict.outcome(), verdict::Outcome::Allow);
    assert_eq!(verdict.region.as_ref().unwrap().name, "north-america");
    for _ in 0..3 {
        let again = client.send(with_token(request.clone())).await.unwrap().into_inner();
        assert_eq!((again.message_id.as_str(), again.duplicate), (first.message_id.as_str(), true));
        assert_eq!(again.verdict, first.verdict);
    }
    let entries = world.entries().await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let Some(routing_entry::Kind::Send(send)) = &entry.kind else { panic!("{entry:?}") };
    let message = send.message.as_ref().unwrap();
    assert_eq!(message.id, first.message_id);
    assert_eq!(message.sender.as_ref().unwrap().id, "shop");
    assert_eq!(send.expires_at, request.expires_at);
    assert!(send.contact.starts_with("con_"));
    // To the contact that the address belongs to now.
    let known = SendRequest { to: Some(To::Contact(send.contact.clone())), ..order("order-2", "", "", "") };
    let second = client.send(with_token(known)).await.unwrap().into_inner();
    assert!(!second.message_id.is_empty() && second.message_id != first.message_id, "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_denies_or_is_only_asked_is_not_sent() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let mut client = client(&egress.grpc).await;
    let denied =
        client.send(with_token(order("k", "sms", "main", "+4930123456"))).await.unwrap().into_inner();
    assert_eq!(denied.verdict.as_ref().unwrap().outcome(), verdict::Outcome::Deny);
    assert_eq!(denied.verdict.unwrap().region.unwrap().name, "europe");
    assert_eq!((denied.message_id.as_str(), denied.duplicate), ("", false));
    let asked = SendRequest { dry_run: true, ..order("k", "sms", "main", "+12025550123") };
    let asked = client.send(with_token(asked)).await.unwrap().into_inner();
    assert_eq!(asked.verdict.unwrap().outcome(), verdict::Outcome::Allow);
    assert_eq!(asked.message_id, "");
    assert!(world.entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_go_later_is_accepted_and_a_dry_run_says_the_same() {
    let world = World::start().await;
    world.policy("  rules:\n    - { name: once, then: { at_most: { messages: 1, per: 1h } } }\n").await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    egress.health.ready().await;
    let mut client = client(&egress.grpc).await;
    let contact = world.contact("one").await;
    let to = |key: &str| SendRequest { to: Some(To::Contact(contact.id.clone())), ..order(key, "", "", "") };
    let first = client.send(with_token(to("first"))).await.unwrap().into_inner();
    assert_eq!(first.verdict.unwrap().outcome(), verdict::Outcome::Allow);
    let out = OutboundMessage { contact: contact.id.clone(), ..World::outbound("sms", "cnv_1", 0) };
    world.queue(&out).await;
    world.events_of("cnv_1", "message.sent", 1).await;
    let asked = SendRequest { dry_run: true, ..to("second") };
    let asked = client.send(with_token(asked)).await.unwrap().into_inner();
    let second = client.send(with_token(to("second"))).await.unwrap().into_inner();
    assert_eq!((asked.message_id.as_str(), second.message_id.is_empty()), ("", false));
    let (asked, said) = (asked.verdict.unwrap(), second.verdict.unwrap());
    assert_eq!(said.outcome(), verdict::Outcome::Defer);
    assert_eq!((asked.outcome(), asked.until), (said.outcome(), said.until));
    // What happens to it is what was said.
    world.queue(&OutboundMessage { contact: contact.id.clone(), ..World::outbound("sms", "cnv_1", 1) }).await;
    let deferred = world.events_of("cnv_1", "message.deferred", 1).await;
    let Some(Payload::MessageDeferred(deferred)) = &deferred[0].payload else { panic!("{deferred:?}") };
    assert_eq!(deferred.until, said.until);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_comes_from_the_credential() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let mut client = client(&egress.grpc).await;
    let code = |result: Result<_, tonic::Status>| result.map(|_: tonic::Response<_>| ()).unwrap_err().code();
    let request = order("k", "sms", "main", "+12025550123");
    assert_eq!(code(client.send(request.clone()).await), Code::Unauthenticated);
    let mut wrong = Request::new(request.clone());
    wrong.metadata_mut().insert("authorization", "Bearer nonsense".parse().unwrap());
    assert_eq!(code(client.send(wrong).await), Code::Unauthenticated);
    let foreign = SendRequest { tenant: "other".to_owned(), ..request.clone() };
    assert_eq!(code(client.send(with_token(foreign)).await), Code::PermissionDenied);
    let keyless = SendRequest { idempotency_key: String::new(), ..request.clone() };
    assert_eq!(code(client.send(with_token(keyless)).await), Code::InvalidArgument);
    let empty = SendRequest { content: None, ..request };
    assert_eq!(code(client.send(with_token(empty)).await), Code::InvalidArgument);
    let unknown = order("k", "sms", "nobody", "+12025550123");
    assert_eq!(code(client.send(with_token(unknown)).await), Code::NotFound);
    assert!(world.entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_message_can_be_read() {
    let world = World::start().await;
    let sms = Channel::start("sms");
    let egress = world.egress(&[&sms]).await;
    let out = World::outbound("sms", "cnv_1", 0);
    let message_id = out.message.as_ref().unwrap().id.clone();
    let accepted = Event {
        id: ids::derive(ids::EVENT, &["accepted"]),
        r#type: "message.accepted".to_owned(),
        tenant: "acme".to_owned(),
        payload: Some(Payload::MessageAccepted(MessageAccepted {
            message: Some(Message { id: message_id.clone(), ..Message::default() }),
            ..MessageAccepted::default()
        })),
        ..Event::default()
    };
    let subject =
        heliograph_fabric::subjects::event("acme", "north-america", "sms", "cnv_1", "message.accepted")
            .unwrap();
    let envelope =
        heliograph_fabric::Envelope::of(accepted.id.clone(), "message.accepted", "test", 0, &accepted);
    world.fabric.publish(&subject, &envelope, None).await.unwrap();
    world.queue_many("sms", "cnv_1", 2).await;
    world.events_of("cnv_1", "message.sent", 2).await;
    let mut client = client(&egress.grpc).await;
    for conversation in ["cnv_1", ""] {
        let request = GetMessageRequest {
            tenant: String::new(),
            message_id: message_id.clone(),
            conversation: conversation.to_owned(),
        };
        let found = client.get_message(with_token(request)).await.unwrap().into_inner();
        let kinds: Vec<&str> = found.events.iter().map(|event| event.r#type.as_str()).collect();
        assert_eq!(kinds, ["message.accepted", "message.sent"]);
    }
    let unknown = GetMessageRequest { message_id: "msg_x".to_owned(), ..GetMessageRequest::default() };
    assert_eq!(client.get_message(with_token(unknown)).await.unwrap_err().code(), Code::NotFound);
}
