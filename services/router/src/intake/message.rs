//! A customer's message becomes a proposal.

use std::time::Duration;

use heliograph_domain::{content, ids};
use heliograph_policy::KeywordKind;
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Content, InboundEvent, Message, MessageReference, Notice, Proposal, RoutingEntry, Selection,
        Window, content::Kind, inbound_event, routing_entry,
    },
};
use heliograph_store::{
    contacts::Contact,
    windows::{self, WindowKey, WindowSet},
};

use super::{
    Case, REDIS_PATIENCE, answer, callback,
    handle::Handled,
    join,
    tongue::{Tongue, continuing},
    word::{self, Reply},
};
use crate::{
    book::{Saying, wanted},
    error::Failure,
    naming::SCOPE,
};

/// Key of the metadata that holds what the customer typed, where it was taken for an answer.
const TYPED: &str = "typed";

/// Resolves, judges, and appends the proposal; then what the system itself answers.
pub(super) async fn propose(case: Case<'_>, message: &Message) -> Result<Handled, Failure> {
    let Case { event, address, .. } = case;
    if message.id.is_empty() {
        return Err(Failure::poison("no_id", "the message has no id"));
    }
    let mut contact = case.contact().await?.contact;
    let typed = body(message);
    let joined = match typed {
        Some(text) => join::by_code(case, &contact, text).await?,
        None => None,
    };
    let continued = joined.is_some();
    if let Some(joined) = joined {
        contact = joined;
    }
    let book = case.book();
    let tenant = book.tenant(&event.tenant).map(|tenant| &**tenant);
    let selected = if continued { None } else { selection(case, message).await };
    let word = tenant.zip(typed).filter(|_| !continued).and_then(|(tenant, text)| {
        let locale = tongue("", address, &contact).or(&tenant.locale);
        let word = tenant.policy().keyword(&event.channel, text, locale)?;
        // An answer to a question that was asked is an answer; but STOP always holds.
        (selected.is_none() || word.kind == KeywordKind::Stop).then_some((tenant, word))
    });
    let verdict = case.verdict(&contact, kind_of(message));
    let mut reply = None;
    if let Some((tenant, word)) = &word {
        let tongue = tongue("", address, &contact);
        reply = word::obey(case, tenant, &contact, message, word, &tongue).await?;
    } else if continued {
        let own = tenant.map_or("", |tenant| &tenant.locale);
        let text = continuing(tongue(said_in(message), address, &contact).or(own)).to_owned();
        reply = Some(Reply { text, notice: Notice::Unspecified });
    }
    let text = message.content.as_ref().map_or_else(String::new, content::preview);
    let saying = Saying { language: said_in(message), text: &text };
    let wanted = case.ask(Some(&contact), kind_of(message), |asked| wanted(asked, &saying));
    let opened = open_windows(case, Some(message)).await;
    let selected = selected.filter(|_| word.is_none());
    let wish = callback::wish(selected.as_ref().unwrap_or(message));
    let event = match selected {
        Some(selected) => {
            InboundEvent { kind: Some(inbound_event::Kind::Message(selected)), ..event.clone() }
        }
        None => event.clone(),
    };
    let entry = RoutingEntry {
        id: ids::derive("ent", &["proposal", &event.id]),
        tenant: event.tenant.clone(),
        kind: Some(routing_entry::Kind::Proposal(Proposal {
            event: Some(event),
            contact: contact.id.clone(),
            scope: SCOPE.to_owned(),
            verdict: Some(verdict.clone()),
            wanted: Some(wanted),
            window: opened.best(case.received_ms()).map(on_wire),
            unattended: word.is_some() || continued,
            windows: opened.iter().map(on_wire).collect(),
        })),
    };
    case.append(&entry, "routing.proposal").await?;
    if let Some(wish) = wish {
        callback::ask(case, &contact, wish).await?;
    }
    if let Some(Reply { text, notice }) = reply {
        answer::send(case, &contact, verdict, text, notice).await?;
    }
    Ok(Handled::Done)
}

/// What the customer typed, if it is text.
fn body(message: &Message) -> Option<&str> {
    match &message.content.as_ref()?.kind {
        Some(Kind::Text(text)) => Some(&text.body),
        _ => None,
    }
}

fn kind_of(message: &Message) -> &'static str {
    let kind = message.content.as_ref().and_then(|content| content.kind.as_ref());
    kind.map_or("", content::kind_name)
}

/// What the customer typed as the option it means: egress showed the options of a question as numbered text.
async fn selection(case: Case<'_>, message: &Message) -> Option<Message> {
    let Case { intake, event, address, .. } = case;
    let Some(Kind::Text(text)) = &message.content.as_ref()?.kind else { return None };
    if !case.book().numbers_options(&event.channel) || !intake.redis.is_up() {
        return None;
    }
    let asked = intake.questions.recall(&event.tenant, &event.channel, &event.account, &address.user_id);
    let question = tokio::time::timeout(REDIS_PATIENCE, asked).await.ok()?.ok()??;
    let option = question.answer(&text.body)?;
    let selection = Selection {
        option_id: option.id.clone(),
        title: option.title.clone(),
        payload: option.payload.clone(),
        question: Some(MessageReference {
            message_id: question.message_id.clone(),
            ..MessageReference::default()
        }),
        typed: true,
    };
    let mut selected = message.clone();
    selected.metadata.insert(TYPED.to_owned(), text.body.clone());
    selected.content = Some(Content { kind: Some(Kind::Selection(selection)) });
    Some(selected)
}

/// Opens the messaging windows that the event opens, each kind by its own rule, and returns them. Redis holds them for
/// the moment; of a message, the public event tells them for good.
pub(super) async fn open_windows(case: Case<'_>, message: Option<&Message>) -> WindowSet {
    let Case { intake, event, address, .. } = case;
    let book = case.book();
    let tenant = book.tenant(&event.tenant).map(|tenant| &**tenant);
    let led_by =
        message.and_then(|message| message.referral.as_ref()).map_or("", |referral| &referral.source);
    let place = (event.channel.as_str(), event.account.as_str());
    let rules = book.windows(tenant, place, &event.opens_window, message.is_some(), led_by);
    let key = WindowKey::new(&event.tenant, &event.channel, &event.account, &address.user_id);
    let opened: WindowSet = rules
        .into_iter()
        .map(|rule| {
            let length = Duration::from_secs(u64::try_from(rule.seconds).unwrap_or(0));
            let limit = u32::try_from(rule.messages).ok().filter(|limit| *limit > 0);
            windows::Window::opened(rule.kind, case.received_ms(), length, limit)
        })
        .collect();
    for window in opened.iter().filter(|_| intake.redis.is_up()) {
        let stored = tokio::time::timeout(REDIS_PATIENCE, intake.windows.open(&key, window)).await;
        if !matches!(stored, Ok(Ok(()))) {
            let (channel, kind) = (&event.channel, &window.kind);
            tracing::debug!(channel, kind, "a messaging window was not remembered; it will be rebuilt");
        }
    }
    opened
}

fn on_wire(window: &windows::Window) -> Window {
    Window {
        kind: window.kind.clone(),
        opened_at: Some(Timestamp::from_millis(window.opened_at_ms)),
        expires_at: Some(Timestamp::from_millis(window.expires_at_ms)),
        remaining: window.remaining().map_or(-1, |left| i32::try_from(left).unwrap_or(i32::MAX)),
    }
}

/// The language the customer wrote in, where the message says it.
fn said_in(message: &Message) -> &str {
    match message.content.as_ref().and_then(|content| content.kind.as_ref()) {
        Some(Kind::Text(text)) => &text.language,
        _ => "",
    }
}

fn tongue<'a>(said: &'a str, address: &'a Address, contact: &'a Contact) -> Tongue<'a> {
    Tongue { said, address: &address.locale, contact: contact.locale.as_deref() }
}
