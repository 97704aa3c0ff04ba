//! Policy's verdicts on the wire.

use heliograph_policy::{Outcome, Reason, Verdict, wire};
use heliograph_proto::v1;

/// A verdict as events carry it, with what its first reason leaves out.
pub(crate) fn on_wire(verdict: &Verdict, more: &str) -> v1::Verdict {
    let mut verdict = wire::verdict(verdict);
    if let Some(first) = verdict.fired.first_mut()
        && !more.is_empty()
    {
        first.text = format!("{} ({more})", first.text);
    }
    verdict
}

/// What is said of a message whose customer does not want it, as the provider says.
pub(crate) fn opted_out(before: &Verdict, more: &str) -> v1::Verdict {
    let verdict = Verdict {
        outcome: Outcome::Deny,
        rules_fired: vec![Reason::OptedOut],
        rules_tried: Vec::new(),
        ..before.clone()
    };
    on_wire(&verdict, more)
}
