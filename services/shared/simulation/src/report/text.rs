//! Tables for a terminal.

use std::fmt::Write as _;

use super::{
    number::{Unit, length},
    table,
};
use crate::study::Findings;

/// All tables of the findings, as text.
pub fn tables(findings: &Findings) -> String {
    let mut text = format!("{}\n{}\n", findings.name, subtitle(findings));
    for table in table::tables(findings) {
        let _ = write!(text, "\n{}\n", table.title);
        let mut rows = vec![table.columns];
        rows.extend(table.rows);
        let columns = rows[0].len();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            let _ = writeln!(text, "  {}", line.trim_end());
        }
        for line in wrapped(&table.note, 100) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// What was simulated, in a line.
pub(super) fn subtitle(findings: &Findings) -> String {
    let summary = &findings.summary;
    let runs = if summary.replications == 1 {
        "1 replication"
    } else {
        &format!("{} replications", summary.replications)
    };
    let warm_up = if findings.warm_up > 0.0 {
        format!(" after {} of warm-up", length(findings.warm_up))
    } else {
        String::new()
    };
    format!(
        "{runs} of {}{warm_up}, {} customers each, seed {}; means with 95 % confidence",
        length(findings.length),
        Unit::Count.write(summary.customers.round()),
        findings.seed
    )
}

/// Words in lines of no more than so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
