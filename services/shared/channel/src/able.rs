//! Short ways to write down what an account can do.

use heliograph_proto::v1::{MediaCapability, MediaKind, RateRule, RateScope, WindowRule};

/// The names in `words`, which stand apart by white space.
pub fn names(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// A kind of media, of the types named in `content_types`; none: any. 0 bytes: no limit.
pub fn media(kind: MediaKind, max_bytes: i64, content_types: &str) -> MediaCapability {
    MediaCapability { kind: kind.into(), max_bytes, content_types: names(content_types) }
}

/// A rate of the kinds of content named in `content`; none: of all.
pub fn rate(scope: RateScope, per_second: f64, burst: i32, content: &str) -> RateRule {
    RateRule { scope: scope.into(), per_second, burst, content: names(content) }
}

/// A window that `kind` opens for so long, for any number of messages.
pub fn window(kind: &str, seconds: i64) -> WindowRule {
    WindowRule { kind: kind.to_owned(), seconds, messages: 0 }
}

/// A limit as capabilities have it.
pub fn limit(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names() {
        assert_eq!(names("text\n    media.image"), ["text", "media.image"]);
        let any = media(MediaKind::Image, 0, "");
        assert_eq!((any.kind(), any.content_types), (MediaKind::Image, Vec::new()));
        assert_eq!((limit(4096), limit(usize::MAX)), (4096, i32::MAX));
    }
}
