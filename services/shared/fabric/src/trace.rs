//! Trace context across the broker, as W3C Trace Context headers.
//!
//! Written out here instead of asking the global propagator, so that context survives whatever a process installs:
//! a message keeps the trace it came with even where telemetry is off.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// W3C trace headers as they travel with a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceHeaders {
    /// `traceparent`, empty when there is none.
    pub traceparent: String,
    /// `tracestate`, empty when there is none.
    pub tracestate: String,
}

impl TraceHeaders {
    /// The context of `span`, when telemetry is on and the span is part of a trace.
    pub fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let bound = context.span();
        Self::from_context(bound.span_context())
    }

    /// The context of the span we are in.
    pub fn current() -> Option<Self> {
        Self::of(&Span::current())
    }

    /// Headers for a span context; none when it is not valid.
    pub fn from_context(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            traceparent: format!(
                "00-{}-{}-{:02x}",
                context.trace_id(),
                context.span_id(),
                context.trace_flags() & TraceFlags::SAMPLED
            ),
            tracestate: context.trace_state().header(),
        })
    }

    /// The span context these headers carry; none when they are absent or malformed.
    ///
    /// <https://www.w3.org/TR/trace-context/#traceparent-header>: later versions may append fields.
    pub fn to_context(&self) -> Option<SpanContext> {
        let mut fields = self.traceparent.split('-');
        let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let hex = |field: &str, length| {
            field.len() == length && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let shaped = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        if !shaped || version == "ff" || (version == "00" && fields.next().is_some()) {
            return None;
        }
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        let state = self.tracestate.parse::<TraceState>().unwrap_or_default();
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        Some(SpanContext::new(trace, span, flags, true, state)).filter(SpanContext::is_valid)
    }

    /// Whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.traceparent.is_empty()
    }
}

/// Links `span` to the span that produced a message: a consumer does not prolong its producer's trace
/// (OpenTelemetry messaging conventions).
pub fn link(span: &Span, producer: &TraceHeaders) {
    if span.is_disabled() {
        return;
    }
    if let Some(context) = producer.to_context() {
        span.add_link(context);
    }
}

/// The span under which a message is published; none unless we are in a trace, so that it costs nothing where
/// telemetry is off. Traces begin where something comes in, not at a publish.
pub(crate) fn producer_span(subject: &str, id: &str, stream: &'static str) -> Span {
    if TraceHeaders::current().is_none() {
        return Span::none();
    }
    tracing::info_span!(
        "publish",
        otel.name = format_args!("publish {stream}"),
        otel.kind = "producer",
        messaging.system = "nats",
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = subject,
        messaging.destination.template = stream,
        messaging.message.id = id,
    )
}

/// The span under which a message is processed, linked to its producer; none unless that was traced.
pub(crate) fn consumer_span(
    subject: &str,
    id: &str,
    stream: &'static str,
    about: Option<&str>,
    producer: &TraceHeaders,
) -> Span {
    if producer.is_empty() {
        return Span::none();
    }
    let span = tracing::info_span!(
        "process",
        otel.name = format_args!("process {stream}"),
        otel.kind = "consumer",
        messaging.system = "nats",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = subject,
        messaging.destination.template = stream,
        messaging.message.id = id,
        messaging.message.conversation_id = about,
    );
    link(&span, producer);
    span
}

#[cfg(test)]
mod tests {
    use super::TraceHeaders;

    fn headers(traceparent: &str) -> TraceHeaders {
        TraceHeaders { traceparent: traceparent.to_owned(), tracestate: "vendor=1".to_owned() }
    }

    #[test]
    fn headers_and_context_are_the_same_thing() {
        let given = headers("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let context = given.to_context().expect("a valid context");
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(TraceHeaders::from_context(&context), Some(given));
    }

    #[test]
    fn later_versions_are_read_and_nonsense_is_not() {
        assert!(
            headers("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").to_context().is_some()
        );
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert!(headers(bad).to_context().is_none(), "{bad:?}");
        }
    }
}
