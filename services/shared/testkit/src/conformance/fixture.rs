//! Fixture files. tests/fuzz is built of this file as well.

use std::{fs, path::Path};

use bytes::Bytes;
use heliograph_channel::WebhookRequest;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};

/// Our clock unless a fixture says otherwise: 2026-01-01T00:00:00Z.
pub(super) const NOW_MS: i64 = 1_767_225_600_000;
/// And never later than 2100-01-01T00:00:00Z, in seconds.
const LATEST: i64 = 4_102_444_800;

/// One request as a file gives it.
#[derive(Clone)]
pub(super) struct Fixture {
    /// `inbound/text.json`
    pub name: String,
    pub request: WebhookRequest,
    pub sign: bool,
    /// Status; absent: any 2xx.
    pub expect: Option<u16>,
    /// As read, for folders that hold no requests.
    pub bytes: Bytes,
}

impl Fixture {
    fn new(name: String, bytes: &[u8]) -> Self {
        Self {
            name,
            request: WebhookRequest {
                method: Method::POST,
                path: String::new(),
                query: String::new(),
                headers: HeaderMap::new(),
                body: Bytes::new(),
                now_ms: NOW_MS,
            },
            sign: true,
            expect: None,
            bytes: Bytes::copy_from_slice(bytes),
        }
    }

    /// What `bytes` are without a file's name to say it: a request as in a `.http` file where that can be, or a body.
    pub(super) fn guess(bytes: &[u8]) -> Self {
        let mut fixture = Self::new(String::new(), bytes);
        let rest = if let Ok(rest) = directives(&mut fixture, bytes) {
            rest
        } else {
            fixture = Self::new(String::new(), bytes);
            bytes
        };
        let mut whole = fixture.clone();
        if request(&mut whole, rest).is_ok() {
            return whole;
        }
        let content_type = match rest.trim_ascii_start().first() {
            Some(b'{' | b'[') => "application/json",
            Some(b'<') => "text/xml",
            _ => "application/x-www-form-urlencoded",
        };
        body(&mut fixture, rest, content_type);
        fixture
    }
}

/// Every fixture of a folder, by name; none when there is no such folder.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Fixture>, String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Fixture, String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let part = |part: Option<&std::ffi::OsStr>| {
        part.and_then(std::ffi::OsStr::to_str).unwrap_or_default().to_owned()
    };
    let folder = part(path.parent().and_then(Path::file_name));
    let name = format!("{folder}/{}", part(path.file_name()));
    let extension = part(path.extension());
    let mut fixture = Fixture::new(name.clone(), &bytes);
    let rest = directives(&mut fixture, &bytes).map_err(|problem| format!("{name}: {problem}"))?;
    match extension.as_str() {
        "http" => request(&mut fixture, rest).map_err(|problem| format!("{name}: {problem}"))?,
        "json" => body(&mut fixture, rest, "application/json"),
        "xml" => body(&mut fixture, rest, "text/xml"),
        "form" => body(&mut fixture, rest.trim_ascii_end(), "application/x-www-form-urlencoded"),
        "txt" => body(&mut fixture, rest, "text/plain"),
        other => {
            return Err(format!("{name}: a fixture ends in .http, .json, .xml, .form or .txt, not .{other}"));
        }
    }
    Ok(fixture)
}

/// Reads the `# key: value` lines in front; what is left is the fixture itself.
fn directives<'a>(fixture: &mut Fixture, mut bytes: &'a [u8]) -> Result<&'a [u8], String> {
    while let Some(line) = bytes.strip_prefix(b"# ") {
        let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
        let text = String::from_utf8_lossy(&line[..end]);
        let number = |value: &str| value.parse::<i64>().map_err(|_| format!("`{value}` is not a number"));
        match text.trim().split_once(": ") {
            Some(("now", seconds)) => {
                let seconds = number(seconds)?;
                if !(0..=LATEST).contains(&seconds) {
                    return Err(format!("`now: {seconds}` is not in 1970 to 2100"));
                }
                fixture.request.now_ms = seconds * 1000;
            }
            Some(("sign", "no")) => fixture.sign = false,
            Some(("expect", status)) => fixture.expect = u16::try_from(number(status)?).ok(),
            _ => {
                return Err(format!(
                    "`# {text}` is not understood; there are `now`, `sign: no` and `expect`"
                ));
            }
        }
        bytes = line.get(end + 1..).unwrap_or_default();
    }
    Ok(bytes)
}

fn body(fixture: &mut Fixture, bytes: &[u8], content_type: &'static str) {
    fixture.request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    fixture.request.body = Bytes::copy_from_slice(bytes);
}

fn request(fixture: &mut Fixture, bytes: &[u8]) -> Result<(), String> {
    let split = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, rest) = split.map_or((bytes, &b""[..]), |at| (&bytes[..at], &bytes[at + 2..]));
    let head = std::str::from_utf8(head).map_err(|_| "the head is not text")?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let (method, target) = first.split_once(' ').ok_or("the first line is `METHOD /path?query`")?;
    let target = target.trim().trim_end_matches(" HTTP/1.1");
    if !target.starts_with('/') {
        return Err(format!("`{target}` is not a path"));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = &mut fixture.request;
    request.method = method.parse().map_err(|_| format!("`{method}` is not a method"))?;
    path.trim_end_matches('/').clone_into(&mut request.path);
    query.clone_into(&mut request.query);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is not a header"))?;
        let name: HeaderName = name.trim().parse().map_err(|_| format!("`{name}` is not a header's name"))?;
        let value: HeaderValue =
            value.trim().parse().map_err(|_| format!("the value of {name} is not one"))?;
        request.headers.append(name, value);
    }
    request.body = Bytes::copy_from_slice(rest.strip_suffix(b"\n").unwrap_or(rest));
    Ok(())
}
