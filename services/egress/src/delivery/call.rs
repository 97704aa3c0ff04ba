//! One call of the channel.

use std::time::Duration;

use heliograph_proto::v1::{DeliverRequest, Message};
use heliograph_runtime::grpc::never_sent;
use tokio::time::Instant;

use super::{case::Case, end::count, part::Part};
use crate::{
    event,
    outcome::{self, Outcome},
};

/// What a channel gets beyond its deadline, so that its own answer comes before ours.
const GRACE: Duration = Duration::from_millis(500);

impl Case<'_> {
    /// Hands a part to the channel.
    #[tracing::instrument(name = "egress.deliver", skip_all, fields(
        otel.kind = "client",
        heliograph.channel = self.line.name,
        heliograph.tenant = self.out.tenant,
        heliograph.account = self.address.account,
        heliograph.attempt = attempt,
        heliograph.outcome = tracing::field::Empty,
        messaging.message.id = part.id,
        messaging.message.conversation_id = self.out.conversation,
    ))]
    pub(super) async fn call(&self, part: &Part<'_>, attempt: u32) -> Outcome {
        let timeout = self.line.shared.config.deliver_timeout;
        let mut request = tonic::Request::new(DeliverRequest {
            tenant: self.out.tenant.clone(),
            account: self.address.account.clone(),
            message: Some(Message {
                content: Some(part.content.clone()),
                // Of several parts, the first quotes.
                reply_to: self.message.reply_to.clone().filter(|_| part.index == 0),
                ..self.message.clone()
            }),
            conversation: self.out.conversation.clone(),
            delivery_id: part.id.clone(),
            attempt: count(attempt),
            correlation: event::correlation(self.out),
        });
        request.set_timeout(timeout);
        let mut client = self.line.client.clone();
        let began = Instant::now();
        let answer = tokio::time::timeout(timeout + GRACE, client.deliver(request)).await;
        let outcome = match answer {
            Ok(Ok(answer)) => outcome::of_response(answer.into_inner()),
            Ok(Err(status)) => {
                tracing::debug!(status = %status, "the call failed");
                outcome::of_status(&status, never_sent(&status))
            }
            Err(_) => outcome::timed_out(),
        };
        let label = outcome.label();
        self.line.reached(label != "unreachable");
        tracing::Span::current().record("heliograph.outcome", label);
        self.line.shared.metrics.call(&self.line.name, label, began.elapsed());
        outcome
    }
}
