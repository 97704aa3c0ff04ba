//! Reaching egress: its address, its token, and what its refusals mean.

use clap::Args;
use heliograph_runtime::{
    Settings,
    grpc::{self, GrpcChannel},
};
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{Code, Request, metadata::MetadataValue};

use crate::{
    failure::{Away, Unconfigured, Usage},
    settings::ClientSettings,
};

/// Flags of commands that ask egress.
#[derive(Debug, Args)]
pub struct EgressArgs {
    /// Where egress answers; sets client.egress
    #[arg(long, value_name = "URL")]
    pub egress: Option<String>,
    /// What to show egress; client.token when not given
    #[arg(long, value_name = "TOKEN", env = "HELIOGRAPH_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// A way to egress.
pub(super) struct Egress {
    endpoint: String,
    bearer: MetadataValue<tonic::metadata::Ascii>,
    /// The connection; it is made when it is needed.
    pub(super) channel: GrpcChannel,
}

impl Egress {
    /// Where egress is, by flags, then configuration.
    pub(super) fn find(args: &EgressArgs, settings: &Settings) -> anyhow::Result<Self> {
        let client: ClientSettings = settings.section("client")?;
        let endpoint =
            args.egress.clone().or(client.egress).unwrap_or_else(|| format!("http://{}", settings.grpc.addr));
        let token = args.token.clone().map(SecretString::from).or(client.token).ok_or_else(|| {
            Unconfigured("egress wants a token: give --token, HELIOGRAPH_TOKEN or client.token".to_owned())
        })?;
        let channel = grpc::channel(&endpoint).map_err(|error| Usage(error.to_string()))?;
        let bearer = format!("Bearer {}", token.expose_secret())
            .parse()
            .map_err(|_| Usage("the token holds characters that cannot be sent".to_owned()))?;
        Ok(Self { endpoint, bearer, channel })
    }

    /// A request that shows the token.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        request
    }

    /// What a refusal means to the person who asked.
    pub(super) fn refused(&self, status: &tonic::Status) -> anyhow::Error {
        let (endpoint, text) = (&self.endpoint, status.message());
        match status.code() {
            Code::Unavailable => {
                Away(format!("egress at {endpoint} does not answer ({text}); --egress says where it is"))
                    .into()
            }
            Code::Unauthenticated | Code::PermissionDenied => {
                Unconfigured(format!("egress at {endpoint} refuses the token: {text}")).into()
            }
            Code::InvalidArgument => Usage(text.to_owned()).into(),
            Code::NotFound | Code::FailedPrecondition => anyhow::anyhow!("{text}"),
            code => anyhow::anyhow!("egress answers {code:?}: {text}"),
        }
    }
}
