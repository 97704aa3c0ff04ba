//! Sending a channel's requests, and telling "never sent" from "sent, outcome unknown".

use std::time::Duration;

use heliograph_runtime::http_client::{
    BodyError, ClientError, HttpClient, HttpClientOptions, SendError, read_body,
};
use http::{HeaderMap, HeaderValue, header};
use reqwest::Response;
use url::Url;

use super::{ingress::wall_clock, settings::HostSettings};
use crate::{Account, Body, Outcome, ProviderRequest, ProviderResponse};

/// Sends requests to providers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outlet {
    public: HttpClient,
    anywhere: HttpClient,
    private_networks: bool,
    answer_limit: usize,
    media_timeout: Duration,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It cannot be sent as it is.
    #[error("{0}")]
    Invalid(String),
    /// It never left.
    #[error("never sent: {0}")]
    NotSent(String),
    /// It left, and what became of it is not known.
    #[error("sent, but no answer: {0}")]
    Unknown(String),
}

impl NoAnswer {
    /// What it means for a delivery. `idempotent`: the provider can tell a repeat, so sending again is safe.
    pub fn outcome(self, idempotent: bool) -> Outcome {
        match self {
            Self::Invalid(why) => Outcome::permanent("invalid_request", why),
            Self::NotSent(why) => Outcome::retry(None, "not_sent", why),
            Self::Unknown(why) if idempotent => Outcome::retry(None, "no_answer", why),
            Self::Unknown(why) => Outcome::in_doubt("no_answer", why),
        }
    }
}

impl From<SendError> for NoAnswer {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Invalid(_) | SendError::Refused(_) => Self::Invalid(error.to_string()),
            SendError::NotSent(_) => Self::NotSent(error.to_string()),
            SendError::Unknown(_) => Self::Unknown(error.to_string()),
        }
    }
}

impl Outlet {
    /// Makes the clients.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new(settings: &HostSettings) -> Result<Self, ClientError> {
        let options = |public_only| HttpClientOptions {
            request_timeout: settings.provider_timeout,
            public_only,
            ..HttpClientOptions::default()
        };
        Ok(Self {
            public: HttpClient::new(&options(true))?,
            anywhere: HttpClient::new(&options(false))?,
            private_networks: settings.private_networks,
            answer_limit: settings.answer_limit,
            media_timeout: settings.media_timeout,
        })
    }

    /// Sends `request` once for `account` and reads the answer, whatever its status.
    ///
    /// # Errors
    /// See [`NoAnswer`].
    pub async fn send<S>(
        &self,
        account: &Account<S>,
        request: &ProviderRequest,
    ) -> Result<ProviderResponse, NoAnswer> {
        let response = self.start(account, request, None).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        match read_body(response, self.answer_limit).await {
            Ok(body) => Ok(ProviderResponse { status, headers, body, now_ms: wall_clock() }),
            Err(error @ (BodyError::TooLarge { .. } | BodyError::Broken(_))) => {
                Err(NoAnswer::Unknown(error.to_string()))
            }
        }
    }

    /// Asks for a medium and leaves it to the caller to read; it has longer to come than an answer has.
    pub(super) async fn fetch<S>(
        &self,
        account: &Account<S>,
        request: &ProviderRequest,
    ) -> Result<Response, NoAnswer> {
        self.start(account, request, Some(self.media_timeout)).await
    }

    /// Sends `request` and leaves the body of the answer to the caller.
    async fn start<S>(
        &self,
        account: &Account<S>,
        request: &ProviderRequest,
        within: Option<Duration>,
    ) -> Result<Response, NoAnswer> {
        let (url, mut headers) = request.exposed();
        let url = Url::parse(&url).map_err(|_| NoAnswer::Invalid("the URL is not valid".to_owned()))?;
        let client = if self.may_reach_anything(account, &url) { &self.anywhere } else { &self.public };
        let mut building = client.request(request.method.clone(), url);
        if let Some(within) = within {
            building = building.timeout(within);
        }
        match &request.body {
            Body::Empty => {}
            Body::Json(body) => {
                json_unless_said(&mut headers);
                building = building.body(body.clone());
            }
            Body::Raw(body) => building = building.body(body.clone()),
            Body::Form(fields) => building = building.form(fields),
        }
        Ok(client.send(building.headers(headers)).await?)
    }

    /// An account whose `base_url` is this host itself talks to a sandbox there, and to nothing else inside.
    fn may_reach_anything<S>(&self, account: &Account<S>, url: &Url) -> bool {
        let sandbox = |base: &Url| is_loopback(base) && base.origin() == url.origin();
        self.private_networks || account.base_url.as_ref().is_some_and(sandbox)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn json_unless_said(headers: &mut HeaderMap) {
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
}
