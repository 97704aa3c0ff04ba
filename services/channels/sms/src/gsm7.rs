//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).

/// The basic table; the index is the septet. `\x1b` stands for the escape to the extension table.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\x1b', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: each takes the escape and one more septet.
const EXTENSION: [(char, u8); 10] = [
    ('\x0c', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

const ESCAPE: u8 = 0x1b;

/// The septets of one character: one, or escape and one; `None` when the alphabet has no such character.
pub fn septets(character: char) -> Option<(u8, Option<u8>)> {
    if let Some((_, code)) = EXTENSION.iter().find(|(extended, _)| *extended == character) {
        return Some((ESCAPE, Some(*code)));
    }
    if character == '\x1b' {
        return None;
    }
    BASIC.iter().position(|basic| *basic == character).map(|index| (index as u8, None))
}

/// How many septets a character takes, 1 or 2; `None` when the alphabet has no such character.
pub fn width(character: char) -> Option<usize> {
    septets(character).map(|(_, second)| 1 + usize::from(second.is_some()))
}
