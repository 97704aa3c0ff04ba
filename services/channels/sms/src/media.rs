//! Pictures and other files, as both providers name them.

use heliograph_proto::v1::MediaKind;

/// The kind of media an IANA media type is.
pub(crate) fn kind_of(content_type: &str) -> MediaKind {
    match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}
