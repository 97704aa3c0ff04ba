//! `EgressService`: sending by API.

mod ask;
mod auth;
mod read;
mod send;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use heliograph_domain::resources::{Kind, Spec, Stored};
use heliograph_fabric::{Layout, subjects::Bucket};
use heliograph_policy::CompiledPolicy;
use heliograph_proto::v1::{
    GetMessageRequest, GetMessageResponse, SendRequest, SendResponse, egress_service_server::EgressService,
};
use heliograph_store::{KvBucket, contacts::ContactStore};
use tonic::{Request, Response, Status};

use crate::{
    error::{EgressError, Failure},
    line::Shared,
};

/// The policy that counts when a tenant has several.
const POLICY: &str = "default";

/// The service.
pub(crate) struct Api {
    shared: Arc<Shared>,
    layout: Layout,
    contacts: ContactStore,
    /// What was sent under which key. Beside the attempts, and kept as long.
    keys: KvBucket,
    /// Compiled policies by tenant, with the version they were compiled from.
    policies: Mutex<HashMap<String, CompiledPolicy>>,
}

impl Api {
    pub(crate) async fn new(
        shared: &Arc<Shared>,
        layout: Layout,
        contacts: ContactStore,
    ) -> Result<Self, EgressError> {
        let keys = KvBucket::open(shared.fabric.jetstream(), Bucket::Deliveries.name()).await;
        Ok(Self {
            shared: Arc::clone(shared),
            layout,
            contacts,
            keys: keys.map_err(EgressError::bucket)?,
            policies: Mutex::default(),
        })
    }

    /// The tenant's policy. One that cannot be compiled leaves the last good one in force; none at all allows nothing.
    fn policy(&self, tenant: &str) -> CompiledPolicy {
        let snapshot = self.shared.resources.snapshot();
        let found: Vec<&Arc<Stored>> = snapshot.of_tenant(tenant, Some(Kind::ChannelPolicy)).collect();
        let named = found.iter().find(|stored| stored.resource.metadata.name == POLICY).or(found.first());
        let Some(stored) = named else { return CompiledPolicy::nothing() };
        let Spec::ChannelPolicy(spec) = &stored.resource.spec else { return CompiledPolicy::nothing() };
        let name = &stored.resource.metadata.name;
        let mut policies = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = policies.get(tenant)
            && *known.name() == **name
            && known.version() == stored.version
        {
            return known.clone();
        }
        match CompiledPolicy::compile(name, stored.version, spec, &heliograph_policy::Calendars::new()) {
            Ok(compiled) => {
                policies.insert(tenant.to_owned(), compiled.clone());
                compiled
            }
            Err(error) => {
                tracing::error!(tenant, policy = name, %error, "a policy cannot be used; the last good one stays in force");
                policies.get(tenant).cloned().unwrap_or_else(CompiledPolicy::nothing)
            }
        }
    }
}

#[tonic::async_trait]
impl EgressService for Api {
    async fn send(&self, request: Request<SendRequest>) -> Result<Response<SendResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        let request = request.into_inner();
        auth::same_tenant(client, &request.tenant)?;
        let answer = Box::pin(self.send_once(client, request)).await;
        self.shared.metrics.send(match &answer {
            Ok(answer) if answer.duplicate => "duplicate",
            Ok(answer) if answer.message_id.is_empty() => "not_sent",
            Ok(_) => "accepted",
            Err(_) => "error",
        });
        answer.map(Response::new)
    }

    async fn get_message(
        &self,
        request: Request<GetMessageRequest>,
    ) -> Result<Response<GetMessageResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        let request = request.into_inner();
        auth::same_tenant(client, &request.tenant)?;
        self.read(&client.tenant, &request).await.map(Response::new)
    }
}

/// What a caller is told when something we stand on failed.
fn status(failure: impl Into<Failure>) -> Status {
    let failure = failure.into();
    tracing::warn!(error = %failure, "a request failed");
    match failure {
        Failure::Poison { .. } => Status::internal("the request could not be handled"),
        _ => Status::unavailable("the broker is away; try again with the same idempotency key"),
    }
}
