//! The full outbound contract, with I/O: what the gRPC server calls.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use heliograph_proto::v1::{MediaInfo, SignalRequest};

use crate::{Account, Channel, Delivery, Outcome};

/// Carries deliveries of one channel. Every [`crate::Provider`] is a carrier through the host's HTTP client; a
/// channel without a provider behind it implements this itself.
#[async_trait]
pub trait Carrier: Channel {
    /// Hands over one message and says what became of it. Never retries by itself.
    async fn deliver(&self, account: &Account<Self::Settings>, delivery: Delivery<'_>) -> Outcome;

    /// Shows a signal to the customer; `false` when the channel cannot.
    async fn signal(&self, _account: &Account<Self::Settings>, _signal: SignalRequest) -> bool {
        false
    }

    /// Streams media received on this channel.
    ///
    /// # Errors
    /// See [`CarrierError`].
    async fn fetch_media(
        &self,
        _account: &Account<Self::Settings>,
        _provider_media_id: &str,
        _url: &str,
    ) -> Result<MediaStream, CarrierError> {
        Err(CarrierError::Unsupported)
    }
}

/// Media on its way.
pub struct MediaStream {
    /// What is known before the first byte.
    pub info: MediaInfo,
    /// The bytes.
    pub chunks: BoxStream<'static, Result<Bytes, CarrierError>>,
}

/// Why media could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// The channel has no media to fetch.
    #[error("this channel has no media to fetch")]
    Unsupported,
    /// The provider does not have it any more.
    #[error("the provider does not have this media (any more)")]
    NotFound,
    /// Too large, refused address, wrong type.
    #[error("refused: {0}")]
    Refused(String),
    /// The provider does not take our token.
    #[error("the provider does not take our token: {0}")]
    Unauthorized(String),
    /// The provider did not answer as it should.
    #[error("the provider could not be read: {0}")]
    Provider(String),
}
