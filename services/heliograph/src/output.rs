//! What commands print: data on standard output, for a person or a program.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::ValueEnum;
use serde::Serialize;

use crate::failure::NobodyReads;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns, for people
    #[default]
    Table,
    /// YAML documents
    Yaml,
    /// JSON
    Json,
}

/// Prints a line. A reader that is gone ends the command quietly.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(NobodyReads.into()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// Says something to the person, beside the data.
pub fn note(text: &str) {
    // Nobody to tell is no failure.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints a value as JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Prints values as YAML documents.
pub fn yaml<T: Serialize>(values: &[T]) -> anyhow::Result<()> {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            line("---")?;
        }
        line(serde_saphyr::to_string(value)?.trim_end())?;
    }
    Ok(())
}

/// Prints columns under a heading, each as wide as its widest cell.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> anyhow::Result<()> {
    let heading = heading.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&heading]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in [&heading].into_iter().chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Whether colours may be used on standard output.
pub fn colour() -> bool {
    use std::io::IsTerminal as _;
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A time as people read it, to the second, in UTC.
pub fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| "?".to_owned(), |at| format!("{at:.0}"))
}
