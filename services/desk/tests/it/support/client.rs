//! A client of the desk over either transport.

use futures::{SinkExt as _, StreamExt as _, stream};
use heliograph_proto::v1::{
    Command, DeskEvent, DeskState, Hello, SessionRequest, SessionResponse, Welcome,
    desk_service_client::DeskServiceClient, session_request, session_response::Frame,
};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::{DeskAt, soon};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Grpc,
    WebSocket,
}

pub(crate) const BOTH: [Transport; 2] = [Transport::Grpc, Transport::WebSocket];

/// An open session. Dropping it breaks the connection without a goodbye.
pub(crate) struct Client {
    requests: mpsc::Sender<SessionRequest>,
    /// Frames as they come; how it ended at last: a gRPC code's name or a close code.
    responses: mpsc::Receiver<Result<SessionResponse, String>>,
    tasks: Vec<tokio::task::AbortHandle>,
}

impl Drop for Client {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Client {
    /// Connects and says nothing.
    pub(crate) async fn connect(desk: &DeskAt, transport: Transport) -> Self {
        let (requests, to_send) = mpsc::channel(16);
        // One frame at a time: a test that does not read lets the desk's queue fill up.
        let (heard, responses) = mpsc::channel(1);
        let task = match transport {
            Transport::Grpc => grpc(desk, to_send, heard).await,
            Transport::WebSocket => websocket(desk, to_send, heard).await,
        };
        Self { requests, responses, tasks: vec![task] }
    }

    /// Connects and says hello.
    pub(crate) async fn hello(desk: &DeskAt, transport: Transport, token: &str, resume_after: u64) -> Self {
        let mut client = Self::connect(desk, transport).await;
        let hello = Hello { token: token.to_owned(), resume_after };
        client.send(session_request::Frame::Hello(hello)).await;
        client
    }

    /// Connects, says hello, and reads up to the state.
    pub(crate) async fn begin(desk: &DeskAt, transport: Transport, token: &str) -> (Self, DeskState) {
        let mut client = Self::hello(desk, transport, token, 0).await;
        assert!(!client.welcome().await.resumed);
        let Frame::State(state) = client.frame().await else { panic!("a state is expected after welcome") };
        (client, state)
    }

    pub(crate) async fn send(&mut self, frame: session_request::Frame) {
        // A desk that has closed is found out by reading.
        let _ = self.requests.send(SessionRequest { frame: Some(frame) }).await;
    }

    pub(crate) async fn command(&mut self, command: Command) {
        self.send(session_request::Frame::Command(command)).await;
    }

    /// The next frame, or how it ended.
    pub(crate) async fn next(&mut self) -> Result<Frame, String> {
        let next = soon("a frame", self.responses.recv()).await;
        next.unwrap_or_else(|| Err("gone".to_owned())).map(|response| response.frame.unwrap())
    }

    pub(crate) async fn frame(&mut self) -> Frame {
        self.next().await.unwrap()
    }

    pub(crate) async fn welcome(&mut self) -> Welcome {
        match self.frame().await {
            Frame::Welcome(welcome) => welcome,
            other => panic!("a welcome was expected, not {other:?}"),
        }
    }

    /// The next event; frames of other kinds before it are passed over.
    pub(crate) async fn event(&mut self) -> DeskEvent {
        loop {
            if let Frame::Event(event) = self.frame().await {
                return event;
            }
        }
    }

    /// The next frame that `pick` takes; others before it are passed over.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(Frame) -> Option<T>) -> T {
        loop {
            let frame = self.frame().await;
            if let Some(picked) = pick(frame) {
                return picked;
            }
        }
    }

    /// Reads until it ends; how it ended.
    pub(crate) async fn end(&mut self) -> String {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }
}

async fn grpc(
    desk: &DeskAt,
    requests: mpsc::Receiver<SessionRequest>,
    heard: mpsc::Sender<Result<SessionResponse, String>>,
) -> tokio::task::AbortHandle {
    let endpoint = format!("http://{}", desk.grpc);
    let options = heliograph_runtime::grpc::ChannelOptions { deadline: None, ..Default::default() };
    let channel = heliograph_runtime::grpc::channel_with(&endpoint, &options).unwrap();
    let mut client = DeskServiceClient::new(channel);
    let requests =
        stream::unfold(requests, |mut requests| async move { Some((requests.recv().await?, requests)) });
    let mut responses = soon("a session over gRPC", client.session(requests)).await.unwrap().into_inner();
    let task = tokio::spawn(async move {
        while let Some(response) = responses.next().await {
            let response = response.map_err(|status| format!("{:?}", status.code()));
            let ended = response.is_err();
            if heard.send(response).await.is_err() || ended {
                return;
            }
        }
        let _ = heard.send(Err("Ok".to_owned())).await;
    });
    task.abort_handle()
}

async fn websocket(
    desk: &DeskAt,
    mut requests: mpsc::Receiver<SessionRequest>,
    heard: mpsc::Sender<Result<SessionResponse, String>>,
) -> tokio::task::AbortHandle {
    let url = format!("ws://{}/desk/ws", desk.http);
    let (socket, _) = soon("a WebSocket", tokio_tungstenite::connect_async(url)).await.unwrap();
    let (mut sink, mut frames) = socket.split();
    let task = tokio::spawn(async move {
        let writing = async {
            while let Some(request) = requests.recv().await {
                let json = serde_json::to_string(&request).unwrap();
                if sink.send(Message::text(json)).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let reading = async {
            let mut end = "broken".to_owned();
            while let Some(Ok(message)) = frames.next().await {
                match message {
                    Message::Text(text) => {
                        let response = serde_json::from_str(&text).unwrap();
                        if heard.send(Ok(response)).await.is_err() {
                            return;
                        }
                    }
                    Message::Close(frame) => {
                        end = frame
                            .map_or_else(|| "1005".to_owned(), |frame| u16::from(frame.code).to_string());
                    }
                    _ => {}
                }
            }
            let _ = heard.send(Err(end)).await;
        };
        tokio::select! {
            () = writing => {}
            () = reading => {}
        }
    });
    task.abort_handle()
}
