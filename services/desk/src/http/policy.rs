//! `GET /desk/api/policy`, `…/explain` and `…/traffic`: what the map shows.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::CACHE_CONTROL};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Signed, Web, refuse};
use crate::explain::{self, Question};

/// Longest time that traffic is counted over.
const LONGEST_DAYS: i64 = 62;

/// The policy in force, and where every country falls.
pub(super) async fn overview(State(web): State<Web>, Signed(identity): Signed) -> Response {
    let policies = &web.shared.policies;
    let tenant = policies.tenant(&identity.tenant);
    let declared = policies.declared(&identity.tenant, &tenant.policy);
    let shown = explain::overview(&tenant.policy, declared.as_ref(), tenant.channels());
    fresh(&shown)
}

/// What becomes of a message to or from a country.
pub(super) async fn explain(
    State(web): State<Web>,
    Signed(identity): Signed,
    question: Result<Query<Question>, QueryRejection>,
) -> Response {
    let Ok(Query(question)) = question else {
        return refuse(StatusCode::BAD_REQUEST, "bad_question", "country: two letters of ISO 3166-1");
    };
    let tenant = web.shared.policies.tenant(&identity.tenant);
    match explain::explain(&tenant.policy, tenant.channels(), &question, Timestamp::now()) {
        Ok(answer) => fresh(&answer),
        Err(error) => refuse(StatusCode::BAD_REQUEST, "bad_question", error.to_string()),
    }
}

/// A stretch of time, `from` included, `to` not.
#[derive(Debug, Deserialize)]
pub(super) struct Stretch {
    from: Timestamp,
    to: Timestamp,
}

/// What went through in a stretch of whole hours.
pub(super) async fn traffic(
    State(web): State<Web>,
    Signed(identity): Signed,
    stretch: Result<Query<Stretch>, QueryRejection>,
) -> Response {
    let Ok(Query(Stretch { from, to })) = stretch else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "bad_stretch",
            "from and to: times such as 2026-03-01T00:00:00Z",
        );
    };
    if to <= from || to.duration_since(from) > SignedDuration::from_hours(LONGEST_DAYS * 24) {
        let text = format!("to: after from, and at most {LONGEST_DAYS} days later");
        return refuse(StatusCode::BAD_REQUEST, "bad_stretch", text);
    }
    match web.shared.tally.read(&identity.tenant, from, to).await {
        Ok(rows) => fresh(&rows),
        Err(error) => {
            tracing::warn!(tenant = identity.tenant, %error, "counts cannot be read");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "broker_away", "the counts cannot be read now")
        }
    }
}

/// JSON that is asked for anew each time.
pub(super) fn fresh(body: &impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
