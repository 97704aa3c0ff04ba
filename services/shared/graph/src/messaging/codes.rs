//! What the provider's error codes mean. It answers 400 to nearly all of them, so the code decides.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};

use super::Profile;
use crate::{GraphError, Meaning};

/// Too fast, and no word about until when.
const BREATH: Duration = Duration::from_mins(1);
/// A Page that is restricted; asking more often keeps it so.
const RESTRICTED: Duration = Duration::from_hours(1);
/// One customer got enough messages of a kind for now.
const FREQUENCY: Duration = Duration::from_hours(24);

/// The outcome of a send.
pub fn classify(profile: &Profile, response: &ProviderResponse) -> Outcome {
    if let Some(refused) = crate::refused(response, |error| meaning(profile, error)) {
        return refused;
    }
    let body = response.json();
    let text = |name: &str| body[name].as_str().filter(|id| !id.is_empty());
    match text("message_id") {
        Some(id) => Outcome::delivered(id),
        // Reactions and other actions are no messages.
        None if text("recipient_id").is_some() || body["success"] == true => Outcome::delivered(""),
        None => Outcome::in_doubt("unreadable_answer", "the provider's answer names no message"),
    }
}

/// What an error means by its code; `None` for one that nobody knows.
fn meaning(profile: &Profile, error: &GraphError) -> Option<Meaning> {
    Some(match (error.code, error.subcode) {
        (190, _) => Meaning::Expired,
        (10, _) if is_window(profile, error) => Meaning::Closed,
        (10, 1_893_063) => Meaning::AllSlower(RESTRICTED),
        // Missing permissions; and 368: blocked for what was sent, until somebody looks into it.
        (3 | 10 | 200..=299 | 368, _) => Meaning::Forbidden,
        (4, 2_018_354) | (9, 2_018_352) => Meaning::Slower(FREQUENCY),
        (4 | 32 | 613, _) => Meaning::AllSlower(BREATH),
        (1, 99) | (2 | 1200, _) => Meaning::Failed(None),
        // 551: not available; 100: no such person, not addressable from here, too large, or a mistake of ours.
        (100 | 551, _) => Meaning::Never,
        _ => return None,
    })
}

/// Subcodes move; the sentence has not.
fn is_window(profile: &Profile, error: &GraphError) -> bool {
    profile.window_subcodes.contains(&error.subcode) || error.message.contains("outside of allowed window")
}
