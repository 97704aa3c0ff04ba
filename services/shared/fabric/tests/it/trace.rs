use std::sync::{Arc, Mutex};
use std::time::Duration;

use heliograph_fabric::{Stream, subjects};
use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use tracing::instrument::WithSubscriber;
use tracing::{Instrument, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{envelope, ready};

/// Keeps the spans that ended.
#[derive(Debug, Clone, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Ended {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumers_span_links_to_its_producers_across_the_broker() {
    let (_nats, fabric) = ready().await;
    let ended = Ended::default();
    let provider = SdkTracerProvider::builder().with_span_processor(ended.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    async {
        let webhook = info_span!("webhook");
        fabric
            .publish(&subject, &envelope("evt_1", "x").about("cnv_1"), None)
            .instrument(webhook)
            .await
            .unwrap();
        let record = fabric.read_subject(Stream::Inbound, &subject).await.unwrap().remove(0);
        assert!(!record.trace().is_empty());
        record.process_span().in_scope(|| ());
    }
    .with_subscriber(tracing_subscriber::registry().with(layer))
    .await;
    let ended = ended.0.lock().unwrap();
    let find = |kind: &SpanKind| ended.iter().find(|span| span.span_kind == *kind).unwrap();
    let webhook = ended.iter().find(|span| span.name == "webhook").unwrap();
    let (producer, consumer) = (find(&SpanKind::Producer), find(&SpanKind::Consumer));
    assert_eq!(producer.name, "publish HG_INBOUND");
    assert_eq!(producer.span_context.trace_id(), webhook.span_context.trace_id());
    assert_eq!(producer.parent_span_id, webhook.span_context.span_id());
    assert_eq!(consumer.name, "process HG_INBOUND");
    assert_ne!(consumer.span_context.trace_id(), producer.span_context.trace_id());
    let linked: Vec<_> = consumer.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(linked, [producer.span_context.span_id()]);
    let attribute = |key: &str| {
        consumer.attributes.iter().find(|kv| kv.key.as_str() == key).map(|kv| kv.value.to_string())
    };
    assert_eq!(attribute("messaging.system").as_deref(), Some("nats"));
    assert_eq!(attribute("messaging.message.id").as_deref(), Some("evt_1"));
    assert_eq!(attribute("messaging.message.conversation_id").as_deref(), Some("cnv_1"));
    assert_eq!(attribute("messaging.destination.name").as_deref(), Some(subject.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_keeps_its_trace_where_telemetry_is_off() {
    let (_nats, fabric) = ready().await;
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    let trace = heliograph_fabric::trace::TraceHeaders {
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        tracestate: "vendor=1".to_owned(),
    };
    fabric.publish(&subject, &envelope("evt_1", "x").traced(trace.clone()), None).await.unwrap();
    let record = fabric.read_subject(Stream::Inbound, &subject).await.unwrap().remove(0);
    assert_eq!(record.trace(), trace);
}
