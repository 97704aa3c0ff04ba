//! What comes in.

use std::{collections::BTreeSet, fmt::Debug};

use bytes::Bytes;
use heliograph_channel::{Account, Received, Refusal, Webhook, WebhookRequest, inbound};
use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};
use http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{Conformance, fixture::Fixture, forgery, play::Ingress};

/// Room above the largest fixture.
const SPARE: usize = 1024;
/// What is put into requests to see that it is kept.
const MARK: &str = "heliograph-unknown-value";
const MARK_FIELD: &str = "HeliographUnknownField";

pub(super) fn check<W>(suite: &mut Conformance<W>, account: &Account<W::Settings>)
where
    W: Webhook,
    W::Settings: Debug,
{
    let genuine = suite.files("inbound");
    suite.expect("fixtures", !genuine.is_empty(), || "there is no fixture in `inbound/`".to_owned());
    for fixture in &genuine {
        let request = sign(suite, fixture);
        check_genuine(suite, account, fixture, &request);
        check_truncated(suite, account, fixture);
        check_unknown_fields(suite, account, fixture);
        if fixture.sign && suite.sign.is_some() {
            forgery::check(suite, account, &fixture.name, &request);
        }
    }
    for folder in ["vectors", "refused"] {
        for fixture in suite.files(folder) {
            check_played(suite, account, &fixture);
        }
    }
    check_declared(suite, account, &genuine);
    let limit = genuine.iter().map(|fixture| sign(suite, fixture).body.len()).max().unwrap_or(0) + SPARE;
    match Ingress::new(suite.channel.clone(), &suite.raw, limit) {
        Ok(ingress) => {
            for fixture in &genuine {
                check_ingress(suite, &ingress, fixture);
            }
            if let Some(post) = genuine.iter().find(|fixture| fixture.request.method == Method::POST) {
                check_bad_bodies(suite, account, &ingress, post, limit);
            }
        }
        Err(problem) => suite.fail("ingress", problem),
    }
}

/// What the fixtures bring is what the channel says that it receives, neither more nor less.
fn check_declared<W: Webhook>(suite: &mut Conformance<W>, account: &Account<W::Settings>, genuine: &[Fixture])
where
    W::Settings: Debug,
{
    let declared: BTreeSet<String> = suite.channel.capabilities(account).receives.into_iter().collect();
    let mut seen = BTreeSet::new();
    for fixture in genuine {
        let request = sign(suite, fixture);
        if let Some(Ok(received)) = receive(suite, account, &fixture.name, &request) {
            seen.extend(received.events.iter().filter_map(inbound::kind_name));
        }
    }
    let list = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let (undeclared, unseen) =
        (list(seen.difference(&declared).collect()), list(declared.difference(&seen).collect()));
    suite.expect("capabilities", undeclared.is_empty(), || {
        format!("`receives` lacks what fixtures bring: {undeclared}")
    });
    suite.expect("capabilities", suite.any_content || unseen.is_empty(), || {
        format!("`receives` names what no fixture brings: {unseen}")
    });
}

/// The request as the provider would send it at its time.
fn sign<W: Webhook>(suite: &Conformance<W>, fixture: &Fixture) -> WebhookRequest {
    sign_at(suite, fixture, fixture.request.now_ms)
}

fn sign_at<W: Webhook>(suite: &Conformance<W>, fixture: &Fixture, now_ms: i64) -> WebhookRequest {
    let mut request = WebhookRequest { now_ms, ..fixture.request.clone() };
    if let (true, Some(sign)) = (fixture.sign, &suite.sign) {
        sign(&suite.raw, &mut request);
    }
    request
}

fn check_genuine<W>(
    suite: &mut Conformance<W>,
    account: &Account<W::Settings>,
    fixture: &Fixture,
    request: &WebhookRequest,
) where
    W: Webhook,
    W::Settings: Debug,
{
    let name = &fixture.name;
    let Some(received) = receive(suite, account, name, request) else { return };
    let received = match received {
        Ok(received) => received,
        Err(refusal) => return suite.fail(name, format!("refused with {}: {refusal}", refusal.status())),
    };
    let Received { events, answer, .. } = &received;
    suite.expect(name, answer.status.is_success(), || format!("answered {}", answer.status));
    let body = String::from_utf8_lossy(&answer.body);
    suite.secrets_stay_secret(&format!("{name}: the answer"), &body);
    let answer =
        json!({ "status": answer.status.as_u16(), "content_type": answer.content_type, "body": body });
    suite.snapshot(&snapshot_name(name), &json!({ "answer": answer, "events": events }));
    check_events(suite, name, account, events);

    let later = WebhookRequest {
        now_ms: request.now_ms + 30_000,
        ..sign_at(suite, fixture, request.now_ms + 30_000)
    };
    if let Some(Ok(again)) = receive(suite, account, name, &later) {
        let (first, again) = (ids(events), ids(&again.events));
        suite.expect(name, first == again, || {
            format!("the same request half a minute later has other ids: {first:?}, then {again:?}")
        });
    } else {
        suite.fail(name, "refused when it is repeated half a minute later");
    }
}

/// What holds for every event.
fn check_events<W, S>(suite: &mut Conformance<W>, name: &str, account: &Account<S>, events: &[InboundEvent])
where
    W: Webhook,
    W::Settings: Debug,
{
    let unique: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    suite.expect(name, unique.len() == events.len(), || "two events share an id".to_owned());
    for event in events {
        let here = (&event.tenant, &event.channel, &event.account)
            == (&account.tenant, &account.channel, &account.name);
        suite.expect(name, here, || "an event is not of the account's tenant, channel and name".to_owned());
        suite.expect(name, event.id.starts_with("evt_"), || format!("an event's id is {:?}", event.id));
        suite.expect(name, event.received_at.is_some(), || "an event has no `received_at`".to_owned());
        suite.expect(name, !event.provider_event_id.is_empty(), || {
            "an event has no `provider_event_id`".to_owned()
        });
        match &event.kind {
            None => suite.fail(name, "an event has no kind"),
            Some(Kind::Unknown(unknown)) => {
                suite.expect(name, event.raw.is_some(), || "an unknown event keeps no `raw`".to_owned());
                suite.expect(name, !unknown.kind.is_empty(), || "an unknown event has no `kind`".to_owned());
            }
            Some(Kind::Message(message)) => {
                suite.expect(name, message.id.starts_with("msg_"), || {
                    format!("a message's id is {:?}", message.id)
                });
                let said = message.content.as_ref().is_some_and(|content| content.kind.is_some());
                suite.expect(name, said, || "a message has no content".to_owned());
                let user = event.address.as_ref().map_or("", |address| address.user_id.as_str());
                suite.expect(name, !user.is_empty(), || "a message has no `address.user_id`".to_owned());
                suite.expect(name, message.address == event.address, || {
                    "a message's address is not its event's".to_owned()
                });
            }
            Some(_) => {}
        }
    }
}

/// Cut off anywhere, a request is refused or read, and nothing else happens.
fn check_truncated<W>(suite: &mut Conformance<W>, account: &Account<W::Settings>, fixture: &Fixture)
where
    W: Webhook,
    W::Settings: Debug,
{
    let length = fixture.request.body.len();
    for at in (0..length).step_by((length / 64).max(1)) {
        let mut cut = fixture.clone();
        cut.request.body = fixture.request.body.slice(..at);
        let request = sign(suite, &cut);
        receive(suite, account, &format!("{} cut at byte {at}", fixture.name), &request);
    }
}

/// Fields nobody knows change nothing and are kept.
fn check_unknown_fields<W>(suite: &mut Conformance<W>, account: &Account<W::Settings>, fixture: &Fixture)
where
    W: Webhook,
    W::Settings: Debug,
{
    let Some(body) = with_unknown_field(&fixture.request) else { return };
    if !fixture.sign {
        return;
    }
    let mut changed = fixture.clone();
    changed.request.body = body;
    let (before, after) = (sign(suite, fixture), sign(suite, &changed));
    let name = format!("{} with an unknown field", fixture.name);
    let Some(Ok(before)) = receive(suite, account, &name, &before) else { return };
    match receive(suite, account, &name, &after) {
        Some(Ok(after)) => {
            let same = before.events.len() == after.events.len();
            suite.expect(&name, same, || "brings other events".to_owned());
            let kept = after.events.is_empty() || after.events.iter().any(keeps_mark);
            suite.expect(&name, kept, || "the field is not kept in `raw` or `metadata`".to_owned());
        }
        Some(Err(refusal)) => suite.fail(&name, format!("is refused: {refusal}")),
        None => {}
    }
}

fn with_unknown_field(request: &WebhookRequest) -> Option<Bytes> {
    let text = std::str::from_utf8(&request.body).ok()?;
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(text) {
        fields.insert(MARK_FIELD.to_owned(), json!({ "deep": [MARK] }));
        return Some(Value::Object(fields).to_string().into());
    }
    let content_type = request.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if content_type.contains("form-urlencoded") && !text.is_empty() {
        return Some(format!("{text}&{MARK_FIELD}={MARK}").into());
    }
    let at = text.trim_start().starts_with('<').then(|| text.rfind("</"))??;
    Some(format!("{}<{MARK_FIELD}><![CDATA[{MARK}]]></{MARK_FIELD}>{}", &text[..at], &text[at..]).into())
}

fn keeps_mark(event: &InboundEvent) -> bool {
    let raw =
        event.raw.as_ref().map(|raw| String::from_utf8_lossy(&raw.body).into_owned()).unwrap_or_default();
    let metadata = match &event.kind {
        Some(Kind::Message(message)) => message.metadata.values().any(|value| value.contains(MARK)),
        _ => false,
    };
    metadata || raw.contains(MARK)
}

/// A request that is played as it is.
fn check_played<W>(suite: &mut Conformance<W>, account: &Account<W::Settings>, fixture: &Fixture)
where
    W: Webhook,
    W::Settings: Debug,
{
    let request = sign(suite, fixture);
    let Some(received) = receive(suite, account, &fixture.name, &request) else { return };
    let status = match &received {
        Ok(received) => received.answer.status,
        Err(refusal) => refusal.status(),
    };
    let expected = fixture.expect.map_or_else(|| status.is_success(), |expected| status.as_u16() == expected);
    suite.expect(&fixture.name, expected, || match &received {
        Ok(_) => format!("accepted with {status}"),
        Err(refusal) => format!("refused with {status}: {refusal}"),
    });
}

/// The host around the channel: durable before answered, once, 503 while the broker is away.
fn check_ingress<W>(suite: &mut Conformance<W>, ingress: &Ingress, fixture: &Fixture)
where
    W: Webhook,
    W::Settings: Debug,
{
    let (name, request) = (&fixture.name, sign(suite, fixture));
    let before = ingress.stored().len();
    ingress.broker_away(true);
    let away = ingress.post(&request);
    ingress.broker_away(false);
    let (first, again) = (ingress.post(&request), ingress.post(&request));
    let (Ok(away), Ok(first), Ok(again)) = (away, first, again) else {
        return suite.fail(name, "the ingress does not answer");
    };
    let brought = ingress.stored().len() - before;
    suite.expect(name, first.status.is_success(), || {
        format!("the ingress answers {}: {}", first.status, first.body)
    });
    suite.expect(name, again.status.is_success(), || {
        format!("a repeat is answered {}: {}", again.status, again.body)
    });
    if brought > 0 {
        suite.expect(name, away.status == StatusCode::SERVICE_UNAVAILABLE && away.retry_after, || {
            format!("while the broker is away it is answered {} instead of 503 with Retry-After", away.status)
        });
    }
    let unique: BTreeSet<String> = ingress.stored().into_iter().collect();
    suite.expect(name, unique.len() == ingress.stored().len(), || "a repeat is stored twice".to_owned());
    let text = format!("{} {} {}", away.text, first.text, again.text);
    suite.secrets_stay_secret(&format!("{name}: the ingress's answers"), &text);
}

fn check_bad_bodies<W>(
    suite: &mut Conformance<W>,
    account: &Account<W::Settings>,
    ingress: &Ingress,
    post: &Fixture,
    limit: usize,
) where
    W: Webhook,
    W::Settings: Debug,
{
    let mut large = sign(suite, post);
    large.body = vec![b'a'; limit + 1].into();
    match ingress.post(&large) {
        Ok(answered) => {
            suite.expect("oversized body", answered.status == StatusCode::PAYLOAD_TOO_LARGE, || {
                format!("is answered {} instead of 413", answered.status)
            });
        }
        Err(problem) => suite.fail("oversized body", problem),
    }
    let base = format!("/{}/no-such-account", suite.channel.name());
    match ingress.post_to(&base, &sign(suite, post)) {
        Ok(answered) => {
            let unknown = answered.status == StatusCode::NOT_FOUND;
            suite.expect("unknown account", unknown, || {
                format!("is answered {} instead of 404", answered.status)
            });
        }
        Err(problem) => suite.fail("unknown account", problem),
    }
    let garbage: [&[u8]; 6] = [b"", b"{", b"[1,2]", b"<a><b>", b"\xff\xfe\x00\x01", b"%%%=&&&"];
    for body in garbage {
        let mut bad = post.clone();
        bad.request.body = Bytes::from_static(body);
        let request = sign(suite, &bad);
        let about = format!("signed garbage {:?}", String::from_utf8_lossy(body));
        let Some(received) = receive(suite, account, &about, &request) else { continue };
        match received {
            Err(refusal) => {
                let answered = ingress.post(&request).map(|answered| answered.status);
                suite.expect(&about, answered == Ok(StatusCode::BAD_REQUEST), || {
                    format!("is answered {answered:?} instead of 400: {refusal}")
                });
            }
            // Some protocols cannot tell; then at least nothing is made up.
            Ok(received) => {
                let known = received.events.iter().any(|event| !matches!(event.kind, Some(Kind::Unknown(_))));
                suite.expect(&about, !known, || "is read as an event".to_owned());
            }
        }
    }
    let mut bare = sign(suite, post);
    bare.headers = HeaderMap::new();
    receive(suite, account, "no headers at all", &bare);
}

/// Calls the channel; a panic is a failure, and a refusal must not hold secrets.
pub(super) fn receive<W>(
    suite: &mut Conformance<W>,
    account: &Account<W::Settings>,
    about: &str,
    request: &WebhookRequest,
) -> Option<Result<Received, Refusal>>
where
    W: Webhook,
    W::Settings: Debug,
{
    let channel = suite.channel.clone();
    let received = suite.guarded(about, || channel.receive(account, request))?;
    if let Err(refusal) = &received {
        suite.secrets_stay_secret(&format!("{about}: the refusal"), &format!("{refusal} {refusal:?}"));
    }
    Some(received)
}

fn ids(events: &[InboundEvent]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

/// `inbound/text.json` → `inbound__text`
fn snapshot_name(fixture: &str) -> String {
    let bare = fixture.rsplit_once('.').map_or(fixture, |(bare, _)| bare);
    bare.replace('/', "__")
}
