//! What one event counts as. Pure.

use heliograph_proto::v1::{Event, Verdict, event::Payload, verdict::Outcome};
use heliograph_store::tally::{TallyKey, TallyKind};

/// What the event counts as; a message that policy denies counts twice.
pub(super) fn kinds(event: &Event) -> Vec<TallyKind> {
    match &event.payload {
        Some(Payload::MessageReceived(received)) => {
            let denied = received.verdict.as_ref().is_some_and(|it| it.outcome() == Outcome::Deny);
            let denied = denied.then_some(TallyKind::DeniedInbound);
            std::iter::once(TallyKind::Received).chain(denied).collect()
        }
        Some(Payload::MessageAccepted(_)) => vec![TallyKind::Accepted],
        Some(Payload::MessageSent(_)) => vec![TallyKind::Sent],
        Some(Payload::MessageDelivered(_)) => vec![TallyKind::Delivered],
        Some(Payload::MessageFailed(_)) => vec![TallyKind::Failed],
        Some(Payload::MessageRefused(_)) => vec![TallyKind::Refused],
        _ => Vec::new(),
    }
}

/// The country that the event itself names; empty when it names none.
pub(super) fn country(event: &Event) -> Option<&str> {
    let verdict: Option<&Verdict> = match event.payload.as_ref()? {
        Payload::MessageReceived(it) => it.verdict.as_ref(),
        Payload::MessageAccepted(it) => it.verdict.as_ref(),
        Payload::MessageRefused(it) => it.verdict.as_ref(),
        Payload::MessageDeferred(it) => it.verdict.as_ref(),
        _ => None,
    };
    verdict.and_then(|verdict| verdict.region.as_ref()).map(|region| region.country.as_str())
}

/// Where the event is counted.
pub(super) fn key(event: &Event, country: &str, kind: TallyKind) -> TallyKey {
    TallyKey {
        region: event.region.clone(),
        country: country.to_owned(),
        channel: event.channel.clone(),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use heliograph_proto::v1::{MessageReceived, MessageSent, Region};

    use super::*;

    fn received(outcome: Outcome) -> Event {
        let region = Region { country: "BR".to_owned(), ..Region::default() };
        let verdict = Verdict { outcome: outcome.into(), region: Some(region), ..Verdict::default() };
        let received = MessageReceived { verdict: Some(verdict), ..MessageReceived::default() };
        Event { payload: Some(Payload::MessageReceived(received)), ..Event::default() }
    }

    #[test]
    fn what_is_denied_is_received_too() {
        assert_eq!(kinds(&received(Outcome::Allow)), [TallyKind::Received]);
        assert_eq!(kinds(&received(Outcome::Deny)), [TallyKind::Received, TallyKind::DeniedInbound]);
    }

    #[test]
    fn a_verdict_names_the_country_and_a_receipt_does_not() {
        assert_eq!(country(&received(Outcome::Deny)), Some("BR"));
        let sent = Event { payload: Some(Payload::MessageSent(MessageSent::default())), ..Event::default() };
        assert_eq!((country(&sent), kinds(&sent).len()), (None, 1));
        assert_eq!(kinds(&Event::default()), []);
    }
}
