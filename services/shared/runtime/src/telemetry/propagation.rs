//! W3C trace context in and out of headers. Message headers are the fabric's own business; these serve HTTP and gRPC.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator as _},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, KeyRef, MetadataMap};

struct Headers<T>(T);

impl Extractor for Headers<&HeaderMap> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

impl Injector for Headers<&mut HeaderMap> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

impl Extractor for Headers<&MetadataMap> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        let keys = self.0.keys();
        keys.filter_map(|key| if let KeyRef::Ascii(key) = key { Some(key.as_str()) } else { None }).collect()
    }
}

impl Injector for Headers<&mut MetadataMap> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (key.parse::<AsciiMetadataKey>(), value.parse::<AsciiMetadataValue>())
        {
            self.0.insert(name, value);
        }
    }
}

/// The caller's trace context, from `traceparent` and `tracestate`.
pub fn extract(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract(&Headers(headers))
}

/// Writes `context` into the headers of a request about to be sent.
pub fn inject(context: &Context, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(context, &mut Headers(headers));
}

/// The caller's trace context, from gRPC metadata.
pub fn extract_metadata(metadata: &MetadataMap) -> Context {
    TraceContextPropagator::new().extract(&Headers(metadata))
}

/// Writes `context` into the metadata of a call about to be made.
pub fn inject_metadata(context: &Context, metadata: &mut MetadataMap) {
    TraceContextPropagator::new().inject_context(context, &mut Headers(metadata));
}
