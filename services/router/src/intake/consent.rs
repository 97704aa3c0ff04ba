//! What customers agree to: by a word, or through their provider.

use heliograph_policy::{KeywordKind, MessageClass};
use heliograph_proto::v1::{ConsentChanged, ConsentSignal, Notice, event::Payload};
use heliograph_store::{
    consent::{Choice, Statement, Subject},
    contacts::Contact,
};

use super::{Case, answer, handle::Handled, tongue::Tongue};
use crate::error::Failure;

/// A provider says that the customer gave or took consent. Where the provider has not confirmed it to the customer, we
/// do, once for each change.
pub(super) async fn signal(case: Case<'_>, signal: &ConsentSignal) -> Result<Handled, Failure> {
    let contact = case.contact().await?.contact;
    let changed = state(case, &contact, signal.granted, &signal.purpose, &signal.source).await?;
    if changed && !signal.confirmed_by_provider {
        let book = case.book();
        let Some(tenant) = book.tenant(&case.event.tenant) else { return Ok(Handled::Done) };
        let (kind, notice) = if signal.granted {
            (KeywordKind::Start, Notice::OptIn)
        } else {
            (KeywordKind::Stop, Notice::OptOut)
        };
        let tongue = Tongue { said: "", address: &case.address.locale, contact: contact.locale.as_deref() };
        let text = tenant.policy().reply(kind, tongue.or(&tenant.locale), &tenant.display_name);
        let verdict = case.verdict(&contact, "");
        answer::send(case, &contact, verdict, text, notice).await?;
    }
    Ok(Handled::Done)
}

/// Records what the customer said of the channel, for `purpose` or, when that is empty, for every one. Says whether
/// their choice is another one because of this event; then everybody is told. Asked again for the same event, it says
/// the same.
pub(super) async fn state(
    case: Case<'_>,
    contact: &Contact,
    granted: bool,
    purpose: &str,
    source: &str,
) -> Result<bool, Failure> {
    let Case { intake, event, .. } = case;
    let statement = Statement {
        choice: if granted { Choice::OptedIn } else { Choice::OptedOut },
        source: source.to_owned(),
        cause: event.id.clone(),
        at_ms: case.occurred_ms(),
    };
    let every: Vec<&str> = MessageClass::ALL.iter().map(|class| class.as_str()).collect();
    let purposes = if purpose.is_empty() { every } else { vec![purpose] };
    let mut changed = false;
    for purpose in purposes {
        let subject = Subject::new(&event.tenant, &contact.id, Some(&event.channel), purpose);
        changed |= intake.consent.record(&subject, &statement).await?.changed;
    }
    if changed {
        let payload = ConsentChanged {
            channel: event.channel.clone(),
            purpose: purpose.to_owned(),
            granted,
            source: source.to_owned(),
        };
        case.publish(case.event_of("consent", Payload::ConsentChanged(payload), Some(contact))).await?;
    }
    Ok(changed)
}
