//! `POST /desk/api/contacts/<id>/split` and `…/join`: supervisors say who is whom.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    response::Response,
};
use heliograph_store::contacts::Address;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Signed, Web, policy::fresh, reach::answer, refuse};
use crate::people::AskError;

/// Longest part of an address or id, in bytes.
const LONGEST: usize = 512;

/// Which address, and what names the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    channel: String,
    account: String,
    user_id: String,
    /// Chosen by the client; a repeat has the same effect once.
    command_id: String,
}

/// Whose the address is now.
#[derive(Debug, Serialize)]
struct Told {
    contact: String,
}

/// The address becomes its own contact.
pub(super) async fn split(
    State(web): State<Web>,
    Signed(identity): Signed,
    Path(contact): Path<String>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Response {
    let (address, cause) = match read(wanted, identity.supervisor) {
        Ok(read) => read,
        Err(refusal) => return refusal,
    };
    let told = web.shared.people.split(&identity, &contact, &address, &cause).await;
    reply(&identity.tenant, told)
}

/// The address becomes the contact's.
pub(super) async fn join(
    State(web): State<Web>,
    Signed(identity): Signed,
    Path(contact): Path<String>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Response {
    let (address, cause) = match read(wanted, identity.supervisor) {
        Ok(read) => read,
        Err(refusal) => return refusal,
    };
    let told = web.shared.people.join(&identity, &contact, &address, &cause).await;
    reply(&identity.tenant, told)
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once")]
fn read(
    wanted: Result<Json<Wanted>, JsonRejection>,
    supervisor: bool,
) -> Result<(Address, String), Response> {
    if !supervisor {
        return Err(refuse(StatusCode::FORBIDDEN, "forbidden", "supervisors say who is whom"));
    }
    let bad = || {
        let text = "expected JSON with channel, account, userId and commandId";
        refuse(StatusCode::BAD_REQUEST, "bad_request", text)
    };
    let Ok(Json(wanted)) = wanted else { return Err(bad()) };
    let Wanted { channel, account, user_id, command_id } = wanted;
    let parts = [&channel, &account, &user_id, &command_id];
    if parts.iter().any(|part| part.is_empty() || part.len() > LONGEST) {
        return Err(bad());
    }
    Ok((Address::new(channel, account, user_id), command_id))
}

fn reply(tenant: &str, told: Result<String, AskError>) -> Response {
    match told {
        Ok(contact) => fresh(&Told { contact }),
        Err(error) => answer(tenant, &error),
    }
}
