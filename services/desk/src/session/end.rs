//! How sessions end.

use heliograph_proto::v1::{DeskError, SessionResponse, session_response::Frame};
use tonic::Status;

use crate::auth::AuthError;

/// Why a session ended. All but [`End::Unauthorized`] can be resumed from the last sequence seen.
#[derive(Debug)]
pub(crate) enum End {
    /// The client went.
    Left,
    /// The token is not, or no longer, good.
    Unauthorized(AuthError),
    /// This process stops.
    Restart,
    /// The client does not read what it is sent.
    Slow,
    /// Nothing was heard of the client.
    Silent,
    /// The client sent what is not a frame, or not what may come now.
    BadFrame(String),
    /// The stream cannot be read from where the session stands.
    Lost,
}

impl End {
    /// For metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Unauthorized(_) => "unauthorized",
            Self::Restart => "restart",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::BadFrame(_) => "bad_frame",
            Self::Lost => "lost",
        }
    }

    /// The close code of a WebSocket (RFC 6455, 7.4; 44xx are ours) and its reason, below 124 bytes.
    pub(crate) fn close(&self) -> (u16, &'static str) {
        match self {
            Self::Left => (1000, ""),
            Self::Unauthorized(AuthError::Expired) => (4401, "the session has expired"),
            Self::Unauthorized(_) => (4401, "please sign in"),
            Self::Restart => (1012, "the desk restarts, please come back"),
            Self::Slow => (1013, "too slow, please resume"),
            Self::Silent => (1001, "nothing was heard"),
            Self::BadFrame(_) => (1007, "not a frame of the desk"),
            Self::Lost => (1011, "please resume"),
        }
    }

    /// The last words over gRPC; none when there is nothing to say.
    pub(crate) fn status(&self) -> Option<Status> {
        let text = self.text();
        match self {
            Self::Left => None,
            Self::Unauthorized(_) => Some(Status::unauthenticated(text)),
            Self::Restart | Self::Lost => Some(Status::unavailable(text)),
            Self::Slow => Some(Status::resource_exhausted(text)),
            Self::Silent => Some(Status::deadline_exceeded(text)),
            Self::BadFrame(_) => Some(Status::invalid_argument(text)),
        }
    }

    /// The last frame.
    pub(super) fn frame(&self) -> Option<SessionResponse> {
        let (code, fatal) = match self {
            Self::Left => return None,
            Self::Unauthorized(error) => (error.code(), true),
            Self::Restart => ("restart", false),
            Self::Slow => ("slow_client", false),
            Self::Silent => ("silent_client", false),
            Self::BadFrame(_) => ("bad_frame", false),
            Self::Lost => ("stream_lost", false),
        };
        let error = DeskError { code: code.to_owned(), message: self.text(), fatal };
        Some(SessionResponse { frame: Some(Frame::Error(error)) })
    }

    fn text(&self) -> String {
        match self {
            Self::Left => String::new(),
            Self::Unauthorized(error) => error.to_string(),
            Self::Restart => "the desk restarts; connect again and resume".to_owned(),
            Self::Slow => {
                "frames were not read in time; connect again and resume after the last sequence seen"
                    .to_owned()
            }
            Self::Silent => "nothing was heard for three ping intervals".to_owned(),
            Self::BadFrame(what) => what.clone(),
            Self::Lost => "the stream cannot be read from here; connect again".to_owned(),
        }
    }
}
