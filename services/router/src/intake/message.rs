//! A customer's message becomes a proposal.

use std::time::Duration;

use heliograph_domain::{content, ids};
use heliograph_proto::{
    Timestamp,
    v1::{
        Content, InboundEvent, Message, MessageReference, Proposal, RoutingEntry, Selection, Window,
        content::Kind, inbound_event, routing_entry,
    },
};
use heliograph_store::{
    contacts::Contact,
    windows::{self, WindowKey},
};

use super::{Case, handle::Handled};
use crate::{
    book::{Asked, Saying, judge, wanted},
    error::Failure,
    naming::SCOPE,
};

/// How long Redis may take: a window can be rebuilt from the transcript, and a typed answer reads as text.
const REDIS_PATIENCE: Duration = Duration::from_millis(250);

/// Key of the metadata that holds what the customer typed, where it was taken for an answer.
const TYPED: &str = "typed";

/// Resolves, judges, and appends the proposal.
pub(super) async fn propose(case: Case<'_>, message: &Message) -> Result<Handled, Failure> {
    let Case { event, address, .. } = case;
    if message.id.is_empty() {
        return Err(Failure::poison("no_id", "the message has no id"));
    }
    let contact = case.contact().await?.contact;
    let book = case.book();
    let tenant = book.tenant(&event.tenant).map(|tenant| &**tenant);
    let verdict = judge(&Asked { tenant, address, contact: Some(&contact), now_ms: case.stored_ms });
    let text = message.content.as_ref().map_or_else(String::new, content::preview);
    let language = language(message, &address.locale, &contact);
    let saying = Saying {
        channel: &event.channel,
        account: &event.account,
        region: verdict.region.as_ref().map_or("", |region| &region.name),
        language: &language,
        text: &text,
    };
    let wanted = wanted(tenant, &saying);
    let window = open_window(case, true).await;
    let event = match selection(case, message).await {
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
            verdict: Some(verdict),
            wanted: Some(wanted),
            window,
            unattended: false,
        })),
    };
    case.append(&entry, "routing.proposal").await?;
    Ok(Handled::Done)
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

/// Opens the messaging window that the event opens, if it opens one.
pub(super) async fn open_window(case: Case<'_>, message: bool) -> Option<Window> {
    let Case { intake, event, address, .. } = case;
    let book = case.book();
    let tenant = book.tenant(&event.tenant).map(|tenant| &**tenant);
    let rule = book.window(tenant, &event.channel, &event.account, &event.opens_window, message)?;
    let length = Duration::from_secs(u64::try_from(rule.seconds).unwrap_or(0));
    let limit = u32::try_from(rule.messages).ok().filter(|limit| *limit > 0);
    let window = windows::Window::opened(&rule.kind, case.received_ms(), length, limit);
    if intake.redis.is_up() {
        let key = WindowKey::new(&event.tenant, &event.channel, &event.account, &address.user_id);
        let opened = tokio::time::timeout(REDIS_PATIENCE, intake.windows.open(&key, &window)).await;
        if !matches!(opened, Ok(Ok(()))) {
            tracing::debug!(
                channel = event.channel,
                "a messaging window was not remembered; it will be rebuilt"
            );
        }
    }
    Some(Window {
        kind: window.kind,
        opened_at: Some(Timestamp::from_millis(window.opened_at_ms)),
        expires_at: Some(Timestamp::from_millis(window.expires_at_ms)),
        remaining: limit.map_or(-1, |limit| i32::try_from(limit).unwrap_or(i32::MAX)),
    })
}

/// The language the customer writes in: as the message says, else as their address or contact does.
fn language(message: &Message, locale: &str, contact: &Contact) -> String {
    let said = match message.content.as_ref().and_then(|content| content.kind.as_ref()) {
        Some(Kind::Text(text)) => text.language.as_str(),
        _ => "",
    };
    let known = [said, locale, contact.locale.as_deref().unwrap_or("")];
    known.into_iter().find(|tag| !tag.is_empty()).unwrap_or("").replace('_', "-")
}
