//! What a file is, by its bytes. The sender's word decides only between things that look alike.

use heliograph_proto::v1::MediaKind;

use crate::name::extension;

/// What is neither known nor harmful: a download, whatever its sender calls it.
pub const UNKNOWN: &str = "application/octet-stream";

/// Types that browsers show or play without running anything in them.
const INLINE: [&str; 14] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "audio/mpeg",
    "audio/ogg",
    "audio/mp4",
    "audio/aac",
    "audio/wav",
    "audio/flac",
    "video/mp4",
    "video/webm",
];

/// The documents that are zip archives inside, by file extension.
const OFFICE: [(&str, &str); 7] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("epub", "application/epub+zip"),
];

/// Names under which a system runs what it opens, whatever the bytes say.
const RUNS: [&str; 27] = [
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "jar", "js", "jse", "lnk", "mjs",
    "msi", "pif", "ps1", "py", "reg", "scr", "sh", "svg", "vbe", "vbs", "wsf", "xll",
];

/// How a page begins, after white space and in any case (the WHATWG's MIME sniffing standard, 7.1), and its relatives.
const MARKUP: [&str; 22] = [
    "<!doctype",
    "<?xml",
    "<svg",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a ",
    "<a>",
    "<style",
    "<title",
    "<b>",
    "<body",
    "<br",
    "<p>",
    "<p ",
    "<!--",
    "<?php",
];

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A type that was recognised.
    Known(&'static str),
    /// Nothing that was recognised.
    Unknown,
    /// What can carry script or be run.
    Harmful,
}

/// Looks at `content`; the name decides where bytes do not tell things apart.
pub fn look(content: &[u8], file_name: &str) -> Kind {
    let extension = extension(file_name);
    if RUNS.contains(&extension.as_str()) || is_markup(content) {
        return Kind::Harmful;
    }
    if let Some(known) = by_magic(content, &extension) {
        return Kind::Known(known);
    }
    if is_program(content) {
        return Kind::Harmful;
    }
    text_type(content, &extension).map_or(Kind::Unknown, Kind::Known)
}

fn by_magic(content: &[u8], extension: &str) -> Option<&'static str> {
    let at = |from: usize, magic: &[u8]| content.get(from..from + magic.len()) == Some(magic);
    if at(4, b"ftyp") {
        return Some(match content.get(8..12) {
            Some(b"M4A " | b"M4B ") => "audio/mp4",
            Some(b"heic" | b"heix" | b"mif1" | b"msf1") => "image/heic",
            Some(b"avif" | b"avis") => "image/avif",
            Some([b'3', b'g', ..]) => "video/3gpp",
            Some(b"qt  ") => "video/quicktime",
            _ => "video/mp4",
        });
    }
    if at(0, b"RIFF") {
        return match content.get(8..12) {
            Some(b"WEBP") => Some("image/webp"),
            Some(b"WAVE") => Some("audio/wav"),
            Some(b"AVI ") => Some("video/x-msvideo"),
            _ => None,
        };
    }
    if at(0, b"PK\x03\x04") {
        let office = OFFICE.iter().find(|(known, _)| *known == extension);
        return Some(office.map_or("application/zip", |(_, kind)| kind));
    }
    let magics: [(&[u8], &str); 21] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-", "application/pdf"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"#!AMR", "audio/amr"),
        (b"#!SILK_V3", "audio/silk"),
        (b"\x02#!SILK_V3", "audio/silk"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"{\\rtf", "application/rtf"),
        (b"\x1f\x8b", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"Rar!\x1a\x07", "application/vnd.rar"),
        (b"BEGIN:VCARD", "text/vcard"),
    ];
    if let Some((_, known)) = magics.iter().find(|(magic, _)| at(0, magic)) {
        // Two letters are soon said: a bitmap says its size, too.
        if *known != "image/bmp" || is_bitmap(content) {
            return Some(known);
        }
    }
    match content.get(..2) {
        // Both begin with eleven set bits; the layer tells ADTS from MPEG's third.
        Some([0xff, second]) if second & 0xf6 == 0xf0 => Some("audio/aac"),
        Some([0xff, second]) if second & 0xe6 == 0xe2 => Some("audio/mpeg"),
        _ => None,
    }
}

fn is_bitmap(content: &[u8]) -> bool {
    let size = content.get(2..6).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    size.is_some_and(|size| u64::from(size) == content.len() as u64)
}

fn is_markup(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let begins = content.trim_ascii_start();
    let begins: Vec<u8> = begins.iter().take(16).map(u8::to_ascii_lowercase).collect();
    MARKUP.iter().any(|tag| begins.starts_with(tag.as_bytes()))
}

/// Windows, Linux, macOS, Java, Android and browser programs, shortcuts, and scripts that name their interpreter.
fn is_program(content: &[u8]) -> bool {
    let magics: [&[u8]; 10] = [
        b"MZ",
        b"\x7fELF",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\0asm",
        b"L\0\0\0\x01\x14\x02\0",
        b"#!",
    ];
    magics.iter().any(|magic| content.starts_with(magic))
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

/// Whether a browser may show or play it in line.
pub fn is_inline(content_type: &str) -> bool {
    INLINE.contains(&content_type)
}

/// What kind of media a type is.
pub fn kind(content_type: &str) -> MediaKind {
    match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, look};

    #[test]
    fn bytes_decide_not_names() {
        for (content, name, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], "a.html", "image/png"),
            (b"%PDF-1.7", "a.png", "application/pdf"),
            (b"\0\0\0\x18ftypmp42", "a", "video/mp4"),
            (b"\0\0\0\x18ftyp3gp5", "a", "video/3gpp"),
            (b"PK\x03\x04", "a.odt", "application/vnd.oasis.opendocument.text"),
            (b"PK\x03\x04", "a.bin", "application/zip"),
            (b"\xff\xfb\x90\x00", "song", "audio/mpeg"),
            (b"\xff\xf1\x50\x80", "song", "audio/aac"),
            (b"#!AMR\n", "voice", "audio/amr"),
            (b"\x02#!SILK_V3", "", "audio/silk"),
            (b"BM\x0a\0\0\0....", "", "image/bmp"),
            (b"a,b\n1,2\n", "table.CSV", "text/csv"),
            (b"BEGIN:VCARD\r\n", "who", "text/vcard"),
        ] {
            assert_eq!(look(content, name), Kind::Known(expected), "{name}");
        }
    }

    #[test]
    fn what_can_run_is_harmful() {
        for (content, name) in [
            (&b"<html><script>"[..], "a.html"),
            (b"\xef\xbb\xbf \n <!DocType html>", "a.txt"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", "a.png"),
            (b"<?xml version='1.0'?>", "picture"),
            (b"MZ\x90\x00", "a.pdf"),
            (b"#!/bin/sh\n", "a"),
            (b"\x7fELF", "a.txt"),
            (b"PK\x03\x04", "a.jar"),
            (b"alert(1)", "a.js"),
            (b"\x89PNG\r\n\x1a\n", "a.exe"),
        ] {
            assert_eq!(look(content, name), Kind::Harmful, "{name}");
        }
    }

    #[test]
    fn what_is_not_recognised_is_unknown() {
        for (content, name) in
            [(&b"nul\0"[..], "a.txt"), (b"\xff\xfe\x00", "a.txt"), (b"", "empty"), (b"BMW", "")]
        {
            assert_eq!(look(content, name), Kind::Unknown, "{name}");
        }
    }
}
