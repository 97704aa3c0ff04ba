//! Policy's verdicts on the wire.

use heliograph_domain::resources;
use heliograph_policy::{Reason, wire};
use heliograph_proto::v1::{self, MessageClass, OutboundMessage, verdict};

/// What is said of a message that was allowed when it was accepted, and may not leave now.
pub(crate) fn refusal(
    out: &OutboundMessage,
    outcome: verdict::Outcome,
    why: &Reason,
    more: &str,
) -> v1::Verdict {
    let mut fired = wire::reason(why);
    if !more.is_empty() {
        fired.text = format!("{} ({more})", fired.text);
    }
    let before = out.verdict.clone().unwrap_or_default();
    v1::Verdict { outcome: outcome.into(), fired: vec![fired], tried: Vec::new(), until: None, ..before }
}

/// What a message is for; nothing said means service.
pub(crate) fn class(class: MessageClass) -> resources::MessageClass {
    match class {
        MessageClass::Unspecified | MessageClass::Service => resources::MessageClass::Service,
        MessageClass::Utility => resources::MessageClass::Utility,
        MessageClass::Marketing => resources::MessageClass::Marketing,
        MessageClass::Authentication => resources::MessageClass::Authentication,
        MessageClass::Emergency => resources::MessageClass::Emergency,
    }
}
