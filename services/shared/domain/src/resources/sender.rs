//! What kind of sender writes.

use serde::{Deserialize, Serialize};

use crate::phone::{self, Address};

/// What kind of sender a channel account writes as. Countries and carriers allow some and refuse others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderIdentity {
    /// A name such as `ACME`, which cannot be answered.
    Alphanumeric,
    /// A code of a few digits.
    ShortCode,
    /// A number with a toll-free prefix.
    TollFree,
    /// An ordinary North American number that is registered for application-to-person traffic (10DLC).
    #[serde(rename = "10dlc")]
    TenDlc,
    /// An ordinary number.
    LongCode,
}

impl SenderIdentity {
    /// What kind of sender this is: what the account declares, or what can be read off the sender itself. None for what
    /// carriers do not show, such as an e-mail address or a provider's id of a pool of numbers.
    ///
    /// A number that is registered for 10DLC looks like any other, so it has to be declared.
    pub fn of(sender: &str, declared: Option<Self>) -> Option<Self> {
        if declared.is_some() {
            return declared;
        }
        let address = Address::parse(sender);
        match address.kind() {
            phone::Kind::Alpha => Some(Self::Alphanumeric),
            phone::Kind::ShortCode => Some(Self::ShortCode),
            phone::Kind::E164 if phone::is_toll_free(address.as_str()) => Some(Self::TollFree),
            phone::Kind::E164 => Some(Self::LongCode),
            phone::Kind::Opaque => None,
        }
    }

    /// The kind as it is written in resources.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alphanumeric => "alphanumeric",
            Self::ShortCode => "short_code",
            Self::TollFree => "toll_free",
            Self::TenDlc => "10dlc",
            Self::LongCode => "long_code",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SenderIdentity::{self, Alphanumeric, LongCode, ShortCode, TenDlc, TollFree};

    #[test]
    fn a_sender_shows_what_it_is_unless_it_is_declared() {
        let table = [
            ("ACME", Some(Alphanumeric)),
            ("Acme Shop", Some(Alphanumeric)),
            ("3M", Some(Alphanumeric)),
            ("12345", Some(ShortCode)),
            ("262966", Some(ShortCode)),
            ("10690001", Some(ShortCode)),
            // Toll-free: North America's seven area codes, other countries' ranges, and the international +800.
            ("+18005550100", Some(TollFree)),
            ("+1 (833) 555-0100", Some(TollFree)),
            ("18885550100", Some(TollFree)),
            ("+448081570123", Some(TollFree)),
            ("+498001234567", Some(TollFree)),
            ("+61180012345", Some(LongCode)),
            ("+611800123456", Some(TollFree)),
            ("+80012345678", Some(TollFree)),
            ("+12125550123", Some(LongCode)),
            ("+18095550123", Some(LongCode)),
            ("+14165550123", Some(LongCode)),
            ("+447400123456", Some(LongCode)),
            ("+5511987654321", Some(LongCode)),
            ("MG0123456789abcdef0123456789abcdef", None),
            ("support@acme.example", None),
            ("", None),
        ];
        for (sender, identity) in table {
            assert_eq!(SenderIdentity::of(sender, None), identity, "{sender:?}");
            assert_eq!(SenderIdentity::of(sender, Some(TenDlc)), Some(TenDlc), "{sender:?}");
        }
    }

    #[test]
    fn kinds_are_written_one_way() {
        for kind in [Alphanumeric, ShortCode, TollFree, TenDlc, LongCode] {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
    }
}
