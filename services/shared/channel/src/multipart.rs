//! `multipart/form-data` (RFC 7578) for providers that take files.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Body, File};

/// A form, field by field. The same fields give the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Form {
    parts: Vec<(String, Bytes)>,
}

impl Form {
    /// Without any field.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of text.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n\r\n", quoted(name));
        self.parts.push((head, Bytes::copy_from_slice(value.as_bytes())));
        self
    }

    /// Adds all fields of an object: texts as they are, and anything else as JSON.
    #[must_use]
    pub fn fields(self, fields: &Value) -> Self {
        fields.as_object().into_iter().flatten().fold(self, |form, (name, value)| match value {
            Value::String(text) => form.text(name, text),
            other => form.text(name, &other.to_string()),
        })
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, file: &File) -> Self {
        let (name, file_name) = (quoted(name), quoted(&file.name));
        let kind: String = file.content_type.chars().filter(|char| !char.is_control()).collect();
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        self.parts.push((head, file.bytes.clone()));
        self
    }

    /// The body, and the headers that say how to read it.
    pub fn finish(self) -> (HeaderMap, Body) {
        let boundary = self.boundary();
        let size = self.parts.iter().map(|(head, value)| head.len() + value.len() + boundary.len() + 8).sum();
        let mut body: Vec<u8> = Vec::with_capacity(size);
        for (head, value) in &self.parts {
            body.extend_from_slice(format!("--{boundary}\r\n{head}").as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.expect("hex is visible ASCII"))]);
        (headers, Body::Raw(body.into()))
    }

    /// What no field can hold by chance: a digest of all of them.
    fn boundary(&self) -> String {
        let mut hash = Sha256::new();
        for (head, value) in &self.parts {
            hash.update(head);
            hash.update(value);
        }
        hex::encode(&hash.finalize()[..16])
    }
}

/// As browsers quote names in a form.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Form;
    use crate::{Body, File};

    #[test]
    fn a_form_is_what_a_reader_of_forms_expects() {
        let file = File {
            content_type: "text/plain".to_owned(),
            name: "a \"b\"\r\n.txt".to_owned(),
            bytes: "hello".into(),
        };
        let fields = serde_json::json!({ "at": { "x": 1 }, "type": "image" });
        let (headers, body) = Form::new().fields(&fields).file("media", &file).finish();
        let kind = headers["content-type"].to_str().unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let Body::Raw(body) = body else { panic!("not raw") };
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"at\"\r\n\r\n{{\"x\":1}}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a %22b%22%0D%0A.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
}
