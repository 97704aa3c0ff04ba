//! A channel's service as far as media go: what it hands over for a provider's id is what the test says.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures::{StreamExt as _, stream, stream::BoxStream};
use heliograph_proto::v1::{
    DeliverRequest, DeliverResponse, DescribeRequest, DescribeResponse, FetchMediaRequest,
    FetchMediaResponse, MediaInfo, SignalRequest, SignalResponse,
    channel_service_server::{ChannelService, ChannelServiceServer},
    fetch_media_response::Part,
};
use heliograph_runtime::{
    Health, Shutdown,
    config::GrpcSettings,
    grpc::{GrpcServer, RoutesBuilder},
};
use tonic::{Request, Response, Status};

/// What a provider's id stands for.
#[derive(Clone)]
pub(crate) enum Held {
    /// A file as its sender calls it, with its bytes.
    File { content_type: &'static str, name: &'static str, content: Vec<u8> },
    /// The channel says no at once.
    Refusal(Status),
    /// The channel says no after the first bytes.
    BrokenOff(Status),
}

pub(crate) fn file(content: &[u8]) -> Held {
    Held::File { content_type: "image/png", name: "a.png", content: content.to_vec() }
}

/// The channel. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct FakeChannel {
    held: Arc<Mutex<BTreeMap<String, Held>>>,
    asked: Arc<Mutex<Vec<FetchMediaRequest>>>,
}

impl FakeChannel {
    pub(crate) fn hold(&self, provider_media_id: &str, held: Held) {
        self.held.lock().unwrap().insert(provider_media_id.to_owned(), held);
    }

    /// How often a provider's id was asked for.
    pub(crate) fn asked(&self, provider_media_id: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request.provider_media_id == provider_media_id).count()
    }

    pub(crate) fn requests(&self) -> Vec<FetchMediaRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// Serves; where.
    pub(crate) async fn serve(&self, shutdown: &Shutdown) -> SocketAddr {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let settings = GrpcSettings { addr: any, ..GrpcSettings::default() };
        let server = GrpcServer::bind(&settings, &Health::new()).await.unwrap();
        let at = server.local_addr();
        let mut routes = RoutesBuilder::default();
        routes.add_service(ChannelServiceServer::new(self.clone()));
        tokio::spawn(server.serve(routes.routes(), shutdown.clone()));
        at
    }
}

#[tonic::async_trait]
impl ChannelService for FakeChannel {
    type FetchMediaStream = BoxStream<'static, Result<FetchMediaResponse, Status>>;

    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn deliver(&self, _: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn signal(&self, _: Request<SignalRequest>) -> Result<Response<SignalResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn fetch_media(
        &self,
        request: Request<FetchMediaRequest>,
    ) -> Result<Response<Self::FetchMediaStream>, Status> {
        let request = request.into_inner();
        self.asked.lock().unwrap().push(request.clone());
        let held = self.held.lock().unwrap().get(&request.provider_media_id).cloned();
        let info = |content_type: &str, name: &str, size: usize| FetchMediaResponse {
            part: Some(Part::Info(MediaInfo {
                content_type: content_type.to_owned(),
                size_bytes: size.try_into().unwrap(),
                file_name: name.to_owned(),
            })),
        };
        let parts: Vec<Result<FetchMediaResponse, Status>> = match held {
            None => return Err(Status::not_found("the provider does not have this media (any more)")),
            Some(Held::Refusal(status)) => return Err(status),
            Some(Held::BrokenOff(status)) => vec![Ok(info("image/png", "", 0)), Err(status)],
            Some(Held::File { content_type, name, content }) => {
                let chunks = content
                    .chunks(1000)
                    .map(|chunk| Ok(FetchMediaResponse { part: Some(Part::Chunk(chunk.to_vec().into())) }));
                std::iter::once(Ok(info(content_type, name, content.len()))).chain(chunks).collect()
            }
        };
        Ok(Response::new(stream::iter(parts).boxed()))
    }
}
