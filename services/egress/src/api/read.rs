//! What became of a message.

use heliograph_domain::event::message_id;
use heliograph_fabric::{Stream, log::RangeReader, subjects::EventFilter};
use heliograph_proto::v1::{Event, GetMessageRequest, GetMessageResponse};
use tonic::Status;

use super::{Api, status};
use crate::error::{Failure, chain};

/// Without a conversation, this many of the newest facts are searched.
const SEARCHED: u64 = 100_000;

impl Api {
    /// The events about a message, oldest first.
    pub(super) async fn read(
        &self,
        tenant: &str,
        request: &GetMessageRequest,
    ) -> Result<GetMessageResponse, Status> {
        if request.message_id.is_empty() {
            return Err(Status::invalid_argument("`message_id` is missing"));
        }
        let conversation =
            Some(request.conversation.as_str()).filter(|conversation| !conversation.is_empty());
        let filter = EventFilter { tenant, conversation, kind: Some("message"), ..EventFilter::default() };
        let filter = filter.subject().map_err(|error| Status::invalid_argument(error.to_string()))?;
        let fabric = &self.shared.fabric;
        let away = |error: &dyn std::error::Error| status(Failure::Away(chain(error)));
        let after = if conversation.is_some() {
            0
        } else {
            let last = fabric.last_sequence(Stream::Events).await.map_err(|error| away(&error))?;
            last.saturating_sub(SEARCHED)
        };
        let mut range =
            RangeReader::open(fabric, Stream::Events, [filter], after).await.map_err(|error| away(&error))?;
        let mut events: Vec<Event> = Vec::new();
        while let Some(record) = range.next().await.map_err(|error| away(&error))? {
            // What is not ours to read is not ours to report either.
            let Ok(event) = record.envelope().and_then(|envelope| envelope.decode::<Event>()) else {
                continue;
            };
            let seen = events.iter().any(|known| known.id == event.id);
            if !seen && event.tenant == tenant && message_id(&event) == Some(request.message_id.as_str()) {
                events.push(event);
            }
        }
        if events.is_empty() {
            return Err(Status::not_found("nothing is known of this message (yet)"));
        }
        Ok(GetMessageResponse { events })
    }
}
