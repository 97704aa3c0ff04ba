//! Link codes: whoever sends one from another address within its time is the contact it was made for.
//!
//! A code is used once, by one event: the same event asks again and gets the same answer, as after a crash. Guessing is
//! slowed down for each address: [`GUESSES`] at once, then as many an hour.

use std::time::Duration;

use async_nats::jetstream::Context;
use serde::{Deserialize, Serialize};

use crate::connection::Redis;
use crate::contacts::Address;
use crate::kv::{KvBucket, KvError};
use crate::rate::{Permit, Rate, RateLimiter};
use crate::{Millis, keys, now_ms};

/// The bucket of codes. It forgets them after an hour, so no code lives longer.
pub const BUCKET: &str = "HG_CODES";

/// What a code is made of: no two of them look alike.
pub const ALPHABET: &str = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters of a code after its prefix.
pub const LENGTH: usize = 6;
/// Codes that one address may try at once, and in each hour.
pub const GUESSES: u32 = 10;
/// What a code begins with, so that no other word is taken for one.
const PREFIX: &str = "HG";
/// How often a collision of codes is tried to be avoided, and a race to be settled.
const TRIES: u32 = 8;

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// As the customer is shown it: `HG-` and [`LENGTH`] characters.
    pub text: String,
    /// When it ends.
    pub expires_at_ms: Millis,
}

/// The answer to a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It was made for this contact, and is used up now.
    Contact(String),
    /// Somebody used it before.
    Used,
    /// There is no such code, it has ended, or this address has guessed too often.
    Unknown,
}

/// The record of a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    contact: String,
    expires_at_ms: Millis,
    /// What used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_by: Option<String>,
}

/// The codes of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Codes {
    bucket: KvBucket,
    guesses: RateLimiter,
}

impl Codes {
    /// Opens the provisioned bucket [`BUCKET`]; guesses are counted in this Redis, or in this process while it is away.
    pub async fn open(context: &Context, redis: Redis) -> Result<Self, KvError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await?, guesses: RateLimiter::new(redis) })
    }

    /// Makes a code for a contact.
    pub async fn create(&self, tenant: &str, contact: &str, ttl: Duration) -> Result<Code, KvError> {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let record = Record {
            contact: contact.to_owned(),
            expires_at_ms: now_ms().saturating_add(ttl),
            used_by: None,
        };
        let mut failure = None;
        for _ in 0..TRIES {
            let text = draw();
            match self.bucket.create(&key(tenant, &text), &record).await {
                Ok(_) => return Ok(Code { text, expires_at_ms: record.expires_at_ms }),
                Err(error @ KvError::Exists { .. }) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.expect("it was tried"))
    }

    /// The code that `text` is, as [`Code::text`] writes it; none if it is anything else or more than a code.
    ///
    /// Case, spaces, hyphens and punctuation around it are not looked at, nor whether letters are of full width.
    pub fn parse(text: &str) -> Option<String> {
        let narrow = |letter: char| match letter {
            // The full-width forms stand in the order of ASCII.
            '\u{FF01}'..='\u{FF5E}' => {
                char::from_u32(u32::from(letter) - 0xFF01 + u32::from('!')).unwrap_or(letter)
            }
            other => other,
        };
        let text: String = text.chars().map(narrow).collect();
        let inner = text.trim_matches(|letter: char| !letter.is_alphanumeric());
        let dash = |letter: char| letter == '-' || ('\u{2010}'..='\u{2015}').contains(&letter);
        let mut code = String::with_capacity(PREFIX.len() + LENGTH);
        for letter in inner.chars().filter(|letter| !letter.is_whitespace() && !dash(*letter)) {
            // What is longer than a code is none, however long it is.
            if code.len() == PREFIX.len() + LENGTH || !letter.is_ascii_alphanumeric() {
                return None;
            }
            code.push(letter.to_ascii_uppercase());
        }
        let drawn = code.strip_prefix(PREFIX)?;
        let valid = drawn.len() == LENGTH && drawn.chars().all(|letter| ALPHABET.contains(letter));
        valid.then(|| format!("{PREFIX}-{drawn}"))
    }

    /// Uses a code, as [`Self::parse`] gives it, which was sent from `address` by the event `cause` at this time.
    pub async fn redeem(
        &self,
        tenant: &str,
        address: &Address,
        code: &str,
        cause: &str,
        at_ms: Millis,
    ) -> Result<Redeemed, KvError> {
        let key = key(tenant, code);
        let mut failure = None;
        let mut permitted = false;
        for _ in 0..TRIES {
            let found = self.bucket.get_latest::<Record>(&key).await?;
            if let Some(found) = &found
                && found.value.used_by.as_deref() == Some(cause)
            {
                return Ok(Redeemed::Contact(found.value.contact.clone()));
            }
            if !permitted && !self.may_guess(tenant, address).await {
                return Ok(Redeemed::Unknown);
            }
            permitted = true;
            let Some(found) = found.filter(|found| at_ms < found.value.expires_at_ms) else {
                return Ok(Redeemed::Unknown);
            };
            if found.value.used_by.is_some() {
                return Ok(Redeemed::Used);
            }
            let used = Record { used_by: Some(cause.to_owned()), ..found.value };
            match self.bucket.update(&key, &used, found.revision).await {
                Ok(_) => return Ok(Redeemed::Contact(used.contact)),
                // Somebody was faster, or our own write was: the next look tells.
                Err(error) if error.may_have_written() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.expect("it was tried"))
    }

    async fn may_guess(&self, tenant: &str, address: &Address) -> bool {
        let rate = Rate::new(f64::from(GUESSES) / 3_600.0, f64::from(GUESSES));
        let parts = ["code", address.channel.as_str(), address.account.as_str(), address.user_id.as_str()];
        self.guesses.take(tenant, &parts, rate, 1.0).await == Permit::Granted
    }
}

fn key(tenant: &str, code: &str) -> String {
    keys::kv(&[tenant, code])
}

fn draw() -> String {
    let letters = ALPHABET.as_bytes();
    let drawn: String =
        (0..LENGTH).map(|_| char::from(letters[rand::random_range(0..letters.len())])).collect();
    format!("{PREFIX}-{drawn}")
}

#[cfg(test)]
mod tests {
    use super::{Codes, draw};

    #[test]
    fn a_text_that_is_a_code_is_one_however_it_is_typed() {
        for text in [
            "HG-7K3MPQ",
            "hg-7k3mpq",
            " HG 7K3 MPQ ",
            "hg7k3mpq.",
            "\"HG-7K3MPQ\"!",
            "HG\u{2013}7K3MPQ",
            "H G - 7 K 3 M P Q",
            "ＨＧ－７Ｋ３ＭＰＱ。",
        ] {
            assert_eq!(Codes::parse(text).as_deref(), Some("HG-7K3MPQ"), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "HG",
            "7K3MPQ",
            "HG-7K3MP",
            "HG-7K3MPQR",
            "HG-7K3MP0",
            "HG-7K3MPI",
            "my code is HG-7K3MPQ",
            "HG-7K3MPQ thanks",
            "HG-7K3,MPQ",
            "HG-7K3MPÄ",
            "GH-7K3MPQ",
            "ßHG7K3MPQ",
        ] {
            assert_eq!(Codes::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_drawn_is_a_code() {
        for _ in 0..1_000 {
            let code = draw();
            assert_eq!(Codes::parse(&code), Some(code));
        }
    }
}
