//! `DeskService`.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, stream};
use heliograph_proto::v1::{
    GetHistoryRequest, GetHistoryResponse, SessionRequest, SessionResponse, SignInRequest, SignInResponse,
    desk_service_server::DeskService,
};
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    history::{self, HistoryError, Page, Reader},
    session::{self, BadFrame, End, Shared},
    sign_in::SignInError,
};

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
}

type Responses = Pin<Box<dyn Stream<Item = Result<SessionResponse, Status>> + Send>>;

#[tonic::async_trait]
impl DeskService for Service {
    async fn sign_in(&self, request: Request<SignInRequest>) -> Result<Response<SignInResponse>, Status> {
        let from = request.remote_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
        match self.shared.users.sign_in(request.get_ref(), &from).await {
            Ok(response) => {
                self.shared.metrics.sign_in("signed_in");
                Ok(Response::new(response))
            }
            Err(error) => {
                self.shared.metrics.sign_in(error.code());
                Err(match &error {
                    SignInError::Off => Status::unimplemented(error.to_string()),
                    SignInError::Wrong => Status::unauthenticated(error.to_string()),
                    SignInError::TooMany(_) => Status::resource_exhausted(error.to_string()),
                })
            }
        }
    }

    type SessionStream = Responses;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let frames = frames(request.into_inner());
        let (queue, waiting) = mpsc::channel(self.shared.config.send_queue);
        let (ended, end) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            // Nobody listens when the client has gone.
            let _ = ended.send(session::run(&shared, "grpc", frames, queue).await);
        });
        Ok(Response::new(responses(waiting, end)))
    }

    async fn get_history(
        &self,
        request: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let GetHistoryRequest { token, conversation, before, limit } = request.into_inner();
        let identity =
            self.shared.users.identify(&token).map_err(|error| Status::unauthenticated(error.to_string()))?;
        let page = Page { conversation, before, limit };
        let reader = Reader::Serving(Vec::new());
        let history = history::load(&self.shared, &identity, &page, &reader).await.map_err(|error| {
            let text = error.to_string();
            match error {
                HistoryError::NoConversation => Status::invalid_argument(text),
                HistoryError::Forbidden => Status::permission_denied(text),
                HistoryError::Broker(_) => Status::unavailable(text),
            }
        })?;
        let history = session::with_media(&self.shared, history);
        Ok(Response::new(GetHistoryResponse { history: Some(history) }))
    }
}

/// The client's frames. A broken call is a client that left.
fn frames(requests: Streaming<SessionRequest>) -> session::Frames {
    let frames = requests.map(|request| match request {
        Ok(frame) => Some(Ok(frame)),
        Err(status) if matches!(status.code(), tonic::Code::Internal | tonic::Code::OutOfRange) => {
            Some(Err(BadFrame(status.message().to_owned())))
        }
        Err(_) => None,
    });
    frames.take_while(|frame| std::future::ready(frame.is_some())).filter_map(std::future::ready).boxed()
}

/// What is queued, and then how the session ended.
fn responses(waiting: mpsc::Receiver<SessionResponse>, end: oneshot::Receiver<End>) -> Responses {
    let all = stream::unfold((waiting, Some(end)), |(mut waiting, end)| async move {
        if let Some(response) = waiting.recv().await {
            return Some((Ok(response), (waiting, end)));
        }
        let status = end?.await.ok()?.status()?;
        Some((Err(status), (waiting, None)))
    });
    Box::pin(all)
}
