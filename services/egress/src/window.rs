//! Messaging windows: the rules in force, and rebuilding from the transcript what Redis has lost.

use std::time::Duration;

use heliograph_domain::resources::ChannelAccountSpec;
use heliograph_fabric::{Fabric, Stream, subjects::EventFilter};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Capabilities, Event, OutboundMessage, WindowRule, content::Kind},
};
use heliograph_store::windows::{Window, WindowKey, WindowVerdict, Windows};

use crate::error::{Failure, chain};

/// The window that a customer's message opens.
const MESSAGE: &str = "message";
/// Messages counted as used when a window is rebuilt; the provider's own count decides beyond.
const COUNTED: usize = 256;

/// The windows of an account: the channel's, each replaced by the account's own of its kind.
pub(crate) fn rules(capabilities: &Capabilities, account: Option<&ChannelAccountSpec>) -> Vec<WindowRule> {
    let own = account.map_or(&[][..], |account| &account.windows);
    let rule = |rule: &WindowRule| match own.iter().find(|own| own.kind == rule.kind) {
        None => rule.clone(),
        Some(own) => WindowRule {
            kind: rule.kind.clone(),
            seconds: i64::try_from(own.open.as_millis() / 1_000).unwrap_or(i64::MAX),
            messages: own.messages.map_or(0, |count| i32::try_from(count).unwrap_or(i32::MAX)),
        },
    };
    capabilities.windows.iter().map(rule).collect()
}

/// Whether a message may leave only while a window is open: templates the channel knows may always.
pub(crate) fn needed(content: Option<&Kind>, capabilities: &Capabilities) -> bool {
    !(matches!(content, Some(Kind::Template(_))) && takes_templates(capabilities))
}

/// Whether the channel takes templates.
pub(crate) fn takes_templates(capabilities: &Capabilities) -> bool {
    capabilities.content.iter().any(|kind| kind == "template")
}

/// Takes one message from the customer's window on behalf of `cause`; asking again for the same cause takes nothing.
pub(crate) async fn take(
    windows: &Windows,
    fabric: &Fabric,
    out: &OutboundMessage,
    key: &WindowKey,
    rules: &[WindowRule],
    cause: &str,
    now_ms: i64,
) -> Result<WindowVerdict, Failure> {
    let rule = rules.iter().find(|rule| rule.kind == MESSAGE);
    let verdict = windows.consume_or_rebuild(key, cause, now_ms, || rebuild(fabric, out, key, rule)).await?;
    if matches!(verdict, WindowVerdict::Granted { .. }) {
        return Ok(verdict);
    }
    // The customer may have written while Redis was away: before a message is refused, the transcript is asked.
    let Some(window) = rebuild(fabric, out, key, rule).await? else { return Ok(verdict) };
    // What Redis does not take, the second question rebuilds again.
    let _ = windows.open(key, &window).await;
    windows.consume_or_rebuild(key, cause, now_ms, || std::future::ready(Ok(Some(window)))).await
}

/// The window that the customer's last message opened.
async fn rebuild(
    fabric: &Fabric,
    out: &OutboundMessage,
    key: &WindowKey,
    rule: Option<&WindowRule>,
) -> Result<Option<Window>, Failure> {
    let Some(rule) = rule else { return Ok(None) };
    let said = last_message(fabric, out, &key.channel).await?;
    let told = out.last_inbound_at.as_ref().map(Timestamp::millis);
    let (opened_at, after) = match (said, told) {
        (Some((at, seq)), told) => (at.max(told.unwrap_or(at)), Some(seq)),
        (None, Some(told)) => (told, None),
        (None, None) => return Ok(None),
    };
    let length = Duration::from_secs(u64::try_from(rule.seconds).unwrap_or(0));
    let limit = u32::try_from(rule.messages).ok().filter(|limit| *limit > 0);
    let mut window = Window::opened(&rule.kind, opened_at, length, limit);
    if let (Some(_), Some(after)) = (limit, after) {
        window.used = sent_since(fabric, out, &key.channel, after).await?;
    }
    Ok(Some(window))
}

fn filter(out: &OutboundMessage, channel: &str, kind: &str) -> Result<String, Failure> {
    let conversation = Some(out.conversation.as_str());
    let filter = EventFilter {
        tenant: &out.tenant,
        channel: Some(channel),
        conversation,
        kind: Some(kind),
        ..EventFilter::default()
    };
    filter.subject().map_err(|error| Failure::poison("subject", error.to_string()))
}

/// When the customer last wrote in this conversation, and where in the stream that stands. One request.
async fn last_message(
    fabric: &Fabric,
    out: &OutboundMessage,
    channel: &str,
) -> Result<Option<(i64, u64)>, Failure> {
    use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
    let subject = filter(out, channel, "message.received")?;
    let away = |error: &dyn std::error::Error| Failure::Away(chain(error));
    let stream =
        fabric.jetstream().get_stream_no_info(Stream::Events.name()).await.map_err(|error| away(&error))?;
    let found = match stream.get_last_raw_message_by_subject(&subject).await {
        Ok(found) => found,
        Err(error) if error.kind() == NoMessageFound => return Ok(None),
        Err(error) => return Err(away(&error)),
    };
    let stored = i64::try_from(found.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let event = Event::decode(found.payload).ok();
    Ok(Some((
        event.and_then(|event| event.time.as_ref().map(Timestamp::millis)).unwrap_or(stored),
        found.sequence,
    )))
}

/// How many messages went out in this conversation since then.
async fn sent_since(
    fabric: &Fabric,
    out: &OutboundMessage,
    channel: &str,
    after: u64,
) -> Result<u32, Failure> {
    let subject = filter(out, channel, "message.sent")?;
    let sent = fabric.read_range(Stream::Events, &subject, after, COUNTED).await;
    let sent = sent.map_err(|error| Failure::Away(chain(&error)))?;
    Ok(u32::try_from(sent.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_domain::{content, resources::ChannelAccountSpec};
    use heliograph_proto::v1::{Template, content::Kind};

    fn rule(kind: &str, seconds: i64, messages: i32) -> WindowRule {
        WindowRule { kind: kind.to_owned(), seconds, messages }
    }

    #[test]
    fn an_account_replaces_windows_of_its_kind_only() {
        let capabilities = Capabilities {
            windows: vec![rule("message", 172_800, 5), rule("menu", 60, 3)],
            ..Capabilities::default()
        };
        assert_eq!(rules(&capabilities, None), capabilities.windows);
        let account: ChannelAccountSpec = serde_json::from_value(serde_json::json!({
            "channel": "wechat",
            "windows": [{"kind": "message", "open": "1h"}, {"kind": "other", "open": "1m"}],
        }))
        .unwrap();
        assert_eq!(rules(&capabilities, Some(&account)), [rule("message", 3_600, 0), rule("menu", 60, 3)]);
    }

    #[test]
    fn only_templates_that_the_channel_knows_need_no_window() {
        let template = Kind::Template(Template::default());
        let text = content::text("hello").kind;
        let plain = Capabilities::default();
        let able =
            Capabilities { content: vec!["text".into(), "template".into()], ..Capabilities::default() };
        assert!(needed(text.as_ref(), &able));
        assert!(!needed(Some(&template), &able));
        assert!(needed(Some(&template), &plain));
    }
}
