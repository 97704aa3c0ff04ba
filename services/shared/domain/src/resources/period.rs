//! Lengths of time as people write them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Units of time, longest first: how they are written, and their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time in whole milliseconds, written `30s`, `1h30m` or `2d`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    millis: u64,
}

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self { millis: seconds as u64 * 1_000 }
    }

    /// So many times as long; the longest there is instead of more.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { millis: self.millis.saturating_mul(factor as u64) }
    }

    /// Its length in milliseconds.
    pub fn as_millis(self) -> u64 {
        self.millis
    }

    /// Its length as the standard library's type.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let invalid = || InvalidPeriod(text.to_owned());
        let mut rest = text;
        let mut millis = 0_u64;
        while !rest.is_empty() || text.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(invalid)?;
            let count: u64 = rest[..digits].parse().map_err(|_| invalid())?;
            rest = &rest[digits..];
            let letters = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters]).ok_or_else(invalid)?;
            rest = &rest[letters..];
            millis =
                count.checked_mul(*unit).and_then(|part| millis.checked_add(part)).ok_or_else(invalid)?;
        }
        Ok(Self { millis })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.millis;
        for (name, length) in UNITS {
            if rest >= length {
                write!(f, "{}{name}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no length of time; write it like 30s, 5m, 1h30m or 2d")]
pub struct InvalidPeriod(pub String);
