//! `EgressService`: sending by API.

mod ask;
mod read;
mod send;

use std::sync::Arc;

use heliograph_fabric::subjects::Bucket;
use heliograph_proto::v1::{
    GetMessageRequest, GetMessageResponse, SendRequest, SendResponse, egress_service_server::EgressService,
};
use heliograph_store::KvBucket;
use tonic::{Request, Response, Status};

use crate::{
    auth,
    error::{EgressError, Failure},
    line::Shared,
};

/// The service.
pub(crate) struct Api {
    shared: Arc<Shared>,
    /// What was sent under which key. Beside the attempts, and kept as long.
    keys: KvBucket,
}

impl Api {
    pub(crate) async fn new(shared: &Arc<Shared>) -> Result<Self, EgressError> {
        let keys = KvBucket::open(shared.fabric.jetstream(), Bucket::Deliveries.name()).await;
        Ok(Self { shared: Arc::clone(shared), keys: keys.map_err(EgressError::bucket)? })
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
pub(crate) fn status(failure: impl Into<Failure>) -> Status {
    let failure = failure.into();
    tracing::warn!(error = %failure, "a request failed");
    match failure {
        Failure::Poison { .. } => Status::internal("the request could not be handled"),
        _ => Status::unavailable("the broker is away; try the same request again"),
    }
}
