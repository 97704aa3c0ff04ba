//! Files that are no resources and are read as strictly: what is wrong is named with its place and its field.

use serde::de::DeserializeOwned;

use super::{
    Place, Problem, Problems,
    parse::strictly,
    source::{self, Source},
};

/// A file of one document, which remembers where its fields stand.
#[derive(Debug, Clone)]
pub struct Form<T> {
    /// What it says.
    pub value: T,
    file: String,
    source: Source,
}

impl<T: DeserializeOwned> Form<T> {
    /// Reads a file of YAML or JSON. `file` is only named in problems.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        let mut sources = source::read(file, text)?.into_iter();
        let (Some(source), None) = (sources.next(), sources.next()) else {
            let message = "one document is expected, a mapping";
            return Err(Problem::new(file, Place::default(), "", "", message).into());
        };
        match strictly(&source.value, "") {
            Ok(value) => Ok(Self { value, file: file.to_owned(), source }),
            Err(error) => Err(error.at(file, "", &source).into()),
        }
    }
}

impl<T> Form<T> {
    /// A problem with one of its fields, such as `queues.sales.ring`.
    pub fn problem(&self, path: &str, message: impl Into<String>) -> Problem {
        Problem::new(&self.file, self.source.place(path), "", path, message)
    }
}
