//! Customers who write the way their provider would tell us.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{account::Account, state::State};

/// A customer of one account.
#[derive(Clone)]
pub struct Customer {
    pub(super) state: Arc<State>,
    pub(super) account: Arc<Account>,
    /// What the provider calls them.
    pub user_id: String,
    /// For people.
    pub name: String,
}

/// A request the provider makes to us. Posting it again is the provider's retry.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where to.
    pub url: String,
    /// Signature and content type.
    pub headers: Vec<(&'static str, String)>,
    /// The signed bytes.
    pub body: String,
    /// The provider's id of the message in it.
    pub provider_message_id: String,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The provider's id of the message.
    pub provider_message_id: String,
    /// Our answer; `None` when we could not be reached in the provider's tries.
    pub status: Option<u16>,
}

impl Customer {
    pub(super) fn new(state: Arc<State>, account: Arc<Account>, user_id: String, name: String) -> Self {
        Self { state, account, user_id, name }
    }

    /// Writes a text; returns once we answered.
    pub async fn say(&self, text: &str) -> Posted {
        let call = self.compose(text);
        let status = self.state.post(&call).await;
        self.state.wrote(&self.account.name, &self.user_id, &self.name, text, status);
        Posted { provider_message_id: call.provider_message_id, status }
    }

    /// Posts a call as the provider does, with its retries.
    pub async fn post(&self, call: &Call) -> Option<u16> {
        self.state.post(call).await
    }

    /// The request that tells us of a text.
    pub fn compose(&self, text: &str) -> Call {
        (self.account.cloud.compose)(self, text)
    }
}

/// Says the lines in turn: the first at once, each other one when an answer has come.
pub(super) async fn play(
    customer: Customer,
    lines: Vec<String>,
    mut changes: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let answers = |customer: &Customer| {
        let sent = customer.state.sent();
        sent.iter()
            .filter(|sent| sent.account == customer.account.name && sent.user_id == customer.user_id)
            .count()
    };
    let mut answered = answers(&customer);
    for (index, line) in lines.iter().enumerate() {
        while index > 0 && answers(&customer) <= answered {
            tokio::select! {
                change = changes.changed() => if change.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
        answered = answers(&customer);
        customer.say(line).await;
    }
}
