//! What a customer agreed to, as an integrator says.

use heliograph_domain::{ids, resources::MessageClass};
use heliograph_fabric::subjects::NONE;
use heliograph_proto::{
    Timestamp,
    v1::{ConsentChanged, Event, SetConsentRequest, event::Payload},
};
use heliograph_store::{
    consent::{Choice, Statement, Subject},
    now_ms,
};
use tonic::Status;

use super::Customers;
use crate::{api::status, config::ApiToken};

/// Characters of a source.
const LONGEST_SOURCE: usize = 200;
/// The same said again within this time is a repeat of the request, milliseconds.
const REPEAT_MS: i64 = 10 * 60 * 1_000;

impl Customers {
    /// Records a statement for one purpose or for all, and says so.
    pub(super) async fn consent(&self, client: &ApiToken, request: &SetConsentRequest) -> Result<(), Status> {
        let SetConsentRequest { contact, channel, purpose, granted, source } = request;
        if source.trim().is_empty() || source.chars().count() > LONGEST_SOURCE {
            let text = format!("`source` needs 1 to {LONGEST_SOURCE} characters: how the customer said so");
            return Err(Status::invalid_argument(text));
        }
        if !channel.is_empty() && !ids::is_name(channel) {
            return Err(Status::invalid_argument("`channel` is no channel's name"));
        }
        let purposes: Vec<&str> = MessageClass::ALL
            .iter()
            .map(|class| class.as_str())
            .filter(|class| purpose.is_empty() || purpose == class)
            .collect();
        if purposes.is_empty() {
            return Err(Status::invalid_argument("`purpose` is no class of messages"));
        }
        let tenant = &client.tenant;
        let contact = self.contact(tenant, contact).await?;
        let now = now_ms();
        let choice = if *granted { Choice::OptedIn } else { Choice::OptedOut };
        let (said, at) = (if *granted { "in" } else { "out" }, (now / REPEAT_MS).to_string());
        let parts = [tenant.as_str(), &client.client, &contact.id, channel, purpose, said, source, &at];
        let cause = ids::derive("req", &parts);
        let statement = Statement { choice, source: source.clone(), cause: cause.clone(), at_ms: now };
        let on = Some(channel.as_str()).filter(|channel| !channel.is_empty());
        let mut changed = false;
        for purpose in purposes {
            let subject = Subject::new(tenant, &contact.id, on, purpose);
            changed |= self.shared.consent.record(&subject, &statement).await.map_err(status)?.changed;
        }
        if !changed {
            return Ok(());
        }
        let payload = ConsentChanged {
            channel: channel.clone(),
            purpose: purpose.clone(),
            granted: *granted,
            source: source.clone(),
        };
        let event = Event {
            id: ids::derive(ids::EVENT, &[&cause, "consent"]),
            r#type: "consent.changed".to_owned(),
            tenant: tenant.clone(),
            region: NONE.to_owned(),
            channel: on.unwrap_or(NONE).to_owned(),
            contact: contact.id.clone(),
            time: Some(Timestamp::from_millis(now)),
            cause,
            payload: Some(Payload::ConsentChanged(payload)),
            ..Event::default()
        };
        self.publish(&event).await
    }
}
