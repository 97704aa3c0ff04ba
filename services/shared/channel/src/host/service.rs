//! `ChannelService` over a carrier: what egress calls.

use std::{sync::Arc, time::Instant};

use futures::{StreamExt as _, stream, stream::BoxStream};
use heliograph_proto::v1::{
    DeliverRequest, DeliverResponse, DescribeRequest, DescribeResponse, FetchMediaRequest,
    FetchMediaResponse, SignalRequest, SignalResponse,
    channel_service_server::{ChannelService, ChannelServiceServer},
    fetch_media_response::Part,
};
use tonic::{Request, Response, Status, service::Routes};

use super::{
    accounts::{Accounts, NoAccount},
    ingress::wall_clock,
    metrics::Metrics,
};
use crate::{Account, Carrier, CarrierError, Delivery, Outcome, Settings};

/// The gRPC face of one channel.
pub(super) struct Service<S: Settings> {
    pub name: &'static str,
    pub carrier: Arc<dyn Carrier<Settings = S>>,
    pub accounts: Accounts<S>,
    pub metrics: Arc<Metrics>,
}

impl<S: Settings> Service<S> {
    pub(super) fn routes(self) -> Routes {
        Routes::new(ChannelServiceServer::new(self))
    }

    fn account(&self, tenant: &str, name: &str) -> Result<Arc<Account<S>>, Status> {
        self.accounts.of_tenant(tenant, name).map_err(|why| match why {
            NoAccount::Loading => Status::unavailable(why.to_string()),
            NoAccount::Unknown => Status::not_found(why.to_string()),
            NoAccount::Disabled | NoAccount::Broken(_) => Status::failed_precondition(why.to_string()),
        })
    }

    async fn outcome(&self, request: &DeliverRequest) -> Result<Outcome, Status> {
        let account = match self.accounts.of_tenant(&request.tenant, &request.account) {
            Ok(account) => account,
            // The lane stops until somebody puts the account right or switches it on.
            Err(why @ (NoAccount::Disabled | NoAccount::Broken(_))) => {
                return Ok(Outcome::auth(why.code(), why.to_string()));
            }
            Err(why @ NoAccount::Loading) => return Err(Status::unavailable(why.to_string())),
            Err(why @ NoAccount::Unknown) => return Err(Status::not_found(why.to_string())),
        };
        let Some(message) = request.message.as_ref().filter(|message| message.content.is_some()) else {
            return Err(Status::invalid_argument("`message.content` is missing"));
        };
        let delivery = Delivery::new(message, &request.delivery_id, &request.correlation, wall_clock());
        Ok(self.carrier.deliver(&account, delivery).await)
    }
}

#[tonic::async_trait]
impl<S: Settings> ChannelService for Service<S> {
    type FetchMediaStream = BoxStream<'static, Result<FetchMediaResponse, Status>>;

    async fn describe(
        &self,
        request: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        let DescribeRequest { tenant, account } = request.into_inner();
        let account = self.account(&tenant, &account)?;
        let capabilities = self.carrier.capabilities(&account);
        Ok(Response::new(DescribeResponse { capabilities: Some(capabilities) }))
    }

    #[tracing::instrument(name = "deliver", skip_all, fields(
        heliograph.tenant = request.get_ref().tenant,
        heliograph.channel = self.name,
        heliograph.account = request.get_ref().account,
        messaging.message.id = request.get_ref().delivery_id,
        messaging.message.conversation_id = request.get_ref().conversation,
    ))]
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let begun = Instant::now();
        let outcome = self.outcome(request.get_ref()).await?;
        self.metrics.delivery(outcome.code(), begun.elapsed().as_secs_f64());
        if !matches!(outcome, Outcome::Delivered { .. }) {
            tracing::info!(outcome = outcome.code(), "not delivered");
        }
        Ok(Response::new(outcome.into()))
    }

    async fn signal(&self, request: Request<SignalRequest>) -> Result<Response<SignalResponse>, Status> {
        let signal = request.into_inner();
        let account = self.account(&signal.tenant, &signal.account)?;
        let shown = self.carrier.signal(&account, signal).await;
        Ok(Response::new(SignalResponse { shown }))
    }

    async fn fetch_media(
        &self,
        request: Request<FetchMediaRequest>,
    ) -> Result<Response<Self::FetchMediaStream>, Status> {
        let FetchMediaRequest { tenant, account, provider_media_id, url } = request.into_inner();
        let account = self.account(&tenant, &account)?;
        let media = self.carrier.fetch_media(&account, &provider_media_id, &url).await.map_err(status)?;
        let info = stream::iter([Ok(FetchMediaResponse { part: Some(Part::Info(media.info)) })]);
        let chunks = media.chunks.map(|chunk| match chunk {
            Ok(chunk) => Ok(FetchMediaResponse { part: Some(Part::Chunk(chunk)) }),
            Err(error) => Err(status(error)),
        });
        Ok(Response::new(info.chain(chunks).boxed()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn status(error: CarrierError) -> Status {
    let text = error.to_string();
    match error {
        CarrierError::Unsupported => Status::unimplemented(text),
        CarrierError::NotFound => Status::not_found(text),
        CarrierError::Refused(_) => Status::invalid_argument(text),
        CarrierError::Unauthorized(_) | CarrierError::Provider(_) => Status::unavailable(text),
    }
}
