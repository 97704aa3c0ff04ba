//! What requests and events of all providers have alike.

use heliograph_proto::{
    Timestamp,
    v1::{Address, ConsentSignal, InboundEvent, MessageReference, Raw, UnknownEvent, inbound_event::Kind},
};
use http::Method;
use serde_json::{Map, Value};

use crate::{Inbound, Refusal, WebhookRequest, inbound::raw, json::integer};

/// Of what came as JSON.
pub const JSON: &str = "application/json";

impl WebhookRequest {
    /// Refuses what is not a POST.
    ///
    /// # Errors
    /// [`Refusal::Method`].
    pub fn is_post(&self) -> Result<(), Refusal> {
        if self.method == Method::POST { Ok(()) } else { Err(Refusal::Method("POST")) }
    }

    /// Refuses what goes below the account's own URL.
    ///
    /// # Errors
    /// [`Refusal::NoSuchPath`].
    pub fn is_at_its_url(&self) -> Result<(), Refusal> {
        if matches!(self.path.as_str(), "" | "/") {
            return Ok(());
        }
        Err(Refusal::NoSuchPath(self.path.clone()))
    }

    /// The header by which a provider proves itself.
    ///
    /// # Errors
    /// [`Refusal::Forged`] where it is not there, or there twice.
    pub fn proof(&self, name: &str) -> Result<&str, Refusal> {
        self.header(name).ok_or_else(|| Refusal::Forged(format!("the header `{name}` is missing")))
    }

    /// The body's fields.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn fields(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Refusal::Malformed("the body is not a JSON object".to_owned()))
    }
}

impl Inbound<'_> {
    /// An event of a kind that is not modelled, with all that was said.
    pub fn unknown(
        &self,
        provider_event_id: &str,
        address: Address,
        occurred_at: Option<Timestamp>,
        kind: &str,
        raw: Raw,
    ) -> InboundEvent {
        let unknown = Kind::Unknown(UnknownEvent { kind: kind.to_owned() });
        InboundEvent { raw: Some(raw), ..self.event(provider_event_id, address, occurred_at, unknown) }
    }

    /// A message of the customer's own, by both of its names.
    pub fn theirs(&self, provider_message_id: &str) -> MessageReference {
        MessageReference { message_id: self.message_id(provider_message_id), ..named(provider_message_id) }
    }
}

/// A message by what its provider calls it.
pub fn named(provider_message_id: impl Into<String>) -> MessageReference {
    MessageReference { provider_message_id: provider_message_id.into(), ..MessageReference::default() }
}

/// What a customer told the provider about being written to.
pub fn consent(granted: bool, source: String) -> Kind {
    Kind::Consent(ConsentSignal { granted, purpose: String::new(), source, confirmed_by_provider: true })
}

/// Seconds since 1970, which some write as text. What no calendar holds is no time, and neither is 0.
pub fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = integer(value)?;
    (1..=253_402_300_799).contains(&seconds).then_some(Timestamp { seconds, nanos: 0 })
}

/// JSON as it came, or a part of it.
pub fn kept(value: &Value) -> Raw {
    raw(JSON, &value.to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_proves_itself_and_is_an_object() {
        let request = |method: Method, path: &str, body: &'static str| WebhookRequest {
            method,
            path: path.to_owned(),
            query: String::new(),
            headers: http::HeaderMap::from_iter([(http::header::FROM, http::HeaderValue::from_static("x"))]),
            body: body.into(),
            now_ms: 0,
        };
        let good = request(Method::POST, "/", "{\"a\":1}");
        assert_eq!((good.is_post(), good.is_at_its_url(), good.proof("From")), (Ok(()), Ok(()), Ok("x")));
        assert_eq!(good.fields().map(|fields| fields.len()), Ok(1));
        let bad = request(Method::GET, "/x", "[]");
        assert_eq!(bad.is_post(), Err(Refusal::Method("POST")));
        assert_eq!(bad.is_at_its_url(), Err(Refusal::NoSuchPath("/x".to_owned())));
        assert_eq!(bad.proof("X-Mark"), Err(Refusal::Forged("the header `X-Mark` is missing".to_owned())));
        assert!(matches!(bad.fields(), Err(Refusal::Malformed(_))));
    }

    #[test]
    fn a_time_is_one_that_calendars_hold() {
        let read = [json!(1), json!("2"), json!(0), json!(-1), json!(253_402_300_800_i64), json!(null)];
        let read = read.map(|value| seconds(&value).map(|time| time.seconds));
        assert_eq!(read, [Some(1), Some(2), None, None, None, None]);
    }
}
