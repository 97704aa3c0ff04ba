//! The form of a log line: JSON for collectors or text for people, with the trace id in each.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use opentelemetry::{Context, trace::TraceContextExt as _};
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer, time::FormatTime, time::SystemTime},
    registry::LookupSpan,
};

use crate::config::LogFormat;

/// Formats events as lines.
#[derive(Debug)]
pub(super) struct LineFormat {
    format: LogFormat,
    service: String,
    colour: bool,
}

impl LineFormat {
    pub(super) fn new(format: LogFormat, service: String, colour: bool) -> Self {
        Self { format, service, colour }
    }
}

/// Lines show the span's name and ids; its fields are in the trace. Rendering them for every span would be for nothing.
#[derive(Debug)]
pub(super) struct NoSpanFields;

impl<'w> FormatFields<'w> for NoSpanFields {
    fn format_fields<R: RecordFields>(&self, _: Writer<'w>, _: R) -> fmt::Result {
        Ok(())
    }
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let span = ctx.lookup_current().map(|span| span.name());
        match self.format {
            LogFormat::Json => self.json(writer, event, span),
            LogFormat::Text => self.text(writer, event, span),
        }
    }
}

impl LineFormat {
    fn json(&self, mut writer: Writer<'_>, event: &Event<'_>, span: Option<&'static str>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut line = Map::new();
        event.record(&mut Fields(&mut line));
        // Ours go in last: a field of the same name must not pass for them.
        line.insert("timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        line.insert("service".to_owned(), self.service.as_str().into());
        if let Some(span) = span {
            line.insert("span".to_owned(), span.into());
        }
        if let Some((trace, span)) = trace_ids() {
            line.insert("trace_id".to_owned(), trace.into());
            line.insert("span_id".to_owned(), span.into());
        }
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }

    fn text(&self, mut writer: Writer<'_>, event: &Event<'_>, span: Option<&'static str>) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        let level = *event.metadata().level();
        if self.colour {
            write!(writer, " \x1b[{}m{level:>5}\x1b[0m ", colour_of(level))?;
        } else {
            write!(writer, " {level:>5} ")?;
        }
        write!(writer, "{}", event.metadata().target())?;
        if let Some(span) = span {
            write!(writer, " {span}")?;
        }
        let mut fields = Map::new();
        event.record(&mut Fields(&mut fields));
        match fields.remove("message") {
            Some(Value::String(message)) => write!(writer, ": {}", one_line(&message))?,
            Some(other) => write!(writer, ": {other}")?,
            None => writer.write_char(':')?,
        }
        for (name, value) in &fields {
            match value {
                Value::String(text) if !text.contains([' ', '"', '\n']) => write!(writer, " {name}={text}")?,
                other => write!(writer, " {name}={other}")?,
            }
        }
        if let Some((trace, _)) = trace_ids() {
            write!(writer, " trace_id={trace}")?;
        }
        writeln!(writer)
    }
}

/// A message with line ends in it would pass for several log lines, and one with escapes would steer the terminal.
fn one_line(message: &str) -> Cow<'_, str> {
    if !message.contains(char::is_control) {
        return Cow::Borrowed(message);
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(message.chars().map(escape).collect())
}

fn colour_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// The ids of the span the event happened in; the trace layer makes it the current context while it is entered.
fn trace_ids() -> Option<(String, String)> {
    let context = Context::current();
    let span = context.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| (span_context.trace_id().to_string(), span_context.span_id().to_string()))
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.set(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }
}
