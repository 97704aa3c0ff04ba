//! The provider's flat XML. No document types and no entities but XML's own five: nothing can expand.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

/// Deeper than any message of the provider's; a guard against nonsense.
const DEPTH: usize = 8;

/// The fields of one message by lower-case path below the root (`fromusername`, `scancodeinfo.scanresult`), since
/// the provider is not of one mind about `MsgId` and `MsgID`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Parses one document.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        let mut path: Vec<String> = Vec::new();
        let mut fields = BTreeMap::new();
        let mut seen_root = false;
        loop {
            let event = reader.read_event().map_err(|error| format!("not XML: {error}"))?;
            match event {
                Event::Start(start) => {
                    let name = start.name().as_ref().to_ascii_lowercase();
                    if path.is_empty() && seen_root {
                        return Err("not XML: more than one root element".to_owned());
                    }
                    if path.len() >= DEPTH {
                        return Err(format!("nested deeper than {DEPTH} elements"));
                    }
                    seen_root = true;
                    path.push(name);
                }
                Event::End(_) => {
                    path.pop();
                }
                Event::CData(data) => {
                    append(&mut fields, &path, &data);
                }
                Event::Text(data) => {
                    // White space between elements is not a value.
                    if !data.trim().is_empty() {
                        append(&mut fields, &path, &data);
                    }
                }
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(character)) => append(&mut fields, &path, character.encode_utf8(&mut [0; 4])),
                    Ok(None) => append(&mut fields, &path, entity(&reference)?),
                    Err(error) => return Err(format!("not XML: {error}")),
                },
                Event::DocType(_) => return Err("a document type is not accepted".to_owned()),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        if seen_root && path.is_empty() {
            Ok(Self(fields))
        } else {
            Err("not XML: the document ends early".to_owned())
        }
    }

    /// A field that is there and not empty.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A field, or the words for its absence.
    pub(crate) fn need(&self, path: &str) -> Result<&str, String> {
        self.get(path).ok_or_else(|| format!("<{path}> is missing or empty"))
    }

    /// Every field, for what is kept as it came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

fn append(fields: &mut BTreeMap<String, String>, path: &[String], text: &str) {
    if path.len() > 1 {
        fields.entry(path[1..].join(".")).or_default().push_str(text);
    }
}

fn entity(name: &str) -> Result<&'static str, String> {
    Ok(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err("entities are not accepted".to_owned()),
    })
}
