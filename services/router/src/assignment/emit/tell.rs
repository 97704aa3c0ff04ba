//! What customers are told of a decision. Only where their queue announces.

use heliograph_assignment::{Kind as What, Place, QueueSpec, Timestamp};
use heliograph_domain::ids;
use heliograph_proto::v1::{Told, routing_entry::Kind};

use super::{super::annex::Known, Decided};
use crate::told::{self, News, Offer};

/// What the customer is told of the decision, in their language or else in that of `locale`. `shown`: their channel shows
/// it by itself, and has to know as well when the wait is over.
pub(super) fn told(about: &Decided<'_>, known: Option<&Known>, locale: &str, shown: bool) -> Option<Told> {
    let (news, offer) = news(about)?;
    if news == News::Turn && !shown {
        return None;
    }
    let known = known?;
    let tag = if known.language.is_empty() { locale } else { &known.language };
    Some(Told {
        message_id: about.told_id(ids::MESSAGE),
        address: Some(known.address()?),
        content: Some(told::content(news, offer, tag)),
    })
}

fn news(about: &Decided<'_>) -> Option<(News, Offer)> {
    let announces = |queue: &str| {
        let spec = about.config?.queues.get(queue)?;
        (spec.announce_seconds > 0).then_some(spec)
    };
    match &about.decision.kind {
        What::ConversationQueued { place, .. } | What::ConversationOverflowed { place, .. } => {
            let spec = announces(&place.queue)?;
            // What becomes of it at once is told, not what it was for no moment.
            let goes_on = |kind: &What| {
                matches!(
                    kind,
                    What::ConversationOverflowed { .. }
                        | What::ConversationClosed { .. }
                        | What::CallbackScheduled { .. }
                )
            };
            if about.then(goes_on) {
                return None;
            }
            Some((hindrance(place, about.at_ms)?, or_call_back(spec)))
        }
        What::PositionAnnounced { place } => {
            let spec = announces(&place.queue)?;
            let place_of = News::Place { position: place.position, wait: place.estimated_wait };
            Some((hindrance(place, about.at_ms).unwrap_or(place_of), or_call_back(spec)))
        }
        What::WaitTimedOut { queue, .. } => {
            announces(queue)?;
            let over = about.then(|kind| matches!(kind, What::ConversationClosed { .. }));
            over.then_some((News::InVain, Offer::Nothing))
        }
        What::ConversationClosed { agent: None, .. } => {
            let shut = about.decision.reasons.iter().any(|reason| reason.code == "queue_closed");
            let Some(Kind::Proposal(proposal)) = &about.entry.kind else { return None };
            let spec = announces(&proposal.wanted.as_ref().filter(|_| shut)?.queue)?;
            let opens = spec.open.iter().flatten().map(|(from, _)| *from).find(|from| from.0 > about.at_ms);
            Some((News::Shut(opens.map(|at| seconds_until(at, about.at_ms))), Offer::Nothing))
        }
        What::CallbackScheduled { place, not_before, .. } => {
            announces(&place.queue)?;
            let later = not_before.map(|at| seconds_until(at, about.at_ms)).filter(|seconds| *seconds > 0);
            Some((News::CalledBack(later), Offer::Wait))
        }
        What::CallbackCancelled { place } => {
            let spec = announces(&place.queue)?;
            let again = News::WaitsAgain { position: place.position, wait: place.estimated_wait };
            Some((again, or_call_back(spec)))
        }
        What::ConversationAssigned { queue, .. } => {
            announces(queue)?;
            Some((News::Turn, Offer::Nothing))
        }
        _ => None,
    }
}

impl Decided<'_> {
    /// Whether something of this kind follows for the same conversation at the same entry.
    fn then(&self, kind: impl Fn(&What) -> bool) -> bool {
        let id = self.decision.conversation.as_ref().map(|about| &about.id);
        self.following
            .iter()
            .any(|next| next.conversation.as_ref().map(|about| &about.id) == id && kind(&next.kind))
    }
}

/// Why nobody answers soon, whatever the place.
fn hindrance(place: &Place, at_ms: i64) -> Option<News> {
    match place.opens_at {
        Some(opens_at) => Some(News::Closed(seconds_until(opens_at, at_ms))),
        None => place.no_agent_online.then_some(News::Nobody),
    }
}

fn or_call_back(spec: &QueueSpec) -> Offer {
    if spec.callback { Offer::CallBack } else { Offer::Nothing }
}

fn seconds_until(at: Timestamp, now_ms: i64) -> u32 {
    u32::try_from((at.0 - now_ms).max(0) / 1_000).unwrap_or(u32::MAX)
}
