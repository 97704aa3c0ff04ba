//! Objects in a bucket of an S3-compatible store.
//!
//! An object is put by one request, so it is there whole or not at all; the record stands in its metadata, base64 because
//! metadata are headers. Requests go through the fleet's own HTTP client.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt as _;
use heliograph_runtime::config::mask_option;
use heliograph_runtime::http_client::{HttpClient, HttpClientOptions, SendError};
use http_body_util::BodyExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    self, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, GetOptions, GetResult, ObjectStore as _, ObjectStoreExt as _,
    PutOptions, PutPayload, RetryConfig,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::{ObjectError, ObjectInfo, ObjectReader, RECORD, take_in, unavailable};

/// How long one request may take, with its body.
const REQUEST: Duration = Duration::from_mins(1);
/// How often a request is repeated that failed on the store's side, and for how long at most.
const RETRIES: usize = 3;
const RETRY_FOR: Duration = Duration::from_secs(20);

/// Where and how an S3-compatible store is reached.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// The bucket, which must exist.
    pub bucket: String,
    /// Base URL of the store, for any other than Amazon's, e.g. `https://minio.internal:9000`.
    pub endpoint: Option<String>,
    /// Region of the bucket. Default: `us-east-1`.
    pub region: Option<String>,
    /// Stands before every key, e.g. `heliograph/`.
    pub prefix: String,
    /// Access key. Not set: the environment's `AWS_…` variables, web identity or the machine's role, in this order.
    pub access_key_id: Option<String>,
    /// Its secret.
    #[serde(serialize_with = "mask_option")]
    pub secret_access_key: Option<SecretString>,
    /// A file that holds the secret, in place of the secret itself.
    pub secret_access_key_file: Option<PathBuf>,
    /// PEM file with an authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// One folder of a bucket.
#[derive(Debug)]
pub(super) struct S3 {
    store: AmazonS3,
    prefix: String,
}

impl S3 {
    /// Looks nothing up: a store that is away is noticed when it is used.
    pub(super) async fn open(config: &S3Config, folder: &str) -> Result<Self, ObjectError> {
        let wrong = |what: String| ObjectError::Config(format!("objects: s3: {what}"));
        if config.bucket.is_empty() {
            return Err(wrong("`bucket` is missing".to_owned()));
        }
        let secret = match (&config.secret_access_key, &config.secret_access_key_file) {
            (Some(_), Some(_)) => {
                return Err(wrong(
                    "set `secret_access_key` or `secret_access_key_file`, not both".to_owned(),
                ));
            }
            (Some(secret), None) => Some(secret.expose_secret().to_owned()),
            (None, Some(file)) => {
                let read = tokio::fs::read_to_string(file).await;
                let read = read.map_err(|error| wrong(format!("cannot read {}: {error}", file.display())))?;
                Some(read.trim().to_owned())
            }
            (None, None) => None,
        };
        let options = HttpClientOptions {
            request_timeout: REQUEST,
            ca_file: config.ca_file.clone(),
            ..HttpClientOptions::default()
        };
        let client = HttpClient::new(&options).map_err(|error| wrong(error.to_string()))?;
        let mut builder = match (&config.access_key_id, secret) {
            (Some(id), Some(secret)) => {
                AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret)
            }
            (None, None) => AmazonS3Builder::from_env(),
            _ => return Err(wrong("an access key is `access_key_id` and its secret".to_owned())),
        };
        builder = builder.with_bucket_name(&config.bucket).with_http_connector(Connector(client)).with_retry(
            RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() },
        );
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(region) = &config.region {
            builder = builder.with_region(region);
        }
        let store = builder.build().map_err(|error| wrong(error.to_string()))?;
        let prefix = config.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { folder.to_owned() } else { format!("{prefix}/{folder}") };
        Ok(Self { store, prefix })
    }

    fn path(&self, folder: &str, name: &str) -> Path {
        Path::from(format!("{}/{folder}/{name}", self.prefix))
    }

    pub(super) async fn put(
        &self,
        folder: &str,
        name: &str,
        attributes: HashMap<String, String>,
        content: &mut (impl AsyncRead + Unpin + Send),
        limit: u64,
    ) -> Result<ObjectInfo, ObjectError> {
        let (info, whole) = take_in(attributes, content, limit).await?;
        let json = serde_json::to_vec(&info).expect("strings and a number are always JSON");
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::Metadata(RECORD.into()), STANDARD.encode(json).into());
        let options = PutOptions { attributes, ..PutOptions::default() };
        let put = self.store.put_opts(&self.path(folder, name), PutPayload::from(whole), options).await;
        put.map_err(unavailable)?;
        Ok(info)
    }

    async fn ask(
        &self,
        folder: &str,
        name: &str,
        head: bool,
    ) -> Result<Option<(ObjectInfo, GetResult)>, ObjectError> {
        let options = GetOptions { head, ..GetOptions::default() };
        match self.store.get_opts(&self.path(folder, name), options).await {
            Ok(found) => {
                let info = record(&found).ok_or_else(|| ObjectError::Damaged(name.to_owned()))?;
                Ok(Some((info, found)))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) async fn info(&self, folder: &str, name: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        Ok(self.ask(folder, name, true).await?.map(|(info, _)| info))
    }

    pub(super) async fn get(
        &self,
        folder: &str,
        name: &str,
    ) -> Result<Option<(ObjectInfo, ObjectReader)>, ObjectError> {
        let found = self.ask(folder, name, false).await?;
        Ok(found.map(|(info, found)| {
            let pieces = found.into_stream().map_err(std::io::Error::other);
            let reader: ObjectReader = Box::pin(StreamReader::new(pieces));
            (info, reader)
        }))
    }

    pub(super) async fn delete(&self, folder: &str, name: &str) -> Result<bool, ObjectError> {
        // The store says "deleted" of what was never there, too.
        if self.info(folder, name).await?.is_none() {
            return Ok(false);
        }
        self.store.delete(&self.path(folder, name)).await.map_err(unavailable)?;
        Ok(true)
    }
}

fn record(found: &GetResult) -> Option<ObjectInfo> {
    let encoded = found.attributes.get(&Attribute::Metadata(RECORD.into()))?;
    let json = STANDARD.decode(encoded.as_bytes()).ok()?;
    let info: ObjectInfo = serde_json::from_slice(&json).ok()?;
    (info.size == found.meta.size).then_some(info)
}

/// Lets the store's protocol speak through our client.
#[derive(Debug)]
struct Connector(HttpClient);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<client::HttpClient> {
        Ok(client::HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(HttpClient);

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let mut sending = self.0.request(head.method, head.uri.to_string()).headers(head.headers);
        if body.content_length() > 0 {
            sending = sending.body(reqwest::Body::wrap(body));
        }
        let response = self.0.send(sending).await.map_err(|error| {
            let kind = match &error {
                _ if error.is_timeout() => HttpErrorKind::Timeout,
                SendError::NotSent(_) => HttpErrorKind::Connect,
                SendError::Unknown(_) => HttpErrorKind::Interrupted,
                SendError::Invalid(_) | SendError::Refused(_) => HttpErrorKind::Unknown,
            };
            HttpError::new(kind, error)
        })?;
        let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error.without_url()));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}
