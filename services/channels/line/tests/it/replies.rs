//! Reply tokens, pushes that can be told when they come again, signals and tokens.

use std::collections::BTreeMap;

use heliograph_channel::{
    Body, Caller, Channel as _, Delivery, Outcome, Provider, ProviderRequest, ProviderResponse, Purpose,
    ReplyHandle, Webhook,
};
use heliograph_channel_line::{Line, sign};
use heliograph_domain::content;
use heliograph_proto::v1::{Address, Message, ReadMark, SignalRequest, Typing, signal_request::Signal};
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::support::{SECRET, USER, account, post, raw_account, whole};

fn message() -> Message {
    Message {
        id: "msg_1".to_owned(),
        content: Some(content::text("hello")),
        address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
        ..Message::default()
    }
}

fn body(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}

fn answer(status: u16, body: &Value) -> ProviderResponse {
    ProviderResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 0,
    }
}

#[test]
fn a_fresh_reply_token_replies_and_one_that_is_over_pushes() {
    let (account, message) = (account(json!({})), message());
    let reply = ReplyHandle { value: "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA".into(), tried: false };
    let delivery = Delivery { reply: Some(&reply), ..Delivery::new(&message, "dlv_1", "", 0) };
    assert!(Line.takes_replies(&account));

    let replied = Line.encode(&Caller::new(&account, 0), &delivery).unwrap();
    assert_eq!(replied.url, "https://api.line.me/v2/bot/message/reply");
    assert_eq!(body(&replied)["replyToken"], "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA");
    assert!(!Line.is_idempotent(&account, &replied), "a reply has no retry key");

    let over = answer(400, &json!({ "message": "Invalid reply token" }));
    let pushed = Line.follow_up(&Caller::new(&account, 0), &delivery, &over).unwrap().unwrap();
    assert_eq!(pushed.url, "https://api.line.me/v2/bot/message/push");
    assert_eq!(body(&pushed)["to"], USER);
    assert_eq!(body(&pushed)["messages"], body(&replied)["messages"]);
    assert!(Line.is_idempotent(&account, &pushed));

    let other = answer(400, &json!({ "message": "The request body has 1 error(s)" }));
    assert!(Line.follow_up(&Caller::new(&account, 0), &delivery, &other).is_none());
    let taken = answer(200, &json!({ "sentMessages": [{ "id": "1" }] }));
    assert!(Line.follow_up(&Caller::new(&account, 0), &delivery, &taken).is_none());
}

#[test]
fn a_reply_that_was_tried_before_is_never_pushed() {
    let (account, message) = (account(json!({})), message());
    let reply = ReplyHandle { value: "token".into(), tried: true };
    let delivery = Delivery { reply: Some(&reply), ..Delivery::new(&message, "dlv_1", "", 0) };
    let over = answer(400, &json!({ "message": "Invalid reply token" }));
    let followed = Line.follow_up(&Caller::new(&account, 0), &delivery, &over).unwrap();
    assert!(matches!(followed, Err(Outcome::InDoubt { for_good: true, .. })));
}

#[test]
fn a_push_has_the_same_key_on_every_attempt_and_another_for_every_delivery() {
    let (account, message) = (account(json!({ "reply_tokens": false })), message());
    assert!(!Line.takes_replies(&account));
    let key = |delivery_id: &str, now_ms| {
        let delivery = Delivery::new(&message, delivery_id, "", now_ms);
        let request = Line.encode(&Caller::new(&account, 0), &delivery).unwrap();
        request.headers["x-line-retry-key"].to_str().unwrap().to_owned()
    };
    assert_eq!(key("dlv_1", 0), key("dlv_1", 60_000));
    assert_ne!(key("dlv_1", 0), key("dlv_2", 0));
    assert_eq!(key("dlv_1", 0).len(), 36);
}

#[test]
fn typing_is_shown_to_users_and_not_to_groups() {
    let account = whole();
    let show = |user_id: &str, signal: Signal| {
        let signal = SignalRequest {
            address: Some(Address { user_id: user_id.to_owned(), ..Address::default() }),
            signal: Some(signal),
            ..SignalRequest::default()
        };
        Line.encode_signal(&Caller::new(&account, 0), &signal)
            .map(|request| (request.url.clone(), body(&request)))
    };
    let (url, loading) = show(USER, Signal::Typing(Typing { on: true })).unwrap();
    assert_eq!(url, "https://api.line.me/v2/bot/chat/loading/start");
    assert_eq!(loading, json!({ "chatId": USER, "loadingSeconds": 20 }));
    assert!(show(USER, Signal::Typing(Typing { on: false })).is_none());
    assert!(show("Ca56f94637c", Signal::Typing(Typing { on: true })).is_none());
    assert!(show(USER, Signal::ReadMark(ReadMark::default())).is_none(), "it takes a message's token");
}

#[test]
fn a_message_is_marked_as_read_by_its_token() {
    let read =
        SignalRequest { signal: Some(Signal::ReadMark(ReadMark::default())), ..SignalRequest::default() };
    let handle = SecretString::from("nz0x74mZT2mRn");
    let account = whole();
    assert!(Line.wants_handles(&account, Purpose::Read));
    let request = Line.encode_signal_upon(&Caller::new(&account, 0), &read, &handle).unwrap();
    assert_eq!(request.url, "https://api.line.me/v2/bot/chat/markAsRead");
    assert_eq!(body(&request), json!({ "markAsReadToken": "nz0x74mZT2mRn" }));
    // Other signals may be offered upon what the customer wrote last.
    let typing = SignalRequest { signal: Some(Signal::Typing(Typing { on: false })), ..read.clone() };
    assert!(Line.encode_signal_upon(&Caller::new(&account, 0), &typing, &handle).is_none());

    let silent = crate::support::account(json!({ "mark_as_read": false }));
    assert!(!Line.wants_handles(&silent, Purpose::Read));
    assert!(!Line.capabilities(&silent).read_marks_out);
    assert!(Line.encode_signal_upon(&Caller::new(&silent, 0), &read, &handle).is_none());
}

#[test]
fn tokens_of_messages_are_handed_over_and_left_out_of_events() {
    let said = |id: &str, mode: &str, tokens: &Value| {
        let mut message = json!({ "id": id, "type": "text", "text": "hi" });
        message.as_object_mut().unwrap().extend(tokens.as_object().unwrap().clone());
        json!({
            "type": "message", "mode": mode, "webhookEventId": id, "timestamp": 1, "message": message,
            "source": { "type": "user", "userId": USER },
        })
    };
    let both = json!({ "quoteToken": "q-1", "markAsReadToken": "r-1" });
    let events = [
        said("1", "active", &both),
        said("2", "active", &json!({ "quoteToken": "q-2" })),
        said("3", "standby", &both),
        said("4", "active", &json!({ "quoteToken": "", "markAsReadToken": 7 })),
    ];
    let request = json!({ "events": events }).to_string();
    let receive = |settings: Value| {
        Line.receive(&account(settings), &post(request.clone(), &sign(SECRET, request.as_bytes()))).unwrap()
    };
    let received = receive(json!({ "token_days": 2 }));
    let handles = received.handles.iter().map(|handle| {
        assert_eq!(handle.valid_for.as_secs(), 2 * 86_400);
        (handle.provider_message_id.as_str(), handle.purpose, handle.value.expose_secret())
    });
    let expected = [("1", Purpose::Quote, "q-1"), ("1", Purpose::Read, "r-1"), ("2", Purpose::Quote, "q-2")];
    assert_eq!(handles.collect::<Vec<_>>(), expected);
    assert!(!format!("{:?}", received.events[0]).contains("q-1"), "{:?}", received.events[0]);

    let received = receive(json!({ "mark_as_read": false }));
    assert!(received.handles.iter().all(|handle| handle.purpose == Purpose::Quote));
}

#[test]
fn a_message_quotes_by_a_token_and_goes_without_one_that_line_does_not_know() {
    let (account, message) = (account(json!({})), message());
    let (quote, reply) = (SecretString::from("q-1"), ReplyHandle { value: "token".into(), tried: false });
    assert!(Line.wants_handles(&account, Purpose::Quote));
    let delivery =
        Delivery { reply: Some(&reply), quote: Some(&quote), ..Delivery::new(&message, "dlv_1", "", 0) };
    let quoting = |request: &ProviderRequest| body(request)["messages"][0]["quoteToken"].clone();
    let replied = Line.encode(&Caller::new(&account, 0), &delivery).unwrap();
    assert_eq!(quoting(&replied), "q-1");

    let over = answer(400, &json!({ "message": "Invalid reply token" }));
    let pushed = Line.follow_up(&Caller::new(&account, 0), &delivery, &over).unwrap().unwrap();
    assert_eq!(quoting(&pushed), "q-1");

    let details = json!([{ "message": "is invalid", "property": "messages[0].quoteToken" }]);
    let unknown = answer(400, &json!({ "message": "The request body has 1 error(s)", "details": details }));
    for delivery in [delivery, Delivery { reply: None, ..delivery }] {
        let pushed = Line.follow_up(&Caller::new(&account, 0), &delivery, &unknown).unwrap().unwrap();
        assert!(pushed.url.ends_with("/push"));
        assert_eq!((quoting(&pushed), &body(&pushed)["messages"][0]["text"]), (Value::Null, &json!("hello")));
    }
    // Without a quote it is another mistake, which another attempt does not mend.
    assert!(
        Line.follow_up(&Caller::new(&account, 0), &Delivery { quote: None, ..delivery }, &unknown).is_none()
    );
}

#[test]
fn the_answer_to_a_send_tells_how_to_quote_it() {
    let sent = json!({ "sentMessages": [{ "id": "461", "quoteToken": "q-461" }, { "id": "462" }] });
    let handles = Line.read_handles(&account(json!({})), &answer(200, &sent));
    let [handle] = &handles[..] else { panic!("{handles:?}") };
    assert_eq!((handle.provider_message_id.as_str(), handle.purpose), ("461", Purpose::Quote));
    assert_eq!(handle.value.expose_secret(), "q-461");
}

#[test]
fn stateless_tokens_are_asked_for_with_the_channel_and_read() {
    let raw = raw_account(json!({ "channel_id": "1234567890" }), &[("channel_secret", SECRET)]);
    let account = raw.load().unwrap();
    let source = Line.token(&Caller::new(&account, 0)).unwrap();
    assert_eq!(source.key, "1234567890");
    assert_eq!(source.request.url, "https://api.line.me/oauth2/v3/token");
    let Body::Form(fields) = source.request.body else { panic!("not a form") };
    let fields: BTreeMap<String, String> = fields.into_iter().collect();
    assert_eq!(fields["grant_type"], "client_credentials");
    assert_eq!(fields["client_id"], "1234567890");
    assert_eq!(fields["client_secret"], SECRET);

    let given = json!({ "token_type": "Bearer", "access_token": "fresh", "expires_in": 899 });
    let grant = Line.read_token(&account, &answer(200, &given)).unwrap();
    assert_eq!((grant.token.expose_secret(), grant.expires_in.as_secs()), ("fresh", 899));
    let refused = json!({ "error": "invalid_client", "error_description": "invalid client_secret" });
    let refused = Line.read_token(&account, &answer(400, &refused)).unwrap_err();
    assert!(matches!(refused, Outcome::Auth { token_expired: false, .. }), "{refused:?}");
    let down = Line.read_token(&account, &answer(503, &Value::Null)).unwrap_err();
    assert!(matches!(down, Outcome::Retry { .. }), "{down:?}");
}

#[test]
fn an_issued_token_that_is_refused_is_not_asked_for_again() {
    let account = account(json!({}));
    assert!(Line.token(&Caller::new(&account, 0)).is_none());
    let outcome = Line.classify(&account, &answer(401, &json!({ "message": "invalid token" })));
    assert!(matches!(outcome, Outcome::Auth { token_expired: false, .. }), "{outcome:?}");
}

#[test]
fn content_is_fetched_from_its_own_host_and_stickers_from_theirs() {
    let account = account(json!({}));
    let fetched = Line.encode_media(&Caller::new(&account, 0), "325708", "").unwrap();
    assert_eq!(fetched.url, "https://api-data.line.me/v2/bot/message/325708/content");
    assert!(fetched.headers["authorization"].is_sensitive());
    let sticker = Line
        .encode_media(&Caller::new(&account, 0), "446/1988", "https://stickers.example.com/1988.png")
        .unwrap();
    assert_eq!(sticker.url, "https://stickers.example.com/1988.png");
    assert!(sticker.headers.is_empty(), "our token stays at home");
    assert!(Line.encode_media(&Caller::new(&account, 0), "../../x", "").is_none());
}

#[test]
fn what_is_wrong_with_an_account_is_said() {
    let field = |settings: Value, secrets: &[(&str, &str)]| {
        let raw = raw_account(settings, secrets);
        raw.load::<heliograph_channel_line::LineSettings>().unwrap_err().field
    };
    let secrets = [("channel_secret", SECRET)];
    assert_eq!(field(json!({}), &[]), "spec.secrets.channel_secret");
    assert_eq!(field(json!({}), &secrets), "spec.settings.channel_id");
    let with = |name: &str, value: Value| json!({ "channel_id": "1", name: value });
    assert_eq!(field(with("loading_seconds", json!(7)), &secrets), "spec.settings.loading_seconds");
    assert_eq!(field(with("reply_token_seconds", json!(61)), &secrets), "spec.settings.reply_token_seconds");
    assert_eq!(field(with("token_days", json!(0)), &secrets), "spec.settings.token_days");
    let url = json!("http://media.example.com/a.png");
    assert_eq!(field(with("video_preview_url", url), &secrets), "spec.settings.video_preview_url");
}
