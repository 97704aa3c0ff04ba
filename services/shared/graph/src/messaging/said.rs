//! What a customer writes or taps.

use heliograph_channel::{events::named, inbound::album, json::has_beyond};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Content, Custom, Deletion, Direction, InboundEvent, Message, MessageClass, MessageReference, Referral,
    Selection, Sender, SenderKind, content::Kind as ContentKind, inbound_event::Kind,
};
use serde_json::Value;

use super::{
    attachment::{self, Attached},
    event::{self, Item, NO_WINDOW, mid, referral, text},
    payload::chosen,
};

/// Fields of a message that are read, or that say nothing more than those.
const KNOWN: [&str; 12] = [
    "mid",
    "seq",
    "text",
    "quick_reply",
    "reply_to",
    "attachments",
    "is_echo",
    "is_deleted",
    "is_unsupported",
    "referral",
    "app_id",
    "metadata",
];

impl Item<'_> {
    pub(super) fn message(&self, message: &Value) -> Option<Vec<InboundEvent>> {
        let flag = |name: &str| message[name].as_bool().unwrap_or(false);
        if flag("is_echo") {
            return Some(vec![self.kept("echo")]);
        }
        let mid = &mid(message)?;
        if self.address().user_id.is_empty() {
            return None;
        }
        if flag("is_deleted") {
            let deletion = ContentKind::Deletion(Deletion { target: Some(self.own_target(mid)) });
            let mut event = self.said(&format!("deleted:{mid}"), "", deletion, None);
            NO_WINDOW.clone_into(&mut event.opens_window);
            return Some(vec![event]);
        }
        let contents = if flag("is_unsupported") { vec![unsupported()] } else { contents(message) };
        if contents.is_empty() {
            return None;
        }
        let reply_to = event::mid(&message["reply_to"]).as_deref().map(named);
        let total = contents.len();
        let mut events = Vec::with_capacity(total);
        for (index, kind) in contents.into_iter().enumerate() {
            let event_id = if index == 0 { mid.to_owned() } else { format!("{mid}:{index}") };
            let mut event = self.said(&event_id, mid, kind, reply_to.clone());
            if let Some(Kind::Message(said)) = &mut event.kind {
                said.referral = led_by(message).filter(|_| index == 0);
                if total == 1
                    && let Some(link) = preview(message)
                {
                    said.metadata.insert("link".to_owned(), link);
                }
            }
            if index == 0 && has_beyond(message, &KNOWN) {
                event.raw = Some(self.raw());
            }
            events.push(event);
        }
        album(&mut events, mid);
        Some(events)
    }

    /// A button of ours, of a menu or of an ice breaker.
    pub(super) fn postback(&self, postback: &Value) -> Option<Vec<InboundEvent>> {
        let payload = text(postback, "payload").or_else(|| text(postback, "title"))?;
        let led_by = referral(&postback["referral"]);
        if self.profile.get_started.as_deref() == Some(payload) {
            return Some(vec![self.started("start", led_by, "message")]);
        }
        let mid = &mid(postback).unwrap_or_default();
        let event_id = match mid.as_str() {
            "" => format!("postback:{}", self.fingerprint()),
            mid => format!("postback:{mid}"),
        };
        let mut event = self.said(&event_id, mid, selection(payload, text(postback, "title")), None);
        if let Some(Kind::Message(said)) = &mut event.kind {
            said.referral = led_by;
        }
        Some(vec![event])
    }

    pub(super) fn written(
        &self,
        event_id: &str,
        mid: &str,
        content: Content,
        reply_to: Option<MessageReference>,
    ) -> Message {
        Message {
            id: self.inbound.message_id(event_id),
            direction: Direction::Inbound.into(),
            content: Some(content),
            reply_to,
            sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
            message_class: MessageClass::Service.into(),
            time: self.time(),
            provider_message_id: mid.to_owned(),
            ..Message::default()
        }
    }
}

/// What a message holds: a text, or what is attached with the text as the first one's caption.
fn contents(message: &Value) -> Vec<ContentKind> {
    let body = text(message, "text");
    if let Some(payload) = text(&message["quick_reply"], "payload") {
        return vec![selection(payload, body)];
    }
    let mut contents = Vec::new();
    for attachment in attachments(message) {
        match attachment::read(attachment) {
            // The text has the link in it.
            Attached::Preview(_) if body.is_some() => {}
            Attached::Preview(kind) | Attached::Content(kind) => contents.push(kind),
        }
    }
    match (body, contents.first_mut()) {
        (Some(body), Some(ContentKind::Media(media))) => body.clone_into(&mut media.caption),
        (Some(body), _) => contents.insert(0, content::text(body).kind.expect("a text has a kind")),
        (None, _) => {}
    }
    contents
}

/// One attachment stands alone in some documents.
fn attachments(message: &Value) -> Vec<&Value> {
    match &message["attachments"] {
        Value::Array(attachments) => attachments.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Where the link leads that a text came with a preview of.
fn preview(message: &Value) -> Option<String> {
    text(message, "text")?;
    attachments(message).into_iter().find_map(attachment::link_of_preview).map(str::to_owned)
}

/// The story that was answered or that names the account, or the advertisement that was followed.
fn led_by(message: &Value) -> Option<Referral> {
    let story = &message["reply_to"]["story"];
    if story.is_object() {
        return Some(Referral {
            source: STORY.to_owned(),
            id: super::batch::id(&story["id"]),
            url: text(story, "url").unwrap_or_default().to_owned(),
            ..Referral::default()
        });
    }
    let mention = attachments(message).into_iter().find_map(attachment::link_of_mention);
    let mention =
        mention.map(|url| Referral { source: STORY.to_owned(), url: url.to_owned(), ..Referral::default() });
    mention.or_else(|| referral(&message["referral"]))
}

/// `Referral.source` of a story.
const STORY: &str = "story";

fn selection(payload: &str, title: Option<&str>) -> ContentKind {
    let chosen = chosen(payload);
    let title = title.unwrap_or(&chosen.option_id).to_owned();
    ContentKind::Selection(Selection { title, ..chosen })
}

/// Something the customer sees and the provider does not show to businesses.
fn unsupported() -> ContentKind {
    ContentKind::Custom(Custom { kind: "unsupported".to_owned(), ..Custom::default() })
}
