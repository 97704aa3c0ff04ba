//! One entry of a visitor's log, what it becomes on the wire, and what messages become as entries.

use std::sync::Arc;

use heliograph_domain::ids;
use heliograph_proto::v1::{
    Choice, Content, Media, Message, Sender, SenderKind, Told, content::Kind, option::Action,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use heliograph_media::Links;

/// Who said it: `customer`, `agent`, `bot` or `system`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Author {
    /// See above.
    pub kind: String,
    /// For people; may be empty.
    pub name: String,
}

/// A file of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Our medium (`med_…`), or empty when `url` is set.
    pub id: String,
    /// Somebody else's address, or empty.
    #[serde(default)]
    pub url: String,
    /// File name.
    pub name: String,
    /// Media type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Bytes; 0 when unknown.
    pub size: u64,
}

/// A button, or the button that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Button {
    /// Comes back when it is chosen.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// Ours alone: carried back with the selection.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payload: String,
}

/// One thing said, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Its place in the visitor's log: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// What it is recognised by when it comes twice.
    pub key: String,
    /// Message id.
    pub id: String,
    /// The widget's id of a message of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// Who said it.
    pub from: Author,
    /// Text; empty when there are only files.
    pub text: String,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<File>,
    /// Answers to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Button>,
    /// The answer that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Button>,
    /// The message this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// When, RFC 3339.
    pub at: String,
    /// Of the delivery, for receipts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correlation: String,
    /// How the visitor waits, where that is what the entry tells: a new one takes the place of those before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// How a visitor waits, as of the entry's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// `queued`, `callback`, `turn`, `over`.
    pub state: String,
    /// From 1; 0 when it is of no matter.
    pub position: i32,
    /// How long it will probably take from then on, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<i32>,
    /// When the queue opens, RFC 3339; while it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<String>,
    /// Nobody is there to answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody: bool,
    /// Called back not before, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
}

/// An item with its place in the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Sequence in HG_WEBCHAT.
    pub stream_seq: u64,
    /// What stands there.
    pub item: Arc<Item>,
}

/// Milliseconds since 1970 as RFC 3339.
pub(crate) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

impl Item {
    /// Whether the visitor said it.
    pub(crate) fn is_own(&self) -> bool {
        self.from.kind == "customer"
    }

    /// The `msg` frame, with links that are good from `now_ms` on.
    pub(crate) fn frame(&self, links: &Links, tenant: &str, now_ms: i64) -> Value {
        let files: Vec<Value> = self
            .attachments
            .iter()
            .map(|file| {
                let url = if file.id.is_empty() {
                    file.url.clone()
                } else {
                    crate::files::link(links, tenant, &file.id, now_ms)
                };
                json!({ "id": file.id, "url": url, "name": file.name, "type": file.kind, "size": file.size })
            })
            .collect();
        let button = |button: &Button| json!({ "id": button.id, "title": button.title });
        let mut frame = json!({
            "t": "msg", "seq": self.seq, "id": self.id, "from": self.from, "text": self.text,
            "attachments": files, "at": self.at,
        });
        if let Some(cid) = &self.cid {
            frame["cid"] = json!(cid);
        }
        if !self.choices.is_empty() {
            frame["choices"] = self.choices.iter().map(button).collect();
        }
        if let Some(choice) = &self.choice {
            frame["choice"] = button(choice);
        }
        if let Some(reply_to) = &self.reply_to {
            frame["reply_to"] = json!(reply_to);
        }
        if let Some(waiting) = &self.waiting {
            frame["waiting"] = json!(waiting);
        }
        frame
    }

    /// The `ack` frame of an own message.
    pub(crate) fn ack(&self) -> Value {
        json!({ "t": "ack", "cid": self.cid, "id": self.id, "seq": self.seq, "at": self.at })
    }
}

/// What a delivery says, before it has a place in the log.
///
/// # Errors
/// A code and a text when the content is of a kind that was not declared.
pub(crate) fn outbound(
    message: &Message,
    key: String,
    correlation: &str,
    now_ms: i64,
) -> Result<Item, (&'static str, String)> {
    let said = message.content.as_ref().and_then(|content| content.kind.as_ref());
    let (text, attachments, choices) = match said {
        Some(Kind::Text(text)) => (text.body.clone(), Vec::new(), Vec::new()),
        Some(Kind::Media(media)) => (media.caption.clone(), vec![file(media)?], Vec::new()),
        Some(Kind::Choice(choice)) => buttons(choice)?,
        _ => return Err(("unsupported_content", "this kind of content is not shown by web chat".to_owned())),
    };
    let (kind, name) = match &message.sender {
        Some(sender) => match sender.kind() {
            SenderKind::Bot => ("bot", sender.display_name.clone()),
            SenderKind::System => ("system", sender.display_name.clone()),
            _ => ("agent", sender.display_name.clone()),
        },
        None => ("agent", String::new()),
    };
    let reply_to = message.reply_to.as_ref().map(|target| target.message_id.clone());
    Ok(Item {
        seq: 0,
        key,
        id: message.id.clone(),
        cid: None,
        from: Author { kind: kind.to_owned(), name },
        text,
        attachments,
        choices,
        choice: None,
        reply_to: reply_to.filter(|id| !id.is_empty()),
        at: rfc3339(now_ms),
        correlation: correlation.to_owned(),
        waiting: None,
    })
}

/// What a visitor is told of their wait. None where it says nothing.
pub(crate) fn told(told: &Told, key: String, waiting: Waiting, at_ms: i64) -> Option<Item> {
    let message = Message {
        id: told.message_id.clone(),
        content: told.content.clone(),
        sender: Some(Sender { kind: SenderKind::System.into(), ..Sender::default() }),
        ..Message::default()
    };
    let item = outbound(&message, key, "", at_ms).ok()?;
    Some(Item { waiting: Some(waiting), ..item })
}

fn file(media: &Media) -> Result<File, (&'static str, String)> {
    let web = media.url.starts_with("https://") || media.url.starts_with("http://");
    if media.object_id.is_empty() && !web {
        return Err(("no_media", "the media has neither an object of ours nor a web address".to_owned()));
    }
    Ok(File {
        id: media.object_id.clone(),
        url: if media.object_id.is_empty() { media.url.clone() } else { String::new() },
        name: media.file_name.clone(),
        kind: media.content_type.clone(),
        size: u64::try_from(media.size_bytes).unwrap_or(0),
    })
}

type Parts = (String, Vec<File>, Vec<Button>);

/// Answers become buttons; links and numbers become lines of the text, where the widget makes them clickable.
fn buttons(choice: &Choice) -> Result<Parts, (&'static str, String)> {
    let mut text = choice.body.clone();
    let mut buttons = Vec::new();
    let mut line = |more: &str| {
        if !more.is_empty() {
            text.push('\n');
            text.push_str(more);
        }
    };
    for option in &choice.options {
        match &option.action {
            Some(Action::Url(url)) => line(&format!("{}: {url}", option.title)),
            Some(Action::Phone(phone)) => line(&format!("{}: {phone}", option.title)),
            Some(Action::AskLocation(_)) => line(&option.title),
            Some(Action::Answer(answer)) => buttons.push(Button {
                id: option.id.clone(),
                title: option.title.clone(),
                payload: answer.payload.clone(),
            }),
            None => buttons.push(Button {
                id: option.id.clone(),
                title: option.title.clone(),
                payload: String::new(),
            }),
        }
    }
    line(&choice.footer);
    let files = choice.header.as_ref().map(file).transpose()?.into_iter().collect();
    Ok((text, files, buttons))
}

/// What an own entry is to the router: a message each for the text or choice and for every file beyond the first, which
/// carries the text as its caption.
pub(crate) fn contents(item: &Item) -> Vec<Content> {
    use heliograph_proto::v1::{MessageReference, Selection};
    if let Some(choice) = &item.choice {
        let question = item
            .reply_to
            .as_ref()
            .map(|id| MessageReference { message_id: id.clone(), ..MessageReference::default() });
        let selection = Selection {
            option_id: choice.id.clone(),
            title: choice.title.clone(),
            payload: choice.payload.clone(),
            question,
            typed: false,
        };
        return vec![Content { kind: Some(Kind::Selection(selection)) }];
    }
    if item.attachments.is_empty() {
        return vec![heliograph_domain::content::text(item.text.clone())];
    }
    let media = |(index, file): (usize, &File)| Media {
        kind: heliograph_media::sniff::kind(&file.kind).into(),
        object_id: file.id.clone(),
        content_type: file.kind.clone(),
        file_name: file.name.clone(),
        size_bytes: i64::try_from(file.size).unwrap_or(0),
        caption: if index == 0 { item.text.clone() } else { String::new() },
        ..Media::default()
    };
    let files = item.attachments.iter().enumerate().map(media);
    files.map(|media| Content { kind: Some(Kind::Media(media)) }).collect()
}

/// What an entry is recognised by: the same for every repetition, different for everything else in the stream.
pub(crate) fn key(tenant: &str, account: &str, visitor: &str, direction: &str, id: &str) -> String {
    ids::derive("wcl", &[tenant, account, visitor, direction, id])
}
