//! What happened, line by line, and a fingerprint of all of it.

use std::fmt;

/// A history as text.
#[derive(Debug, Default)]
pub(super) struct Trace {
    lines: Vec<String>,
    fingerprint: Fingerprint,
    /// Whether lines are printed as they come.
    aloud: bool,
}

/// Equal where every line was equal, byte for byte. (FNV-1a.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Trace {
    pub(super) fn new(aloud: bool) -> Self {
        Self { aloud, ..Self::default() }
    }

    /// Notes what `who` did or met, `millis` after the beginning.
    #[allow(clippy::print_stdout, reason = "a replayed seed tells what it does")]
    pub(super) fn note(&mut self, millis: u128, who: &str, what: fmt::Arguments<'_>) {
        let line = format!("{millis:>7} {who:<9} {what}");
        for byte in line.bytes() {
            self.fingerprint.0 = (self.fingerprint.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.aloud {
            println!("{line}");
        }
        self.lines.push(line);
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The last lines.
    pub(super) fn tail(&self, count: usize) -> String {
        self.lines[self.lines.len().saturating_sub(count)..].join("\n")
    }
}
