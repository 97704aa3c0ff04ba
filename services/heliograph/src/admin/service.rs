//! `AdminService` over gRPC.

use heliograph_domain::resources::{Kind, ResourceKey};
use heliograph_fabric::dead::{DeadError, DeadFilter};
use heliograph_policy::Direction;
use heliograph_proto::v1::{self, admin_service_server::AdminService};
use heliograph_runtime::bearer;
use heliograph_store::resources::ResourceError;
use jiff::Timestamp;
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use super::{Admin, AdminError, Manifest, Question, RouteQuestion, wire};

/// Most dead letters one answer holds.
const MOST_LETTERS: i32 = 1000;
/// How many it holds when the caller does not say.
const USUAL_LETTERS: i32 = 100;

/// The service: [`Admin`] behind a bearer token.
pub struct AdminApi {
    admin: Admin,
    token: SecretString,
}

type Answer<T> = Result<Response<T>, Status>;

impl AdminApi {
    /// Callers must show `token`.
    pub fn new(admin: Admin, token: SecretString) -> Self {
        Self { admin, token }
    }

    /// Refuses callers without the token.
    fn authorize<T>(&self, request: Request<T>) -> Result<T, Status> {
        let shown = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        if shown.and_then(bearer::token).is_some_and(|shown| bearer::same(&self.token, shown)) {
            Ok(request.into_inner())
        } else {
            Err(Status::unauthenticated("show the token of `admin.token` as `authorization: Bearer …`"))
        }
    }
}

#[tonic::async_trait]
impl AdminService for AdminApi {
    async fn apply_resources(
        &self,
        request: Request<v1::ApplyResourcesRequest>,
    ) -> Answer<v1::ApplyResourcesResponse> {
        let request = self.authorize(request)?;
        let file = if request.file_name.is_empty() { "manifest".to_owned() } else { request.file_name };
        let manifest = Manifest { file, text: request.manifest };
        let changes = self.admin.apply(&[manifest], request.dry_run, "admin-api").await.map_err(status)?;
        Ok(Response::new(v1::ApplyResourcesResponse { changes: changes.iter().map(wire::change).collect() }))
    }

    async fn get_resource(
        &self,
        request: Request<v1::GetResourceRequest>,
    ) -> Answer<v1::GetResourceResponse> {
        let request = self.authorize(request)?;
        let key = key(&request.kind, request.tenant, request.name)?;
        let stored = match u64::try_from(request.version) {
            Ok(0) => self.admin.get(&key).await,
            Ok(version) => self.admin.get_version(&key, version).await,
            Err(_) => return Err(Status::invalid_argument("version: must not be negative")),
        };
        Ok(Response::new(v1::GetResourceResponse {
            resource: Some(wire::resource(&stored.map_err(status)?)),
        }))
    }

    async fn list_resources(
        &self,
        request: Request<v1::ListResourcesRequest>,
    ) -> Answer<v1::ListResourcesResponse> {
        let request = self.authorize(request)?;
        let kind = if request.kind.is_empty() { None } else { Some(kind(&request.kind)?) };
        let found = self.admin.list(filled(&request.tenant), kind).await.map_err(status)?;
        Ok(Response::new(v1::ListResourcesResponse { resources: found.iter().map(wire::resource).collect() }))
    }

    async fn delete_resource(
        &self,
        request: Request<v1::DeleteResourceRequest>,
    ) -> Answer<v1::DeleteResourceResponse> {
        let request = self.authorize(request)?;
        let key = key(&request.kind, request.tenant, request.name)?;
        let changed = self.admin.delete(&key, false).await.map_err(status)?;
        Ok(Response::new(v1::DeleteResourceResponse { change: Some(wire::change(&changed)) }))
    }

    async fn explain_policy(
        &self,
        request: Request<v1::ExplainPolicyRequest>,
    ) -> Answer<v1::ExplainPolicyResponse> {
        let request = self.authorize(request)?;
        let direction = match request.direction() {
            v1::Direction::Outbound => Direction::Outbound,
            v1::Direction::Inbound | v1::Direction::Unspecified => Direction::Inbound,
        };
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let question = Question {
            direction,
            class: request.message_class().into(),
            channel: filled(request.channel),
            account: filled(request.account),
            locale: filled(request.locale),
            country: filled(request.country),
            ..Question::about(&request.tenant, &request.user_id)
        };
        let explained = self.admin.explain(&question, None).await.map_err(status)?;
        Ok(Response::new(v1::ExplainPolicyResponse {
            verdict: Some(heliograph_policy::wire::verdict(&explained.verdict)),
        }))
    }

    async fn explain_routing(
        &self,
        request: Request<v1::ExplainRoutingRequest>,
    ) -> Answer<v1::ExplainRoutingResponse> {
        let request = self.authorize(request)?;
        let at = match &request.at {
            None => None,
            Some(at) => Some(
                Timestamp::from_millisecond(at.millis())
                    .map_err(|_| Status::invalid_argument("at: lies outside of what calendars know"))?,
            ),
        };
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let who = Question {
            contact: filled(request.contact),
            channel: filled(request.channel),
            account: filled(request.account),
            at,
            ..Question::about(&request.tenant, &request.user_id)
        };
        let language = filled(request.language);
        let routed = self.admin.explain_route(&RouteQuestion { who, text: request.text, language }).await;
        Ok(Response::new(routed.map_err(status)?.on_wire()))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Answer<v1::ListDeadLettersResponse> {
        let request = self.authorize(request)?;
        let filter = DeadFilter {
            stage: filled(&request.stage),
            tenant: filled(&request.tenant),
            channel: filled(&request.channel),
        };
        let limit = match request.limit {
            0 => USUAL_LETTERS,
            asked if asked < 0 => return Err(Status::invalid_argument("limit: must not be negative")),
            asked => asked.min(MOST_LETTERS),
        };
        let letters =
            self.admin.dead_letters(&filter, limit.unsigned_abs() as usize).await.map_err(status)?;
        Ok(Response::new(v1::ListDeadLettersResponse { letters: letters.iter().map(wire::letter).collect() }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<v1::GetDeadLetterRequest>,
    ) -> Answer<v1::GetDeadLetterResponse> {
        let request = self.authorize(request)?;
        let letter = self.admin.dead_letter(request.sequence).await.map_err(status)?;
        Ok(Response::new(v1::GetDeadLetterResponse { letter: Some(wire::letter(&letter)) }))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<v1::ReplayDeadLetterRequest>,
    ) -> Answer<v1::ReplayDeadLetterResponse> {
        let request = self.authorize(request)?;
        let subject = self.admin.replay(request.sequence).await.map_err(status)?;
        Ok(Response::new(v1::ReplayDeadLetterResponse { subject }))
    }

    async fn discard_dead_letter(
        &self,
        request: Request<v1::DiscardDeadLetterRequest>,
    ) -> Answer<v1::DiscardDeadLetterResponse> {
        let request = self.authorize(request)?;
        self.admin.discard(request.sequence).await.map_err(status)?;
        Ok(Response::new(v1::DiscardDeadLetterResponse {}))
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn kind(name: &str) -> Result<Kind, Status> {
    name.parse().map_err(|error| Status::invalid_argument(format!("kind: {error}")))
}

fn key(kind_name: &str, tenant: String, name: String) -> Result<ResourceKey, Status> {
    let kind = kind(kind_name)?;
    for (field, value) in [("tenant", &tenant), ("name", &name)] {
        if value.is_empty() {
            return Err(Status::invalid_argument(format!("{field}: is missing")));
        }
    }
    Ok(ResourceKey { tenant, kind, name })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn status(error: AdminError) -> Status {
    let text = error.to_string();
    match error {
        AdminError::Problems(_)
        | AdminError::Empty
        | AdminError::Question { .. }
        | AdminError::Store(ResourceError::InvalidName { .. }) => Status::invalid_argument(text),
        AdminError::NotFound(_)
        | AdminError::NoVersion { .. }
        | AdminError::NoContact(_)
        | AdminError::Dead(DeadError::NotFound(_)) => Status::not_found(text),
        AdminError::InUse { .. } => Status::failed_precondition(text),
        AdminError::Store(ResourceError::Stale { .. }) => Status::aborted(text),
        AdminError::Policy(_) | AdminError::Routing(_) | AdminError::Dead(DeadError::Malformed(_)) => {
            Status::data_loss(text)
        }
        AdminError::Provision(_)
        | AdminError::Store(ResourceError::Kv(_))
        | AdminError::Contacts(_)
        | AdminError::Bucket(_)
        | AdminError::Log(_)
        | AdminError::Broker(_)
        | AdminError::Dead(_) => Status::unavailable(text),
    }
}
