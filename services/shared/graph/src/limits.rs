//! What the provider would refuse for its length.

use std::ops::RangeInclusive;

use heliograph_channel::Outcome;

/// Refuses what is longer or shorter than the provider takes it, by the name of the field.
///
/// # Errors
/// [`Outcome::Permanent`] with `<what>_too_long` or `<what>_empty`.
pub fn check(what: &str, length: usize, limits: RangeInclusive<usize>) -> Result<(), Outcome> {
    if limits.contains(&length) {
        return Ok(());
    }
    let name = what.replace('_', " ");
    if length < *limits.start() {
        return Err(Outcome::permanent(format!("{what}_empty"), format!("{name} is empty")));
    }
    let text = format!("{name} is {length} long, and the provider takes {}", limits.end());
    Err(Outcome::permanent(format!("{what}_too_long"), text))
}
