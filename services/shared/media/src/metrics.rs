//! What is counted.

use opentelemetry::{global, metrics::Counter};

/// Files that were to be taken in, by outcome.
pub(crate) fn taken() -> Counter<u64> {
    global::meter("heliograph-media")
        .u64_counter("heliograph.media.intake")
        .with_description("Files that were to be taken in, by outcome")
        .build()
}
