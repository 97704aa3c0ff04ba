//! `google.protobuf.Timestamp` with canonical JSON: RFC 3339, always in UTC as `Z`, with 0, 3, 6 or 9 digits of a second.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, to the nanosecond.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds within the second, 0 to 999,999,999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub fn from_millis(millis: i64) -> Self {
        // Less than a second of nanoseconds.
        Self { seconds: millis.div_euclid(1_000), nanos: (millis.rem_euclid(1_000) * 1_000_000) as i32 }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, what is smaller cut off.
    pub fn millis(&self) -> i64 {
        self.seconds.saturating_mul(1_000).saturating_add(i64::from(self.nanos) / 1_000_000)
    }

    fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::new(self.seconds, self.nanos).ok()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(time) = self.to_jiff() else {
            return Err(serde::ser::Error::custom("the time is outside the years 0001 to 9999"));
        };
        let digits = match self.nanos {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1_000 == 0 => 6,
            _ => 9,
        };
        serializer.collect_str(&Canonical(time, digits))
    }
}

struct Canonical(jiff::Timestamp, u8);

impl fmt::Display for Canonical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.*}", usize::from(self.1), self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an RFC 3339 time such as 2026-11-22T14:18:00Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                let time: jiff::Timestamp = text.parse().map_err(E::custom)?;
                // Seconds count down before 1970, and nanoseconds never do.
                let nanos = time.as_nanosecond();
                let seconds = nanos.div_euclid(1_000_000_000);
                Ok(Timestamp { seconds: seconds as i64, nanos: (nanos - seconds * 1_000_000_000) as i32 })
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn milliseconds_come_back_before_1970_too() {
        assert_eq!(Timestamp::from_millis(-1), Timestamp { seconds: -1, nanos: 999_000_000 });
        for millis in [-1_001, -1_000, -1, 0, 1, 999, 1_000, i64::MAX] {
            assert_eq!(Timestamp::from_millis(millis).millis(), millis);
        }
    }

    #[test]
    fn json_is_canonical_both_ways() {
        for (seconds, nanos, json) in [
            (0, 0, "\"1970-01-01T00:00:00Z\""),
            (1_718_461_080, 930_000_000, "\"2024-06-15T14:18:00.930Z\""),
            (1_718_461_080, 930_001_000, "\"2024-06-15T14:18:00.930001Z\""),
            (1_718_461_080, 1, "\"2024-06-15T14:18:00.000000001Z\""),
            (-1, 500_000_000, "\"1969-12-31T23:59:59.500Z\""),
        ] {
            let time = Timestamp { seconds, nanos };
            assert_eq!(serde_json::to_string(&time).ok().as_deref(), Some(json));
            assert_eq!(serde_json::from_str::<Timestamp>(json).ok(), Some(time));
        }
        let shifted: Timestamp = serde_json::from_str("\"2024-06-15T16:18:00+02:00\"").unwrap_or_default();
        assert_eq!(shifted.seconds, 1_718_461_080);
    }
}
