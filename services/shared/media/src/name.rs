//! File names, as far as they are some.

/// Longest file name that is kept, in characters.
const LONGEST: usize = 200;

/// The name a sender gave a file, without folders, control characters and leading dots; empty when nothing is left.
pub fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|char| !is_hidden(*char)).take(LONGEST).collect();
    clean.trim().trim_start_matches('.').to_owned()
}

/// Control characters, and those that turn the direction of writing: `gpj.exe` must not read `exe.jpg`.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands behind the last dot, in lower case; empty when there is none.
pub(crate) fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
}

/// `Content-Disposition` (RFC 6266), with the name as RFC 8187 wants it.
pub(crate) fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    if name.is_empty() {
        return kind.to_owned();
    }
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    format!("{kind}; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::{clean, disposition};

    #[test]
    fn names_lose_what_is_no_name() {
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("a\r\nb.png"), "ab.png");
        assert_eq!(clean(".htaccess"), "htaccess");
        assert_eq!(clean("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(clean(" .. "), "");
        assert_eq!(clean(&"x".repeat(500)).len(), 200);
    }

    #[test]
    fn a_disposition_holds_any_name() {
        assert_eq!(disposition(false, "Ü \"x\".png"), "attachment; filename*=UTF-8''%C3%9C%20%22x%22.png");
        assert_eq!(disposition(true, ""), "inline");
    }
}
