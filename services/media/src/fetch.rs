//! One medium: asked of its channel, taken in, or refused for good.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use heliograph_media::{Intake, IntakeError, Medium, Origin, Refusal, SCANNER_AWAY, sniff};
use heliograph_proto::v1::{
    FetchMediaRequest, FetchMediaResponse, Media, MediaInfo, MediaKind,
    channel_service_client::ChannelServiceClient, fetch_media_response::Part,
};
use heliograph_runtime::grpc::GrpcChannel;
use heliograph_store::objects::ObjectError;
use tonic::{Code, Status, Streaming};

/// The code of a medium that was tried for as long as it may be.
pub(crate) const GIVEN_UP: &str = "given_up";

/// The client of one channel's service.
pub(crate) type Client = ChannelServiceClient<GrpcChannel>;

/// Whose medium it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) account: &'a str,
}

/// What became of a medium.
#[derive(Debug)]
pub(crate) enum End {
    /// It was there already, or known not to be had.
    Known,
    /// It is there now.
    Stored,
    /// It never will be, and that is written down.
    Refused(Refusal),
    /// Not this time.
    Later { code: &'static str, why: String },
}

impl End {
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Known => "known",
            Self::Stored => "stored",
            Self::Refused(refusal) => &refusal.code,
            Self::Later { code, .. } => code,
        }
    }
}

/// Why a medium is not had now, or never.
enum Failed {
    For(Refusal),
    Now { code: &'static str, why: String },
}

impl Failed {
    fn for_good(code: &str, reason: impl Into<String>) -> Self {
        Self::For(Refusal { code: code.to_owned(), reason: reason.into() })
    }
}

impl From<Status> for Failed {
    /// What the channel says of a medium; [`Code`]s as the contract of `FetchMedia` has them.
    fn from(status: Status) -> Self {
        match status.code() {
            Code::NotFound => Self::for_good("not_found", "the provider does not have it any more"),
            Code::InvalidArgument => Self::for_good("refused", status.message()),
            Code::Unimplemented => Self::for_good("unsupported", "the channel fetches no media"),
            _ => {
                Self::Now { code: "channel_away", why: format!("{:?}: {}", status.code(), status.message()) }
            }
        }
    }
}

impl From<IntakeError> for Failed {
    fn from(error: IntakeError) -> Self {
        let code = match &error {
            IntakeError::Refused(refusal) => return Self::For(refusal.clone()),
            IntakeError::BrokenOff(_) => "broken_off",
            IntakeError::Scanner(_) => SCANNER_AWAY,
            IntakeError::Store(_) => "store_away",
        };
        Self::Now { code, why: error.to_string() }
    }
}

impl From<ObjectError> for Failed {
    fn from(error: ObjectError) -> Self {
        IntakeError::from(error).into()
    }
}

/// Fetches `media` within `within`, unless something is known of it already.
pub(crate) async fn fetch(
    client: &Client,
    intake: &Intake,
    owner: Owner<'_>,
    media: &Media,
    within: Duration,
) -> (End, Duration) {
    let begun = Instant::now();
    let store = intake.store();
    let id = media.object_id.as_str();
    let end = async {
        match store.look(owner.tenant, id).await? {
            // Somebody replays its dead letter: the provider may be back. Or the scanner is.
            Some(Medium::Refused(Refusal { code, .. }))
                if [GIVEN_UP, SCANNER_AWAY].contains(&code.as_str()) => {}
            Some(_) => return Ok(End::Known),
            None => {}
        }
        take(client, intake, owner, media, within).await?;
        Ok::<_, Failed>(End::Stored)
    };
    let end = match end.await {
        Ok(end) => end,
        Err(Failed::Now { code, why }) => {
            if code == SCANNER_AWAY {
                say_it_waits(intake, owner, id).await;
            }
            End::Later { code, why }
        }
        Err(Failed::For(refusal)) => match store.refuse(owner.tenant, id, &refusal).await {
            Ok(()) => End::Refused(refusal),
            Err(error) => End::Later { code: "store_away", why: error.to_string() },
        },
    };
    (end, begun.elapsed())
}

/// So that whoever asks for it meanwhile is told what it waits for. Not written down, it is "on its way".
async fn say_it_waits(intake: &Intake, owner: Owner<'_>, id: &str) {
    let reason = "the virus scanner cannot be asked now: the file waits for it".to_owned();
    let waits = Refusal { code: SCANNER_AWAY.to_owned(), reason };
    let told = match intake.store().look(owner.tenant, id).await {
        Ok(None) => intake.store().refuse(owner.tenant, id, &waits).await,
        known => known.map(drop),
    };
    if let Err(error) = told {
        tracing::debug!(%error, id, "what a medium waits for is not written down");
    }
}

async fn take(
    client: &Client,
    intake: &Intake,
    owner: Owner<'_>,
    media: &Media,
    within: Duration,
) -> Result<(), Failed> {
    let asking = async {
        let request = FetchMediaRequest {
            tenant: owner.tenant.to_owned(),
            account: owner.account.to_owned(),
            provider_media_id: media.provider_media_id.clone(),
            url: media.url.clone(),
        };
        let mut answer = client.clone().fetch_media(request).await?.into_inner();
        let info = info(&mut answer).await?;
        let announced = u64::try_from(info.size_bytes).ok().filter(|size| *size > 0);
        // A channel that fails in the middle says why, as it would at the beginning.
        let mut failed = None;
        let chunks = chunks(answer, &mut failed);
        let arrived = intake.collect(chunks, announced, u64::MAX).await;
        match (arrived, failed) {
            (Err(IntakeError::BrokenOff(_)), Some(status)) => Err(Failed::from(status)),
            (arrived, _) => Ok((arrived?, info)),
        }
    };
    let (arrived, info) = tokio::time::timeout(within, asking)
        .await
        .map_err(|_| Failed::Now { code: "slow", why: format!("it did not come within {within:?}") })??;
    if is_excuse(media, &info, arrived.content()) {
        let why = "the provider answered with text in place of the medium".to_owned();
        return Err(Failed::Now { code: "provider_error", why });
    }
    let name = if info.file_name.is_empty() { &media.file_name } else { &info.file_name };
    intake.store_as(owner.tenant, &media.object_id, name, Origin::Customer, &arrived).await?;
    Ok(())
}

/// Some providers say 200 and then in JSON why they give no picture, as WeChat does.
fn is_excuse(media: &Media, info: &MediaInfo, content: &[u8]) -> bool {
    let shown = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::Sticker];
    let kind = info.content_type.split(';').next().unwrap_or_default().trim();
    shown.contains(&media.kind())
        && matches!(kind, "application/json" | "text/plain" | "text/json")
        && !matches!(sniff::look(content, ""), sniff::Kind::Known(_))
}

async fn info(answer: &mut Streaming<FetchMediaResponse>) -> Result<MediaInfo, Failed> {
    match answer.message().await? {
        Some(FetchMediaResponse { part: Some(Part::Info(info)) }) => Ok(info),
        _ => Err(Failed::Now { code: "channel_away", why: "the channel did not say what comes".to_owned() }),
    }
}

/// The bytes of an answer; why they ended early stands in `failed` afterwards.
fn chunks(
    answer: Streaming<FetchMediaResponse>,
    failed: &mut Option<Status>,
) -> impl Stream<Item = Result<Bytes, &'static str>> + '_ {
    stream::unfold((answer, failed), |(mut answer, failed)| async move {
        match answer.next().await? {
            Ok(FetchMediaResponse { part: Some(Part::Chunk(chunk)) }) => Some((Ok(chunk), (answer, failed))),
            // Parts of a later version of the contract.
            Ok(_) => Some((Ok(Bytes::new()), (answer, failed))),
            Err(status) => {
                *failed = Some(status);
                Some((Err("the channel broke off"), (answer, failed)))
            }
        }
    })
}
