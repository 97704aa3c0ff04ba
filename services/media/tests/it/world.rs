//! A broker with customers' messages, a channel, and the service on a free port.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use heliograph_domain::ids;
use heliograph_fabric::{
    DeadFilter, DeadLetter, DeadLetters, Envelope, Fabric, Options, Plan,
    provision::{ProvisionOptions, provision},
    publish::within,
    subjects,
};
use heliograph_media::{Links, MediaSettings};
use heliograph_media_service::{Media as Service, MediaDeps};
use heliograph_proto::v1::{
    Address, Content, Event, Media, MediaKind, Message, MessageReceived, content::Kind, event::Payload,
};
use heliograph_runtime::{
    Health, Shutdown,
    config::{ChannelEndpoint, HttpSettings},
    http::HttpServer,
};
use heliograph_store::{media::MediaStore, now_ms, objects::Objects};
use heliograph_testkit::servers::NatsServer;
use tempfile::TempDir;

use crate::channel::FakeChannel;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) fabric: Fabric,
    pub(crate) channel: FakeChannel,
    pub(crate) store: MediaStore,
    pub(crate) links: Links,
    http: SocketAddr,
    client: reqwest::Client,
    shutdown: Shutdown,
    _nats: NatsServer,
    _directory: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The id that a channel's host gives a medium.
pub(crate) fn object_id(provider_media_id: &str) -> String {
    ids::derive(ids::MEDIA, &["acme", "wechat", "main", provider_media_id])
}

/// What a customer of acme's sends: one medium that stands at the provider.
pub(crate) fn sending(provider_media_id: &str) -> Event {
    let media = Media {
        kind: MediaKind::Image.into(),
        object_id: object_id(provider_media_id),
        provider_media_id: provider_media_id.to_owned(),
        ..Media::default()
    };
    saying(provider_media_id, Content { kind: Some(Kind::Media(media)) })
}

pub(crate) fn saying(what: &str, content: Content) -> Event {
    let address = Address { channel: "wechat".to_owned(), account: "main".to_owned(), ..Address::default() };
    let message = Message { address: Some(address), content: Some(content), ..Message::default() };
    Event {
        id: ids::derive(ids::EVENT, &[what]),
        r#type: "message.received".to_owned(),
        tenant: "acme".to_owned(),
        region: "asia".to_owned(),
        channel: "wechat".to_owned(),
        account: "main".to_owned(),
        conversation: "cnv_1".to_owned(),
        payload: Some(Payload::MessageReceived(MessageReceived {
            message: Some(message),
            ..MessageReceived::default()
        })),
        ..Event::default()
    }
}

impl World {
    pub(crate) async fn start(settings: MediaSettings) -> Self {
        let nats = NatsServer::start().await.unwrap();
        let fabric = Fabric::connect(Options::new(nats.url(), "media-test")).await.unwrap();
        provision(&fabric, &Plan::default(), ProvisionOptions::default()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let store = MediaStore::new(Objects::in_directory(directory.path().to_owned()).await.unwrap());
        let links = Links::open(fabric.jetstream(), &settings).await.unwrap();
        let (channel, shutdown) = (FakeChannel::default(), Shutdown::new());
        let endpoint = ChannelEndpoint { endpoint: format!("http://{}", channel.serve(&shutdown).await) };
        let deps = MediaDeps {
            fabric: fabric.clone(),
            media: store.clone(),
            channels: BTreeMap::from([("wechat".to_owned(), endpoint)]),
            health: Health::new(),
            shutdown: shutdown.clone(),
        };
        let service = Service::start(settings, deps).await.unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let http = HttpServer::bind(&HttpSettings { addr: any, ..HttpSettings::default() }).await.unwrap();
        let at = http.local_addr();
        tokio::spawn(http.serve(service.router(), shutdown.clone()));
        tokio::spawn(service.drained());
        heliograph_runtime::tls::install_provider();
        let client = reqwest::Client::builder().connect_timeout(PATIENCE).build().unwrap();
        Self { fabric, channel, store, links, http: at, client, shutdown, _nats: nats, _directory: directory }
    }

    /// Publishes an event; its place in the stream.
    pub(crate) async fn publish(&self, event: &Event) -> u64 {
        let Event { tenant, region, channel, conversation, r#type, .. } = event;
        let subject = subjects::event(tenant, region, channel, conversation, r#type).unwrap();
        let envelope = Envelope::of(&event.id, r#type, "heliograph/test", 0, event);
        self.fabric.publish(&subject, &envelope, within(PATIENCE)).await.unwrap().seq
    }

    /// What a good link to a medium answers.
    pub(crate) async fn open(&self, provider_media_id: &str) -> reqwest::Response {
        self.get(&self.links.path("acme", &object_id(provider_media_id), now_ms())).await
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("http://{}{path}", self.http)).send().await.unwrap()
    }

    /// Waits until a good link to a medium answers with this status.
    pub(crate) async fn answers(&self, provider_media_id: &str, status: u16) -> reqwest::Response {
        until(&format!("{provider_media_id} answers {status}"), async || {
            let response = self.open(provider_media_id).await;
            (response.status() == status).then_some(response)
        })
        .await
    }

    /// Waits until all events were settled.
    pub(crate) async fn settled(&self) {
        until("all events are settled", async || {
            let stream = self.fabric.jetstream().get_stream("HG_EVENTS").await.unwrap();
            let info = stream.consumer_info(heliograph_media_service::crew("wechat")).await.ok()?;
            (info.num_ack_pending == 0 && info.num_pending == 0).then_some(())
        })
        .await;
    }

    pub(crate) async fn dead(&self) -> Vec<DeadLetter> {
        DeadLetters::new(&self.fabric).list(&DeadFilter::default(), 0, 10).await.unwrap()
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, asking).await else { panic!("not in time: {what}") };
    found
}
