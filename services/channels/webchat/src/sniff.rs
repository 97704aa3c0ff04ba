//! What a file is, by its bytes. The sender's word decides only between things that look alike.

use heliograph_proto::v1::MediaKind;

/// Types that browsers show without running anything in them.
const INLINE: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// The office documents that are zip archives inside, by file extension.
const OFFICE: [(&str, &str); 4] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
];

/// The media type of `content`, or `None` for what is not accepted. Markup never is: it can carry script.
pub(crate) fn content_type(content: &[u8], file_name: &str) -> Option<&'static str> {
    let at = |from: usize, magic: &[u8]| content.get(from..from + magic.len()) == Some(magic);
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if at(0, b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if at(0, b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if at(0, b"GIF87a") || at(0, b"GIF89a") {
        return Some("image/gif");
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some("image/webp");
    }
    if at(0, b"RIFF") && at(8, b"WAVE") {
        return Some("audio/wav");
    }
    if at(0, b"%PDF-") {
        return Some("application/pdf");
    }
    if at(4, b"ftyp") {
        return match content.get(8..12) {
            Some(b"M4A " | b"M4B ") => Some("audio/mp4"),
            Some(b"heic" | b"heix" | b"mif1") => Some("image/heic"),
            Some(b"avif") => Some("image/avif"),
            _ => Some("video/mp4"),
        };
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        return Some("video/webm");
    }
    if at(0, b"OggS") {
        return Some("audio/ogg");
    }
    if at(0, b"ID3") || matches!(content.get(..2), Some([0xff, second]) if second & 0xe6 == 0xe2) {
        return Some("audio/mpeg");
    }
    if at(0, b"PK\x03\x04") {
        let office = OFFICE.iter().find(|(known, _)| *known == extension);
        return Some(office.map_or("application/zip", |(_, kind)| kind));
    }
    text_type(content, &extension)
}

fn text_type(content: &[u8], extension: &str) -> Option<&'static str> {
    let kind = match extension {
        "txt" | "log" | "md" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        _ => return None,
    };
    let text = std::str::from_utf8(content).ok()?;
    (!text.contains('\0')).then_some(kind)
}

/// Whether a browser may show it in line.
pub(crate) fn is_inline(content_type: &str) -> bool {
    INLINE.contains(&content_type)
}

/// What kind of media a type is.
pub(crate) fn kind(content_type: &str) -> MediaKind {
    match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::content_type;

    #[test]
    fn bytes_decide_not_names() {
        assert_eq!(content_type(b"\x89PNG\r\n\x1a\n....", "a.html"), Some("image/png"));
        assert_eq!(content_type(b"%PDF-1.7", "a.png"), Some("application/pdf"));
        assert_eq!(content_type(b"\0\0\0\x18ftypmp42", "a"), Some("video/mp4"));
        assert_eq!(content_type(b"PK\x03\x04", "a.docx").map(str::len), Some(71));
        assert_eq!(content_type(b"PK\x03\x04", "a.exe"), Some("application/zip"));
        assert_eq!(content_type(b"\xff\xfb\x90\x00", "song"), Some("audio/mpeg"));
        assert_eq!(content_type(b"a,b\n1,2\n", "table.CSV"), Some("text/csv"));
    }

    #[test]
    fn what_can_run_is_refused() {
        for (content, name) in [
            (&b"<html><script>"[..], "a.html"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", "a.svg"),
            (b"<svg>", "picture"),
            (b"MZ\x90\x00", "a.exe"),
            (b"#!/bin/sh\n", "a.sh"),
            (b"\x7fELF", "a.txt\0"),
            (b"nul\0", "a.txt"),
            (b"\xff\xfe\x00", "a.txt"),
            (b"", "empty"),
        ] {
            assert_eq!(content_type(content, name), None, "{name}");
        }
    }
}
