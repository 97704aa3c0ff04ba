//! How a text is cut into the parts a carrier bills (3GPP TS 23.040, 9.2.3.24.1).

use crate::gsm7;

/// How the text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 7-bit: 160 septets alone, 153 in each part of several.
    Gsm7,
    /// UCS-2: 70 UTF-16 units alone, 67 in each part of several.
    Ucs2,
}

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// One character outside GSM 7-bit turns the whole text to UCS-2.
    pub encoding: Encoding,
    /// Parts; 1 for an empty text.
    pub parts: usize,
    /// Septets or UTF-16 units in all.
    pub units: usize,
}

/// Counts `text`. Parts are joined by the 8-bit reference header of 6 octets, as Sinch and Twilio do.
///
/// An escape pair and a surrogate pair are never split, so there may be more parts than the sum of units suggests.
pub fn count(text: &str) -> Segments {
    let septets: Option<Vec<usize>> = text.chars().map(gsm7::width).collect();
    let (encoding, widths, alone, joined) = match septets {
        Some(widths) => (Encoding::Gsm7, widths, 160, 153),
        None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    let units = widths.iter().sum();
    let parts = if units <= alone { 1 } else { fill(&widths, joined) };
    Segments { encoding, parts, units }
}

/// How many parts of `room` units the characters fill, in order and unsplit.
fn fill(widths: &[usize], room: usize) -> usize {
    let mut parts = 1;
    let mut used = 0;
    for width in widths {
        if used + width > room {
            parts += 1;
            used = 0;
        }
        used += width;
    }
    parts
}
