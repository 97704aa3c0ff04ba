//! Length in the unit a provider counts.

use heliograph_proto::v1::TextUnit;
use unicode_segmentation::UnicodeSegmentation as _;

/// The length of `text` in `unit`; code points when the channel does not say.
pub(super) fn length(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Bytes => text.len(),
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Graphemes => text.graphemes(true).count(),
        TextUnit::CodePoints | TextUnit::Unspecified => text.chars().count(),
    }
}
