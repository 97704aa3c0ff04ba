//! Cutting a long text where a person would.

use heliograph_domain::limits::measure;
use heliograph_proto::v1::TextUnit;
use unicode_segmentation::UnicodeSegmentation as _;

/// Cuts `text` into parts of at most `limit` units (0: no limit), at line ends, else at spaces, else between
/// grapheme clusters. White space at a cut is dropped; nothing else is.
///
/// A single grapheme cluster above the limit goes out whole: half a character is worse than a refusal.
pub(super) fn split(text: &str, limit: usize, unit: TextUnit) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if limit == 0 || measure(rest, unit) <= limit {
            parts.push(rest.to_owned());
            break;
        }
        let (head, tail) = rest.split_at(cut(rest, limit, unit));
        parts.push(head.trim_end().to_owned());
        rest = tail.trim_start();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The byte at which to cut: after the last good place within the limit.
fn cut(text: &str, limit: usize, unit: TextUnit) -> usize {
    let mut used = 0;
    let mut end = 0;
    let mut space = None;
    let mut line = None;
    for (at, cluster) in text.grapheme_indices(true) {
        let width = measure(cluster, unit).max(1);
        if used + width > limit {
            // The limit falls just behind a word.
            if cluster.trim().is_empty() {
                space = Some(at);
            }
            break;
        }
        used += width;
        end = at + cluster.len();
        if cluster.contains('\n') {
            line = Some(at);
        } else if cluster.trim().is_empty() {
            space = Some(at);
        }
    }
    // A place in the first half would make needlessly many parts.
    let good = |place: Option<usize>| place.filter(|at| *at >= end / 2 && *at > 0);
    let first = text.graphemes(true).next().map_or(text.len(), str::len);
    good(line).or(good(space)).unwrap_or(end.max(first))
}
