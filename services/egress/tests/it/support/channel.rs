//! A channel service that answers as it is told, and remembers every call.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heliograph_domain::content;
use heliograph_proto::v1::{
    Capabilities, DeliverRequest, DeliverResponse, Delivered, DeliveryError, DescribeRequest,
    DescribeResponse, ErrorClass, FetchMediaRequest, FetchMediaResponse, RetryLater, SignalRequest,
    SignalResponse,
    channel_service_server::{ChannelService, ChannelServiceServer},
    deliver_response::Outcome,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// What the channel does with a call.
pub(crate) enum Step {
    Answer(Outcome),
    /// Answers that once the semaphore lets it.
    After(Arc<Semaphore>, Outcome),
    Refuse(Status),
}

/// One call of `Deliver`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) request: DeliverRequest,
    pub(crate) text: String,
    /// Answered with `delivered`.
    pub(crate) done: bool,
}

type Plan = Box<dyn Fn(&DeliverRequest, usize) -> Step + Send + Sync>;

struct Shared {
    calls: Mutex<Vec<Call>>,
    plan: Mutex<Plan>,
    capabilities: Mutex<Capabilities>,
}

/// A running channel service.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
    server: Option<Runtime>,
}

impl Drop for Channel {
    /// The server goes as a process does: its connections break.
    fn drop(&mut self) {
        self.server.take().unwrap().shutdown_background();
    }
}

impl Channel {
    /// A channel that shows text and delivers everything.
    pub(crate) fn start(name: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let capabilities = Capabilities {
            channel: name.to_owned(),
            content: vec!["text".to_owned()],
            ..Capabilities::default()
        };
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            plan: Mutex::new(Box::new(|request, _| Step::Answer(delivered(&request.delivery_id)))),
            capabilities: Mutex::new(capabilities),
        });
        let service = ChannelServiceServer::new(Service(Arc::clone(&shared)));
        let server =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        server.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { name: name.to_owned(), endpoint, shared, server: Some(server) }
    }

    /// From now on, calls are answered by `plan`, which is given the request and how many calls of its delivery came before.
    pub(crate) fn plan(&self, plan: impl Fn(&DeliverRequest, usize) -> Step + Send + Sync + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
    }

    /// Changes what the channel says of itself.
    pub(crate) fn capable(&self, change: impl FnOnce(&mut Capabilities)) {
        change(&mut self.shared.capabilities.lock().unwrap());
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Texts delivered in a conversation, in the order in which they were.
    pub(crate) fn delivered_in(&self, conversation: &str) -> Vec<String> {
        let calls = self.shared.calls.lock().unwrap();
        let done = calls.iter().filter(|call| call.done && call.request.conversation == conversation);
        done.map(|call| call.text.clone()).collect()
    }
}

struct Service(Arc<Shared>);

#[tonic::async_trait]
impl ChannelService for Service {
    type FetchMediaStream = futures::stream::Empty<Result<FetchMediaResponse, Status>>;

    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        let capabilities = self.0.capabilities.lock().unwrap().clone();
        Ok(Response::new(DescribeResponse { capabilities: Some(capabilities) }))
    }

    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let request = request.into_inner();
        let text =
            request.message.as_ref().and_then(|message| message.content.as_ref()).map(content::preview);
        let (index, before) = {
            let mut calls = self.0.calls.lock().unwrap();
            let before = calls.iter().filter(|call| call.request.delivery_id == request.delivery_id).count();
            let call = Call {
                at: Instant::now(),
                request: request.clone(),
                text: text.unwrap_or_default(),
                done: false,
            };
            calls.push(call);
            (calls.len() - 1, before)
        };
        let step = (self.0.plan.lock().unwrap())(&request, before);
        let outcome = match step {
            Step::Answer(outcome) => outcome,
            Step::After(gate, outcome) => {
                gate.acquire().await.unwrap().forget();
                outcome
            }
            Step::Refuse(status) => return Err(status),
        };
        if matches!(outcome, Outcome::Delivered(_)) {
            self.0.calls.lock().unwrap()[index].done = true;
        }
        Ok(Response::new(DeliverResponse { outcome: Some(outcome) }))
    }

    async fn signal(&self, _: Request<SignalRequest>) -> Result<Response<SignalResponse>, Status> {
        Ok(Response::new(SignalResponse { shown: false }))
    }

    async fn fetch_media(
        &self,
        _: Request<FetchMediaRequest>,
    ) -> Result<Response<Self::FetchMediaStream>, Status> {
        Err(Status::unimplemented("no media"))
    }
}

/// The provider has it, and calls it so.
pub(crate) fn delivered(id: &str) -> Outcome {
    Outcome::Delivered(Delivered {
        provider_message_id: format!("p-{id}"),
        provider_part_ids: Vec::new(),
        parts: 2,
    })
}

/// The provider wants to be asked again.
pub(crate) fn later(after: Option<Duration>, account_wide: bool) -> Outcome {
    let retry_after = after.map(|after| heliograph_proto::Duration {
        seconds: i64::try_from(after.as_secs()).unwrap(),
        nanos: i32::try_from(after.subsec_nanos()).unwrap(),
    });
    let error = Some(code(ErrorClass::RateLimited, "429"));
    Outcome::RetryLater(RetryLater { retry_after, error, account_wide })
}

pub(crate) fn permanent(class: ErrorClass, text: &str) -> Outcome {
    Outcome::Permanent(code(class, text))
}

pub(crate) fn code(class: ErrorClass, code: &str) -> DeliveryError {
    DeliveryError { error_class: class.into(), code: code.to_owned(), text: "as scripted".to_owned() }
}
