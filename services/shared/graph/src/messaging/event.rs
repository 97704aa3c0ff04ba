//! One item of a batch, as what it means.

use heliograph_channel::{Inbound, events::named, inbound::timestamp, json::integer};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, ConsentSignal, Content, ConversationStart, Edit, InboundEvent, MessageReference, Raw,
        Reaction, ReadMark, Receipt, ReceiptState, Referral, content::Kind as ContentKind,
        inbound_event::Kind,
    },
};
use serde_json::Value;

use super::{
    Profile,
    batch::{Frame, Place, fingerprint, id},
};

/// What an item may hold, one of them each.
const KINDS: [&str; 14] = [
    "message",
    "postback",
    "reaction",
    "message_edit",
    "read",
    "delivery",
    "optin",
    "account_linking",
    "policy_enforcement",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    // Last: it may come beside a message or a postback.
    "referral",
];
const FRAME: [&str; 3] = ["sender", "recipient", "timestamp"];

/// Says that an event opens no messaging window.
pub(super) const NO_WINDOW: &str = "none";

/// An item being read.
pub(super) struct Item<'a> {
    pub(super) inbound: &'a Inbound<'a>,
    pub(super) profile: &'a Profile,
    frame: Frame<'a>,
    place: Place,
    value: &'a Value,
}

impl<'a> Item<'a> {
    pub(super) fn new(
        inbound: &'a Inbound<'a>,
        profile: &'a Profile,
        frame: Frame<'a>,
        place: Place,
        value: &'a Value,
    ) -> Self {
        Self { inbound, profile, frame, place, value }
    }

    /// What it means; several events where it speaks of several messages. What is not understood is kept, and what
    /// stands beside what is understood, once.
    pub(super) fn read(&self) -> Vec<InboundEvent> {
        let mut events = self.meant();
        let fields = self.value.as_object().map_or(0, serde_json::Map::len);
        let usual = FRAME.iter().filter(|name| self.value.get(name).is_some()).count() + 1;
        if let Some(first) = events.first_mut()
            && (fields > usual || !self.frame.is_known())
        {
            first.raw = Some(self.raw());
        }
        events
    }

    fn meant(&self) -> Vec<InboundEvent> {
        let kind = self.kind();
        match self.place {
            // What the account itself did, through us or another program: never the customer's.
            Place::Ours if id(&self.value["sender"]["id"]) == self.profile.id => {
                let kind = if kind == "message" { "echo" } else { &format!("own.{kind}") };
                return vec![self.kept(kind)];
            }
            Place::Ours => {}
            // Whoever has the conversation answers; we only watch.
            Place::Standby => return vec![self.kept(&format!("standby.{kind}"))],
            Place::Foreign => return vec![self.kept(&format!("other_account.{kind}"))],
            Place::Change => return vec![self.kept(&format!("changes.{}", self.field()))],
        }
        let value = &self.value[kind];
        let understood = match kind {
            "message" => self.message(value),
            "postback" => self.postback(value),
            "reaction" => self.reaction(value),
            "message_edit" => self.edit(value),
            "read" => self.seen(value),
            "delivery" => self.delivered(value),
            "optin" => Some(vec![self.opted_in(value)]),
            "referral" => self.referred(value),
            "account_linking" => Some(vec![self.kept(&specific(kind, &value["status"]))]),
            "policy_enforcement" => Some(vec![self.kept(&specific(kind, &value["action"]))]),
            kind => Some(vec![self.kept(kind)]),
        };
        understood.unwrap_or_else(|| vec![self.unreadable()])
    }

    /// The word for what it holds.
    fn kind(&self) -> &str {
        let Some(fields) = self.value.as_object() else { return "unreadable" };
        let known = KINDS.iter().copied().find(|kind| fields.contains_key(*kind));
        let other = || fields.keys().map(String::as_str).find(|key| !FRAME.contains(key));
        known.or_else(other).unwrap_or("empty")
    }

    /// What changed, for items that are no part of a conversation.
    fn field(&self) -> &str {
        self.value["field"].as_str().unwrap_or("unknown")
    }

    /// Who the conversation is with: the sender, unless that is the account itself.
    pub(super) fn address(&self) -> Address {
        let party = |name: &str| match id(&self.value[name]["id"]) {
            // Somebody who ticked a box on a page, and has no id yet.
            none if none.is_empty() => match id(&self.value[name]["user_ref"]) {
                none if none.is_empty() => none,
                reference => format!("{USER_REF}{reference}"),
            },
            id => id,
        };
        let sender = party("sender");
        let user_id = if sender == self.profile.id { party("recipient") } else { sender };
        Address { user_id, ..Address::default() }
    }

    /// The provider's clock: milliseconds, now and then as text.
    pub(super) fn time(&self) -> Option<Timestamp> {
        integer(&self.value["timestamp"]).map(timestamp)
    }

    /// An event of this item.
    pub(super) fn event(&self, event_id: &str, kind: Kind) -> InboundEvent {
        self.inbound.event(event_id, self.address(), self.time(), kind)
    }

    /// An event that is kept as it came.
    pub(super) fn kept(&self, kind: &str) -> InboundEvent {
        let event_id = format!("{kind}:{}", self.fingerprint());
        self.inbound.unknown(&event_id, self.address(), self.time(), kind, self.raw())
    }

    /// An item that says less than its kind must.
    pub(super) fn unreadable(&self) -> InboundEvent {
        self.kept(&format!("unreadable.{}", self.kind()))
    }

    /// The item as it came.
    pub(super) fn raw(&self) -> Raw {
        self.frame.keep(self.value)
    }

    /// What tells the item from every other, where it has no id.
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(self.value)
    }

    fn reaction(&self, reaction: &Value) -> Option<Vec<InboundEvent>> {
        let (mid, action) = (&mid(reaction)?, text(reaction, "action")?);
        let emoji = match action {
            "unreact" => "",
            _ => text(reaction, "emoji").or_else(|| text(reaction, "reaction").map(picture))?,
        };
        let user = self.address().user_id;
        let moment = integer(&self.value["timestamp"]).unwrap_or_default();
        let event_id = format!("reaction:{mid}:{user}:{action}:{moment}");
        let content = ContentKind::Reaction(Reaction { target: Some(named(mid)), emoji: emoji.to_owned() });
        Some(vec![self.said(&event_id, "", content, None)])
    }

    fn edit(&self, edit: &Value) -> Option<Vec<InboundEvent>> {
        let (mid, body) = (&mid(edit)?, text(edit, "text")?);
        let count = match id(&edit["num_edit"]) {
            none if none.is_empty() => self.fingerprint(),
            // Instagram counts from the message as it was first written, and tells of that too.
            none if none == "0" => return Some(vec![self.kept("message_edit")]),
            count => count,
        };
        let edit = Edit {
            target: Some(self.own_target(mid)),
            content: Some(Box::new(heliograph_domain::content::text(body))),
        };
        let event_id = format!("edit:{mid}:{count}");
        let mut event = self.said(&event_id, "", ContentKind::Edit(Box::new(edit)), None);
        NO_WINDOW.clone_into(&mut event.opens_window);
        Some(vec![event])
    }

    /// Messenger says until when, Instagram up to which message.
    fn seen(&self, read: &Value) -> Option<Vec<InboundEvent>> {
        let user = self.address().user_id;
        let (event_id, mark) = if let Some(mid) = mid(read) {
            (format!("read:{mid}"), ReadMark { up_to: Some(named(&mid)), until: None })
        } else {
            let watermark = integer(&read["watermark"])?;
            let mark = ReadMark { up_to: None, until: Some(timestamp(watermark)) };
            (format!("read:{user}:{watermark}"), mark)
        };
        Some(vec![self.event(&event_id, Kind::ReadMark(mark))])
    }

    /// A receipt for each message it names. Where it names none, all before its time are meant; that is kept.
    fn delivered(&self, delivery: &Value) -> Option<Vec<InboundEvent>> {
        integer(&delivery["watermark"])?;
        let receipt = |mid: String| {
            let event_id = format!("delivery:{mid}");
            let state = ReceiptState::Delivered.into();
            let receipt = Receipt { state, provider_message_id: mid, ..Receipt::default() };
            self.event(&event_id, Kind::Receipt(receipt))
        };
        let mids = delivery["mids"].as_array().into_iter().flatten();
        let mids = mids.map(id).filter(|mid| !mid.is_empty());
        let receipts: Vec<InboundEvent> = mids.map(receipt).collect();
        Some(if receipts.is_empty() { vec![self.kept("delivery")] } else { receipts })
    }

    fn opted_in(&self, optin: &Value) -> InboundEvent {
        let user = self.address().user_id;
        let event_id = format!("optin:{user}:{}", self.fingerprint());
        let kind = match text(optin, "type") {
            Some("notification_messages") => Kind::Consent(ConsentSignal {
                granted: text(optin, "notification_messages_status") != Some("STOP_NOTIFICATIONS"),
                purpose: "marketing".to_owned(),
                source: format!("{}: notification_messages", self.profile.product.channel),
                confirmed_by_provider: true,
            }),
            Some(other) => return self.kept(&format!("optin.{other}")),
            // A button or a box on a page of the business.
            None => Kind::ConversationStart(ConversationStart {
                referral: Some(Referral {
                    source: "plugin".to_owned(),
                    payload: text(optin, "ref").unwrap_or_default().to_owned(),
                    ..Referral::default()
                }),
            }),
        };
        let mut event = self.event(&event_id, kind);
        // It may hold a token that allows messages later.
        event.raw = Some(self.raw());
        event
    }

    /// A link, a code or an advertisement that was followed. The advertisement opens its window once they write.
    fn referred(&self, value: &Value) -> Option<Vec<InboundEvent>> {
        let referral = referral(value)?;
        let window = if referral.source == AD { NO_WINDOW } else { "message" };
        Some(vec![self.started("referral", Some(referral), window)])
    }

    pub(super) fn started(&self, word: &str, referral: Option<Referral>, window: &str) -> InboundEvent {
        let event_id = format!("{word}:{}:{}", self.address().user_id, self.fingerprint());
        let mut event = self.event(&event_id, Kind::ConversationStart(ConversationStart { referral }));
        window.clone_into(&mut event.opens_window);
        event
    }

    /// A message of this very customer's.
    pub(super) fn own_target(&self, mid: &str) -> MessageReference {
        self.inbound.theirs(mid)
    }

    /// Content as a message; `mid` is empty where it has no id of its own.
    pub(super) fn said(
        &self,
        event_id: &str,
        mid: &str,
        kind: ContentKind,
        reply_to: Option<MessageReference>,
    ) -> InboundEvent {
        let content = Content { kind: Some(kind) };
        self.event(event_id, Kind::Message(self.written(event_id, mid, content, reply_to)))
    }
}

/// What a customer is called who has no id yet.
pub(super) const USER_REF: &str = "user_ref:";

/// `Referral.source` of an advertisement.
pub(super) const AD: &str = "ad";

/// What led the customer here.
pub(super) fn referral(value: &Value) -> Option<Referral> {
    let referral = value.as_object()?;
    let source = match referral.get("source").and_then(Value::as_str).unwrap_or_default() {
        "ADS" => AD.to_owned(),
        "SHORTLINK" | "" => "link".to_owned(),
        "MESSENGER_CODE" => "qr".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let about = &value["ads_context_data"];
    let first = |names: &[&str]| {
        let found = names.iter().find_map(|name| text(about, name));
        found.or_else(|| text(value, "referer_uri")).unwrap_or_default().to_owned()
    };
    Some(Referral {
        source,
        id: id(&value["ad_id"]),
        url: first(&["photo_url", "video_url"]),
        headline: text(about, "ad_title").unwrap_or_default().to_owned(),
        payload: text(value, "ref").unwrap_or_default().to_owned(),
    })
}

/// A text that is there and not empty.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

/// The id of the message it is about.
pub(super) fn mid(value: &Value) -> Option<String> {
    Some(id(&value["mid"])).filter(|mid| !mid.is_empty())
}

/// `policy_enforcement.block`
fn specific(kind: &str, what: &Value) -> String {
    what.as_str().map_or_else(|| kind.to_owned(), |what| format!("{kind}.{what}"))
}

/// The picture for the word of a reaction that came without one.
fn picture(word: &str) -> &str {
    match word {
        "smile" => "😆",
        "angry" => "😠",
        "sad" => "😢",
        "wow" => "😮",
        "love" => "❤️",
        "like" => "👍",
        "dislike" => "👎",
        other => other,
    }
}
