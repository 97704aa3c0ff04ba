//! Messaging windows: the rules in force, and rebuilding from the transcripts what Redis has lost.

mod past;

use heliograph_fabric::Fabric;
use heliograph_proto::v1::{Capabilities, OutboundMessage, WindowRule, content::Kind};
use heliograph_store::windows::{WindowKey, WindowSet, WindowVerdict, Windows};

use crate::error::Failure;

/// The window that a customer's message opens.
const MESSAGE: &str = "message";

/// Whether a message may leave only while a window is open: templates the channel knows may always.
pub(crate) fn needed(content: Option<&Kind>, capabilities: &Capabilities) -> bool {
    !(matches!(content, Some(Kind::Template(_))) && takes_templates(capabilities))
}

/// Whether the channel takes templates.
pub(crate) fn takes_templates(capabilities: &Capabilities) -> bool {
    capabilities.content.iter().any(|kind| kind == "template")
}

/// The customer's windows as they stand. Nothing is taken from them.
pub(crate) async fn look(
    windows: &Windows,
    fabric: &Fabric,
    out: &OutboundMessage,
    key: &WindowKey,
    rules: &[WindowRule],
    now_ms: i64,
) -> Result<WindowSet, Failure> {
    let mut asked = false;
    let rebuild = || {
        asked = true;
        past::windows(fabric, out, key, rules)
    };
    let known = windows.get_or_rebuild(key, rebuild).await?;
    if asked || known.allows(now_ms) {
        return Ok(known);
    }
    // As before a message is refused: the customer may have written while Redis was away.
    Ok(past::windows(fabric, out, key, rules).await?.into_iter().chain(known.iter().cloned()).collect())
}

/// Takes one message from the customer's windows on behalf of `cause`; asking again for the same cause takes nothing.
pub(crate) async fn take(
    windows: &Windows,
    fabric: &Fabric,
    out: &OutboundMessage,
    key: &WindowKey,
    rules: &[WindowRule],
    cause: &str,
    now_ms: i64,
) -> Result<WindowVerdict, Failure> {
    let mut asked = false;
    let rebuild = || {
        asked = true;
        past::windows(fabric, out, key, rules)
    };
    let verdict = windows.consume_or_rebuild(key, cause, now_ms, rebuild).await?;
    if asked || matches!(verdict, WindowVerdict::Granted { .. }) {
        return Ok(verdict);
    }
    // The customer may have written while Redis was away: before a message is refused, the transcripts are asked.
    let told = past::windows(fabric, out, key, rules).await?;
    for window in &told {
        // What Redis does not take, the second question rebuilds again.
        let _ = windows.open(key, window).await;
    }
    windows.consume_or_rebuild(key, cause, now_ms, || std::future::ready(Ok(told))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_domain::content;
    use heliograph_proto::v1::{Template, content::Kind};

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
