//! The table people read and the JSON that stays.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use crate::machine;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// A figure for orientation.
    None,
}

impl Target {
    fn met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
            Self::None => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
            Self::None => String::new(),
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) part: &'static str,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    /// The raw limit, or what ours is compared with.
    pub(crate) beside: Option<f64>,
    /// What the target is about: the ratio, where there is something beside, else our figure.
    pub(crate) ratio: Option<f64>,
    pub(crate) target: Target,
}

impl Row {
    fn judged(&self) -> f64 {
        self.ratio.unwrap_or(self.ours)
    }
}

/// Everything that was measured.
pub(crate) struct Report {
    quick: bool,
    started: jiff::Timestamp,
    machine: Value,
    rows: Vec<Row>,
    details: Map<String, Value>,
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self {
            quick,
            started: jiff::Timestamp::now(),
            machine: machine::facts(),
            rows: Vec::new(),
            details: Map::new(),
        }
    }

    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// What else is worth keeping of a part.
    pub(crate) fn detail(&mut self, part: &str, detail: Value) {
        self.details.insert(part.to_owned(), detail);
    }

    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        if self.quick {
            text.push_str("A quick run: these figures show that the bench works, and nothing else.\n");
        }
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<8} {:<52} {:>11} {:>11} {:<7} {:>7} {:>8}",
            "part", "what", "ours", "beside", "unit", "ratio", "target"
        );
        for row in &self.rows {
            let beside = row.beside.map(number).unwrap_or_default();
            let ratio = row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let verdict = match row.target.met(row.judged()) {
                Some(false) if !self.quick => "  MISSED",
                _ => "",
            };
            let _ = writeln!(
                text,
                "{:<8} {:<52} {:>11} {beside:>11} {:<7} {ratio:>7} {:>8}{verdict}",
                row.part,
                row.what,
                number(row.ours),
                row.unit,
                row.target.text()
            );
        }
        text
    }

    /// Writes `<date>.json` and `latest.json` into `folder`; the first one's path.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "part": row.part, "what": row.what, "unit": row.unit, "ours": row.ours, "beside": row.beside,
                    "ratio": row.ratio, "target": row.target.text(), "met": row.target.met(row.judged()),
                })
            })
            .collect();
        let report = json!({
            "date": self.started.to_string(),
            "quick": self.quick,
            "profile": if cfg!(debug_assertions) { "debug" } else { "optimized" },
            "machine": self.machine,
            "versions": versions(),
            "rows": rows,
            "details": self.details,
        });
        let text = serde_json::to_string_pretty(&report)?;
        let path = folder.join(format!("{}.json", self.started.strftime("%Y%m%dT%H%M%SZ")));
        fs::write(&path, &text)?;
        fs::write(folder.join("latest.json"), &text)?;
        Ok(path)
    }
}

fn versions() -> Value {
    let first_line = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
    };
    json!({
        "heliograph": env!("CARGO_PKG_VERSION"),
        "commit": first_line("git", &["rev-parse", "--short", "HEAD"]),
        "nats-server": first_line("nats-server", &["--version"]),
        "redis": first_line("valkey-server", &["--version"]).or_else(|| first_line("redis-server", &["--version"])),
    })
}

/// With as many digits as mean something.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
