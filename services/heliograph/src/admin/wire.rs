//! What operators read, as the contracts write it.

use heliograph_domain::resources::{Change, Stored};
use heliograph_fabric::DeadLetter;
use heliograph_fabric::subjects::Dead;
use heliograph_proto::{Timestamp, v1};

use super::{Action, Changed, masked};
use crate::decode;

/// A stored resource, inline secrets masked.
pub(super) fn resource(stored: &Stored) -> v1::Resource {
    let key = stored.resource.key();
    let at = stored.applied_at;
    v1::Resource {
        kind: key.kind.to_string(),
        tenant: key.tenant,
        name: key.name,
        version: i64::try_from(stored.version).unwrap_or(i64::MAX),
        applied_at: Some(Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }),
        applied_by: stored.applied_by.clone(),
        json: masked(stored.resource.to_json()).to_string(),
    }
}

/// What became of a resource.
pub(super) fn change(changed: &Changed) -> v1::ResourceChange {
    use v1::resource_change::Action as Wire;
    let action = match changed.action {
        Action::Created => Wire::Created,
        Action::Updated => Wire::Updated,
        Action::Unchanged => Wire::Unchanged,
        Action::Deleted => Wire::Deleted,
    };
    let named = || v1::Resource {
        kind: changed.key.kind.to_string(),
        tenant: changed.key.tenant.clone(),
        name: changed.key.name.clone(),
        ..v1::Resource::default()
    };
    v1::ResourceChange {
        resource: Some(changed.stored.as_ref().map_or_else(named, resource)),
        action: action.into(),
        fields: changed.fields.iter().map(field).collect(),
    }
}

fn field(change: &Change) -> v1::FieldChange {
    let text =
        |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    v1::FieldChange { path: change.path.clone(), before: text(&change.old), after: text(&change.new) }
}

/// A dead letter with its payload in readable form.
pub fn letter(letter: &DeadLetter) -> v1::DeadLetter {
    let record = &letter.record;
    let place: Option<Dead> = record.subject.parse().ok();
    let headers = record
        .headers
        .iter()
        .filter_map(|(name, values)| Some((name.to_string(), values.last()?.as_str().to_owned())))
        .collect();
    let text = |name: &'static str| {
        record.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default()
    };
    v1::DeadLetter {
        sequence: letter.seq,
        id: text("ce-id"),
        stage: letter.stage.clone(),
        tenant: place.as_ref().map(|place| place.tenant.clone()).unwrap_or_default(),
        channel: place.map(|place| place.channel).unwrap_or_default(),
        time: Some(Timestamp::from_millis(letter.buried_ms)),
        subject: letter.subject.clone(),
        headers,
        payload: record.payload.clone(),
        reason: Some(v1::Reason { code: letter.reason.clone(), text: letter.error.clone(), detail: None }),
        tries: i32::try_from(letter.tries).unwrap_or(i32::MAX),
        trace_id: record.trace().traceparent.split('-').nth(1).unwrap_or_default().to_owned(),
        payload_json: decode::json(&letter.subject, record.payload.clone()).unwrap_or_default(),
    }
}
