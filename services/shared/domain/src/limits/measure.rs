//! Length in the unit a provider counts.

use heliograph_proto::v1::TextUnit;
use unicode_segmentation::UnicodeSegmentation as _;

/// The length of `text` in `unit`; code points when the channel does not say.
pub fn measure(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Bytes => text.len(),
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Graphemes => text.graphemes(true).count(),
        TextUnit::CodePoints | TextUnit::Unspecified => text.chars().count(),
    }
}

/// As much of `text` as `limit` has room for, with a sign that more was there.
pub fn cut(text: &str, limit: usize, unit: TextUnit) -> String {
    const MORE: &str = "…";
    if measure(text, unit) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(measure(MORE, unit));
    let mut kept = String::new();
    for grapheme in text.graphemes(true) {
        if measure(&kept, unit) + measure(grapheme, unit) > room {
            break;
        }
        kept.push_str(grapheme);
    }
    format!("{}{MORE}", kept.trim_end())
}
