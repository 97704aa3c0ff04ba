//! Which files an address can be sent and whether answers can quote, as its channel says: so that an agent knows before
//! sending what becomes of it.

use std::{collections::BTreeMap, time::Duration};

use heliograph_domain::ids;
use heliograph_proto::v1::{
    Address, Capabilities, DescribeRequest, MediaCapability, MediaKind,
    channel_service_client::ChannelServiceClient,
};
use heliograph_runtime::{
    config::ChannelEndpoint,
    grpc::{ChannelOptions, GrpcChannel, channel_with},
};
use moka::future::Cache;

use crate::DeskError;

/// How long a channel may take to say it: a hint is not worth waiting for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long what it says is believed.
const BELIEVED: Duration = Duration::from_mins(1);
/// Accounts that are remembered.
const ACCOUNTS: u64 = 1_000;

type Client = ChannelServiceClient<GrpcChannel>;

/// Asks the channels that the configuration names.
#[derive(Debug)]
pub(crate) struct Carriers {
    clients: BTreeMap<String, Client>,
    known: Cache<[String; 3], Carried>,
}

/// What an address can be sent beside text.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    /// Files that go out as they are; others do not.
    pub(crate) files: Vec<MediaCapability>,
    /// Whether an answer can quote what it answers.
    pub(crate) replies: bool,
}

impl Carriers {
    /// Connects when it first asks.
    pub(crate) fn new(channels: &BTreeMap<String, ChannelEndpoint>) -> Result<Self, DeskError> {
        let client = |(name, endpoint): (&String, &ChannelEndpoint)| {
            let wrong = |reason: String| DeskError::Config(format!("channels.{name}: {reason}"));
            if !ids::is_name(name) {
                return Err(wrong("not a channel's name".to_owned()));
            }
            let options = ChannelOptions { deadline: Some(PATIENCE), ..ChannelOptions::default() };
            let channel =
                channel_with(&endpoint.endpoint, &options).map_err(|error| wrong(error.to_string()))?;
            Ok((name.clone(), Client::new(channel)))
        };
        let clients = channels.iter().map(client).collect::<Result<_, _>>()?;
        Ok(Self { clients, known: Cache::builder().time_to_live(BELIEVED).max_capacity(ACCOUNTS).build() })
    }

    /// What the address can be sent; none where its channel does not say so now.
    pub(crate) async fn of(&self, tenant: &str, address: &Address) -> Option<Carried> {
        let mut client = self.clients.get(&address.channel)?.clone();
        let key = [tenant, &address.channel, &address.account].map(str::to_owned);
        let request = DescribeRequest { tenant: tenant.to_owned(), account: address.account.clone() };
        let asking = async {
            let asked = tokio::time::timeout(PATIENCE, client.describe(request)).await;
            let said =
                asked.map_err(|_| "it takes too long".to_owned())?.map_err(|status| status.to_string())?;
            let able = said.into_inner().capabilities.unwrap_or_default();
            Ok::<_, String>(Carried { replies: able.replies, files: files(able) })
        };
        match self.known.try_get_with(key, asking).await {
            Ok(carried) => Some(carried),
            Err(error) => {
                tracing::debug!(channel = address.channel, %error, "a channel does not say what it carries");
                None
            }
        }
    }
}

/// Kinds of files that go out as they are; limits of zero and empty lists are none.
fn files(capabilities: Capabilities) -> Vec<MediaCapability> {
    if !capabilities.content.iter().any(|kind| kind == "media") {
        return Vec::new();
    }
    if !capabilities.media.is_empty() {
        return capabilities.media;
    }
    let all = [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];
    all.map(|kind| MediaCapability { kind: kind.into(), ..MediaCapability::default() }).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_carries_nothing_or_what_it_names_or_everything() {
        let image =
            MediaCapability { kind: MediaKind::Image.into(), max_bytes: 9, ..MediaCapability::default() };
        let kinds = |content: &str, media: &[MediaCapability]| -> Vec<MediaKind> {
            let content = vec!["text".to_owned(), content.to_owned()];
            let able = Capabilities { content, media: media.to_vec(), ..Capabilities::default() };
            files(able).iter().map(MediaCapability::kind).collect()
        };
        assert_eq!(kinds("card", std::slice::from_ref(&image)), []);
        assert_eq!(kinds("media", &[image]), [MediaKind::Image]);
        assert_eq!(kinds("media", &[]).len(), 4);
    }

    #[test]
    fn an_endpoint_that_is_none_is_named() {
        let channels = |name: &str, endpoint: &str| {
            BTreeMap::from([(name.to_owned(), ChannelEndpoint { endpoint: endpoint.to_owned() })])
        };
        let wrong =
            |name, endpoint| Carriers::new(&channels(name, endpoint)).err().map(|error| error.to_string());
        assert!(wrong("sms", "not an address").is_some_and(|why| why.contains("channels.sms")));
        assert!(wrong("s m s", "http://a").is_some_and(|why| why.contains("not a channel's name")));
    }
}
