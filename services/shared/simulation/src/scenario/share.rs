//! Shares of a whole.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// A share, from 0 to 1, written `0.02` or `2%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// The share, if it is one.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// As a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl Visitor {
            fn checked<E: de::Error>(share: Option<f64>, written: impl fmt::Display) -> Result<Share, E> {
                let wrong = || E::custom(format!("{written} is no share; write it like 2% or 0.02"));
                share.and_then(Share::new).ok_or_else(wrong)
            }
        }
        impl de::Visitor<'_> for Visitor {
            type Value = Share;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 2% or 0.02")
            }
            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Share, E> {
                Self::checked(Some(share), share)
            }
            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Share, E> {
                Self::checked(u8::try_from(share).ok().map(f64::from), share)
            }
            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Share, E> {
                Self::checked(None, share)
            }
            fn visit_str<E: de::Error>(self, written: &str) -> Result<Share, E> {
                let percent = written.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
                Self::checked(percent.map(|percent| percent / 100.0), format_args!("{written:?}"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
