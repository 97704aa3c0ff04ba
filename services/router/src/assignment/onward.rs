//! What goes to another partition of HG_ROUTING, as it stands on the broker.

use heliograph_fabric::{
    Envelope, Record,
    places::GENERATION,
    subjects::{self, SubjectError},
};
use heliograph_proto::{
    Message as _,
    v1::{RoutingEntry, routing_entry::Kind},
};

use super::emit::Onward;
use crate::{envelope, naming::SOURCE};

/// The type of a part of a tenant.
pub(super) const ARRIVING: &str = "routing.arriving";

/// Subject, envelope, and kind for metrics. An entry that is passed on stays what it is, byte for byte, under its own id;
/// only the broker is given another one.
pub(super) fn prepare(
    record: &Record,
    onward: Onward,
) -> Result<(String, Envelope, &'static str), SubjectError> {
    let subject = subjects::routing(onward.to, &onward.tenant)?;
    let id = onward.id();
    let Onward { tenant, generation, place, arriving, .. } = onward;
    let (mut envelope, kind) = if let Some(arriving) = arriving {
        let entry = RoutingEntry { id: id.clone(), tenant, kind: Some(Kind::Arriving(arriving)) };
        (Envelope::new(id, ARRIVING, SOURCE, record.time_ms, entry.encode_to_vec()), ARRIVING)
    } else {
        let mut envelope = record.envelope().expect("it was read before it was passed on");
        envelope.msg_id = Some(id);
        (envelope, "routing.onward")
    };
    envelope.extensions.insert(GENERATION.to_owned(), generation.to_string());
    envelope::place(&mut envelope, Some(&place));
    Ok((subject, envelope, kind))
}
