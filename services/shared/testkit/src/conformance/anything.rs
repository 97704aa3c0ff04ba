//! Anything a provider may send, and what holds whatever it is. Fuzzing looks for what does not (tests/fuzz is built of
//! this file as well), and the suite plays again what fuzzing kept.

use heliograph_channel::{
    Account, Caller, Delivery, Outcome, Provider, ProviderResponse, Refusal, ReplyHandle, Webhook,
    WebhookRequest,
};
use heliograph_domain::content::media_mut;
use heliograph_proto::{
    Message as _,
    v1::{
        Address, DeliverResponse, InboundEvent, MessageReference, ReadMark, SignalRequest, Typing,
        inbound_event::Kind, signal_request::Signal,
    },
};
use secrecy::SecretString;

use super::{
    answer::Answer,
    fixture::{Fixture, NOW_MS},
    samples,
};

const TOKEN: &str = "made-up-access-token-0123456789";
const DELIVERY: &str = "dlv_0123456789abcdefghjkmnpqrs";
const CORRELATION: &str = "msg_0123456789abcdefghjkmnpqrs.cnv_0123456789abcdefghjkmnpqrs.north-america";

/// Hands `data` to the channel: as a provider's answer where it is like a file of `answers/`, otherwise as a request,
/// which `sign` signs as the provider does.
///
/// # Panics
/// When the channel does, or when what comes out is not what always comes out.
pub(super) fn play<C: Webhook + Provider>(
    channel: &C,
    account: &Account<C::Settings>,
    data: &[u8],
    sign: impl FnOnce(&mut WebhookRequest),
) {
    let answer = serde_json::from_slice::<Answer>(data).ok();
    if let Some(response) = answer.and_then(|answer| answer.response().ok()) {
        return answered(channel, account, &response);
    }
    let Fixture { mut request, sign: signed, .. } = Fixture::guess(data);
    if signed {
        sign(&mut request);
    }
    match channel.receive(account, &request) {
        Ok(received) => {
            let handle = received.replies.first();
            let handle = handle.map(|reply| ReplyHandle { value: reply.value.clone(), tried: false });
            for event in &received.events {
                look_at(account, event);
                serve(channel, account, event, handle.as_ref());
            }
            let message = samples::message("text", channel.name(), &account.name, "their-1");
            if let (Some(_), Some(message)) = (received.hold, message) {
                channel.answer(account, &request, &message);
            }
        }
        // What is signed is never taken for old.
        Err(refusal) => assert!(!signed || !matches!(refusal, Refusal::Stale(_)), "signed now, and stale"),
    }
}

/// What holds for every event.
fn look_at<S>(account: &Account<S>, event: &InboundEvent) {
    assert!(event.id.starts_with("evt_"), "the id {:?}", event.id);
    assert_eq!((&event.tenant, &event.account), (&account.tenant, &account.name), "somebody else's");
    assert!(!event.provider_event_id.is_empty(), "no `provider_event_id`");
    assert!(event.kind.is_some(), "an event without a kind");
    let again = InboundEvent::decode(&event.encode_to_vec()[..]).expect("what we encode can be decoded");
    assert_eq!(&again, event, "not what it was after a trip over the broker");
}

/// What is done upon an event: its media are asked for, and its customer is written to.
fn serve<C: Provider>(
    channel: &C,
    account: &Account<C::Settings>,
    event: &InboundEvent,
    handle: Option<&ReplyHandle>,
) {
    let token = SecretString::from(TOKEN);
    let caller = Caller::new(account, NOW_MS).with_token(Some(&token));
    let mut theirs = "";
    if let Some(Kind::Message(message)) = &event.kind {
        theirs = &message.provider_message_id;
        let mut content = message.content.clone().unwrap_or_default();
        for media in media_mut(&mut content) {
            channel.encode_media_lookup(&caller, &media.provider_media_id);
            channel.encode_media(&caller, &media.provider_media_id, &media.url);
        }
    }
    let signal = |signal| SignalRequest {
        tenant: account.tenant.clone(),
        account: account.name.clone(),
        address: event.address.clone(),
        signal: Some(signal),
    };
    let read = MessageReference { provider_message_id: theirs.to_owned(), ..MessageReference::default() };
    for signal in [
        signal(Signal::Typing(Typing { on: true })),
        signal(Signal::ReadMark(ReadMark { up_to: Some(read), until: None })),
    ] {
        channel.encode_signal(&caller, &signal);
        if let Some(handle) = handle {
            channel.encode_signal_upon(&caller, &signal, &handle.value);
        }
    }
    let Some(mut message) = samples::message("text", channel.name(), &account.name, theirs) else { return };
    message.address = Some(event.address.clone().unwrap_or_default());
    let delivery = Delivery { reply: handle, ..Delivery::new(&message, DELIVERY, CORRELATION, NOW_MS) };
    // Addresses that are none are refused with an outcome.
    let _ = channel.encode_checked(&caller, &delivery);
}

/// What holds for every answer, whichever request it answers.
fn answered<C: Provider>(channel: &C, account: &Account<C::Settings>, response: &ProviderResponse) {
    let token = SecretString::from(TOKEN);
    let caller = Caller::new(account, NOW_MS).with_token(Some(&token));
    let outcome = channel.classify(account, response);
    // What was done before may be refused (400, 409); who failed, or did not let us in, has done nothing.
    let failed = response.status.is_server_error() || [401, 403, 429].contains(&response.status.as_u16());
    let delivered = matches!(outcome, Outcome::Delivered { .. });
    assert!(!failed || !delivered, "{} is taken for a delivery", response.status);
    let said = DeliverResponse::from(outcome);
    let again = DeliverResponse::decode(&said.encode_to_vec()[..]).expect("what we encode can be decoded");
    assert_eq!(again, said, "not what it was after a trip to egress");
    if let Some(mut message) = samples::message("text", channel.name(), &account.name, "their-1") {
        message.address = Some(Address { user_id: "12225550006".to_owned(), ..Address::default() });
        let delivery = Delivery::new(&message, DELIVERY, CORRELATION, NOW_MS);
        let _ = channel.follow_up(&caller, &delivery, response);
    }
    channel.is_stale_upload(account, response);
    let _ = channel.read_upload(account, response);
    let _ = channel.read_token(account, response);
    if let Ok(url) = channel.read_media_lookup(account, response) {
        channel.encode_media(&caller, "their-medium-1", &url);
    }
}
