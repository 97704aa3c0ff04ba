//! Whom a message is for, and what policy says of it: the same question that is asked again when it leaves.

use std::sync::Arc;

use heliograph_policy::{Outcome, Verdict, Window};
use heliograph_proto::v1::Address;
use heliograph_store::{
    contacts::{self, Contact},
    now_ms,
};
use tonic::Status;

use super::{Api, status};
use crate::judge::Asked;

impl Api {
    /// What policy says of writing to `address`.
    pub(super) async fn judge(&self, asked: &Asked, address: &Address) -> Result<Verdict, Status> {
        let now = now_ms();
        let window = self.shared.window(&asked.tenant, address, now).await;
        let judged = self.shared.judge(asked, address, window, now).await.map_err(status)?;
        Ok(judged.verdict)
    }

    /// The address to write to, and what policy says of it: that of the best channel the contact can be reached on now,
    /// else of the best one on which it can be later.
    pub(super) async fn best(&self, asked: &Asked) -> Result<(Option<Address>, Verdict), Status> {
        let offer = self.shared.weigh(asked, None, &asked.anywhere(), Window::Unlimited, now_ms());
        let Outcome::UseChannel(channels) = &offer.outcome else { return Ok((None, offer)) };
        let (mut later, mut refused) = (None, None);
        for channel in channels {
            let Some(address) = asked.addresses(channel).into_iter().next() else { continue };
            let verdict = self.judge(asked, &address).await?;
            if asked.may_go(&verdict, channel) {
                return Ok((Some(address), verdict));
            }
            let kept = if matches!(verdict.outcome, Outcome::Defer(_)) { &mut later } else { &mut refused };
            kept.get_or_insert((Some(address), verdict));
        }
        Ok(later.or(refused).unwrap_or((None, offer)))
    }
}

/// Whether a message is accepted: what may not go now, but later, waits on its way.
pub(super) fn goes(asked: &Asked, verdict: &Verdict, address: &Address) -> bool {
    matches!(verdict.outcome, Outcome::Defer(_)) || asked.may_go(verdict, &address.channel)
}

/// The contact behind an address, made if there is none and `make` says so.
pub(super) async fn contact_of(
    contacts: &contacts::ContactStore,
    tenant: &str,
    address: &Address,
    make: bool,
) -> Result<Option<Arc<Contact>>, Status> {
    let known = contacts::Address::from(address);
    if !make {
        return contacts.find(tenant, &known).await.map_err(status);
    }
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let hints = contacts::Hints {
        display_name: given(&address.display_name),
        locale: given(&address.locale),
        seen_at_ms: now_ms(),
        ..contacts::Hints::default()
    };
    let resolved = contacts.resolve(tenant, &known, &hints).await.map_err(status)?;
    Ok(Some(resolved.contact))
}
