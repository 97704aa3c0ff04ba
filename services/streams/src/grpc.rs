//! `StreamService`.

use std::{pin::Pin, sync::Arc, time::SystemTime};

use futures::{Stream, StreamExt as _};
use heliograph_proto::v1::{
    StartPoint, SubscribeRequest, SubscribeResponse, stream_service_server::StreamService,
    subscribe_request::From as Asked,
};
use tonic::{Request, Response, Status};

use crate::{
    error::Refusal,
    filter::Wanted,
    service::Shared,
    source::{From, Source},
    tokens::tenant,
};

const TRANSPORT: &str = "grpc";

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
}

#[tonic::async_trait]
impl StreamService for Service {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeResponse, Status>> + Send>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let source = open(&self.shared, &request).await.map_err(|refusal| {
            self.shared.metrics.refused(TRANSPORT);
            status(&refusal)
        })?;
        let events = self.shared.subscribe(TRANSPORT, source);
        Ok(Response::new(
            events.map(|event| event.map_err(|ended| Status::unavailable(ended.to_string()))).boxed(),
        ))
    }
}

async fn open(shared: &Shared, request: &Request<SubscribeRequest>) -> Result<Source, Refusal> {
    let authorization = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    let tenant = tenant(&shared.config.api_tokens, authorization)?;
    let asked = request.get_ref();
    if !asked.tenant.is_empty() && asked.tenant != tenant {
        return Err(Refusal::OtherTenant);
    }
    let wanted = Wanted {
        regions: asked.regions.clone(),
        channels: asked.channels.clone(),
        conversations: asked.conversations.clone(),
        types: asked.types.clone(),
    };
    Source::open(&shared.fabric, tenant, wanted, from(asked)?).await
}

/// Where to begin; with nothing said, now.
fn from(request: &SubscribeRequest) -> Result<From, Refusal> {
    match &request.from {
        Some(Asked::AfterSequence(sequence)) => Ok(From::After(*sequence)),
        Some(Asked::StartTime(time)) => {
            let time = SystemTime::UNIX_EPOCH
                .checked_add(std::time::Duration::from_secs(u64::try_from(time.seconds).unwrap_or_default()))
                .and_then(|at| {
                    at.checked_add(std::time::Duration::from_nanos(
                        u64::try_from(time.nanos).unwrap_or_default(),
                    ))
                });
            time.map(From::Time).ok_or_else(|| Refusal::BadFilter("start_time: too far away".to_owned()))
        }
        Some(Asked::StartPoint(point)) if *point == i32::from(StartPoint::Beginning) => Ok(From::After(0)),
        Some(Asked::StartPoint(_)) | None => Ok(From::Now),
    }
}

fn status(refusal: &Refusal) -> Status {
    let text = refusal.to_string();
    match refusal {
        Refusal::NoToken => Status::unauthenticated(text),
        Refusal::OtherTenant => Status::permission_denied(text),
        Refusal::BadFilter(_) => Status::invalid_argument(text),
        Refusal::NoLinks => Status::unimplemented(text),
        Refusal::OutOfRange => Status::out_of_range(text),
        Refusal::Away(error) => {
            tracing::warn!(%error, "a subscription cannot be opened");
            Status::unavailable(text)
        }
    }
}
