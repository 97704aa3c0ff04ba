//! Why something was decided, on the wire.

use std::collections::HashMap;

use heliograph_assignment::{Choice, Reason as Why};
use heliograph_proto::{Struct, Value, v1::Reason};

/// A reason of the machine, in its own namespace; reasons that have one already keep it.
pub(super) fn reason(why: &Why) -> Reason {
    let code = if why.code.contains('.') { why.code.to_string() } else { format!("assignment.{}", why.code) };
    Reason { code, text: why.detail.to_string(), detail: None }
}

/// How the agent was chosen.
#[expect(clippy::cast_precision_loss, reason = "a score is far below 2^52")]
pub(super) fn chosen(choice: &Choice) -> Reason {
    let numbers = [
        ("candidates", f64::from(choice.candidates)),
        ("eligible", f64::from(choice.eligible)),
        ("score", choice.score as f64),
        ("occupancy", f64::from(choice.occupancy)),
    ];
    let fields: HashMap<String, Value> =
        numbers.into_iter().map(|(name, number)| (name.to_owned(), Value::from(number))).collect();
    let Choice { candidates, eligible, score, .. } = choice;
    Reason {
        code: "assignment.chosen".to_owned(),
        text: format!(
            "{candidates} online, {eligible} with skills and room; score {score}, then longest idle"
        ),
        detail: Some(Struct::from(fields)),
    }
}
