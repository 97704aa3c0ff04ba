//! Handles of messages: kept as they come, found when the message is meant again.

use heliograph_proto::v1::MessageReference;
use heliograph_store::handles::{HandleKey, Handles};
use secrecy::SecretString;

use super::memory::AccountName;
use crate::{Handle, Purpose, inbound};

/// The handles of all accounts. Everything here goes on without Redis: nothing is kept and nothing found.
#[derive(Clone, Debug)]
pub(super) struct Recall {
    handles: Handles,
}

impl Recall {
    pub(super) fn new(handles: Handles) -> Self {
        Self { handles }
    }

    /// Keeps `handles`. Those of one message of ours, which may have left in parts, are its own too: the first part's.
    pub(super) async fn keep(&self, account: &AccountName, handles: &[Handle], ours: Option<&str>) {
        let AccountName { tenant, channel, name } = account;
        let id = |handle: &Handle| inbound::message_id(tenant, channel, name, &handle.provider_message_id);
        let derived: Vec<(&Handle, String)> = handles.iter().map(|handle| (handle, id(handle))).collect();
        let kept: Vec<_> = derived
            .iter()
            .flat_map(|(handle, id)| {
                [Some(id.as_str()), ours].into_iter().flatten().map(|message| {
                    let purpose = handle.purpose.as_str();
                    let key = HandleKey { channel, account: name, purpose, message };
                    (key, &handle.value, handle.valid_for)
                })
            })
            .collect();
        if let Err(error) = self.handles.keep(tenant, &kept).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "handles of messages are not kept");
        }
    }

    /// The handle of the message that is meant.
    pub(super) async fn find(
        &self,
        account: &AccountName,
        message: &MessageReference,
        purpose: Purpose,
    ) -> Option<SecretString> {
        let AccountName { tenant, channel, name } = account;
        let by_provider = (!message.provider_message_id.is_empty())
            .then(|| inbound::message_id(tenant, channel, name, &message.provider_message_id));
        let ours = (!message.message_id.is_empty()).then(|| message.message_id.clone());
        for message in [by_provider, ours].iter().flatten() {
            let key = HandleKey { channel, account: name, purpose: purpose.as_str(), message };
            match self.handles.find(tenant, &key).await {
                Ok(Some(handle)) => return Some(handle),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "handles are not known");
                    return None;
                }
            }
        }
        None
    }
}
