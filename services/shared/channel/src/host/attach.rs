//! Media of outgoing messages: linked, uploaded once and named by the provider's id from then on, or sent along.

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use heliograph_domain::content::media_mut;
use heliograph_proto::v1::{Media, Message};
use heliograph_store::uploads::{UploadKey, Uploads};
use http::{HeaderMap, Method};

use super::{
    ingress::wall_clock,
    media,
    outlet::Outlet,
    shelf::{Shelf, ShelfError},
};
use crate::{
    Account, Body, Calls, CarrierError, File, Outcome, Provider, ProviderRequest, Upload, UploadGrant,
};

/// What stands behind somebody else's URL may change, so it is uploaded anew after this long.
const LINKED_FOR: Duration = Duration::from_hours(1);
/// An id is not used in its last moments: a message may wait a little for its turn.
const MARGIN: Duration = Duration::from_mins(10);

/// What makes media ready for a provider.
pub(super) struct Attachments {
    pub outlet: Outlet,
    pub shelf: Arc<dyn Shelf>,
    pub uploads: Uploads,
    /// Larger media are not sent.
    pub limit: u64,
}

/// A message whose media the provider can be given.
#[derive(Default)]
pub(super) struct Attached {
    pub message: Message,
    /// Goes with the message itself.
    pub file: Option<File>,
    /// Where the provider's id of that file is to be remembered.
    pub within: Option<String>,
    /// Ids that were remembered from before: sources and ids.
    pub recalled: Vec<(String, String)>,
}

impl Attachments {
    /// Makes the media of `message` ready.
    ///
    /// # Errors
    /// The outcome of a message whose media cannot be.
    pub(super) async fn attach<P: Provider>(
        &self,
        provider: &P,
        caller: Calls<'_, P>,
        message: &Message,
    ) -> Result<Attached, Outcome> {
        let mut attached = Attached { message: message.clone(), ..Attached::default() };
        let Some(mut content) = attached.message.content.take() else { return Ok(attached) };
        for media in media_mut(&mut content) {
            self.make_ready(provider, caller, media, &mut attached).await?;
        }
        attached.message.content = Some(content);
        Ok(attached)
    }

    async fn make_ready<P: Provider>(
        &self,
        provider: &P,
        caller: Calls<'_, P>,
        media: &mut Media,
        attached: &mut Attached,
    ) -> Result<(), Outcome> {
        if media.object_id.is_empty() && media.url.is_empty() {
            // Only the provider knows it: a sticker, or something it was given before.
            return Ok(());
        }
        // Another account's, or another channel's.
        media.provider_media_id.clear();
        if media.url.is_empty()
            && let Some(link) = self.shelf.link(&caller.account.tenant, &media.object_id, wall_clock())
        {
            media.url = link;
        }
        let how = provider.upload(caller.account, media);
        if how == Upload::Never {
            return if media.url.is_empty() { Err(no_link()) } else { Ok(()) };
        }
        let source = source(media);
        let key = Self::key(caller.account, &source);
        // Without Redis it is uploaded again.
        if let Ok(Some(known)) = self.uploads.recall(&key).await {
            attached.recalled.push((source, known.clone()));
            media.provider_media_id = known;
            return Ok(());
        }
        let file = match how {
            Upload::BeforeByLink if media.url.is_empty() => return Err(no_link()),
            Upload::BeforeByLink => None,
            _ => Some(self.file(caller.account, media).await?),
        };
        if how == Upload::Within {
            if attached.file.is_some() {
                return Err(Outcome::permanent("two_files", "a message carries one file"));
            }
            (attached.file, attached.within) = (file, Some(source));
            return Ok(());
        }
        let request = provider.encode_upload(caller, media, file.as_ref())?;
        // An upload that is made twice shows nothing twice, so a lost answer is no doubt.
        let response = self.outlet.send(caller.account, &request).await.map_err(|lost| lost.outcome(true))?;
        let grant = provider.read_upload(caller.account, &response)?;
        media.provider_media_id.clone_from(&grant.provider_media_id);
        self.remember(caller.account, &source, &grant).await;
        Ok(())
    }

    /// Remembers what the provider calls a medium. Losing it costs another upload.
    pub(super) async fn remember<S>(&self, account: &Account<S>, source: &str, grant: &UploadGrant) {
        let most = if source.starts_with("url ") { LINKED_FOR } else { Duration::MAX };
        let lasts = grant.expires_in.saturating_sub(MARGIN).min(most);
        if !lasts.is_zero() && !grant.provider_media_id.is_empty() {
            let key = Self::key(account, source);
            let _ = self.uploads.remember(&key, &grant.provider_media_id, lasts).await;
        }
    }

    /// Forgets ids that the provider does not know any more.
    pub(super) async fn forget<S>(&self, account: &Account<S>, recalled: &[(String, String)]) {
        for (source, id) in recalled {
            let _ = self.uploads.forget(&Self::key(account, source), id).await;
        }
    }

    fn key<'a, S>(account: &'a Account<S>, source: &'a str) -> UploadKey<'a> {
        UploadKey { tenant: &account.tenant, channel: &account.channel, account: &account.name, source }
    }

    async fn file<S>(&self, account: &Account<S>, media: &Media) -> Result<File, Outcome> {
        let mut file = if media.object_id.is_empty() {
            self.fetched(account, &media.url).await?
        } else {
            self.shelf.open(&account.tenant, &media.object_id, self.limit).await.map_err(|error| {
                let text = format!("medium {}: {error}", media.object_id);
                match error {
                    ShelfError::Away(_) => Outcome::retry(None, "media_away", text),
                    ShelfError::NotFound => Outcome::permanent("media_not_found", text),
                    ShelfError::TooLarge(_) => Outcome::permanent("media_too_large", text),
                }
            })?
        };
        if !media.file_name.is_empty() {
            file.name.clone_from(&media.file_name);
        }
        if !media.content_type.is_empty() && media.object_id.is_empty() {
            file.content_type.clone_from(&media.content_type);
        }
        Ok(file)
    }

    async fn fetched<S>(&self, account: &Account<S>, url: &str) -> Result<File, Outcome> {
        let request = ProviderRequest {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Body::Empty,
        };
        let fetched = async {
            let stream = media::fetch(&self.outlet, account, request, self.limit, |_| None).await?;
            let pieces: Vec<bytes::Bytes> = stream.chunks.try_collect().await?;
            Ok((stream.info, pieces.concat()))
        };
        let (info, bytes) = fetched.await.map_err(|error: CarrierError| {
            let text = format!("the medium cannot be fetched from its URL: {error}");
            match error {
                CarrierError::Unauthorized(_) | CarrierError::Provider(_) => {
                    Outcome::retry(None, "media_away", text)
                }
                CarrierError::NotFound => Outcome::permanent("media_not_found", text),
                CarrierError::Refused(_) | CarrierError::Unsupported => {
                    Outcome::permanent("media_refused", text)
                }
            }
        })?;
        let last = url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let named = if info.file_name.is_empty() { last } else { &info.file_name };
        let name = if named.is_empty() { "file" } else { named }.to_owned();
        let content_type = info.content_type.split(';').next().unwrap_or_default().trim().to_owned();
        Ok(File { content_type, name, bytes: bytes.into() })
    }
}

/// What is uploaded, and as what: one picture may be an image here and a file there.
fn source(media: &Media) -> String {
    let kind = media.kind().as_str_name();
    if media.object_id.is_empty() {
        format!("url {kind} {}", media.url)
    } else {
        format!("object {kind} {}", media.object_id)
    }
}

fn no_link() -> Outcome {
    Outcome::permanent(
        "no_public_url",
        "the provider fetches media from a URL, and this one has none: set `media.public_url` to where the media service \
         is reached from outside",
    )
}
