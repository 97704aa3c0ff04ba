//! One country.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::data;
use crate::nearest::nearest;

/// The 249 assigned codes of ISO 3166-1 alpha-2, sorted, and at its place `XK`, which is user-assigned.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE \
GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP \
KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF \
NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN \
SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT \
ZA ZM ZW";

/// A country, by its ISO 3166-1 alpha-2 code in upper case. Always one of the known codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

impl Country {
    /// How many countries there are; every [`Self::index`] is below it.
    pub const COUNT: usize = CODES.len().div_ceil(3);

    /// The two letters.
    pub fn code(self) -> &'static str {
        let start = usize::from(self.0) * 3;
        &CODES[start..start + 2]
    }

    /// Its place among all countries in the order of the code, for tables.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The country at this place.
    pub fn at(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < Self::COUNT).map(Self)
    }

    /// Every country in the order of the code: the 249 of ISO 3166-1, and `XK`.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).filter_map(Self::at)
    }

    /// Whether ISO 3166-1 assigns the code officially: true for all but `XK`.
    pub fn is_assigned(self) -> bool {
        self.code() != "XK"
    }

    /// The country of a BCP 47 language tag such as `pt-BR` or `zh-Hant-TW`, or of a POSIX locale such as `pt_BR.UTF-8`.
    ///
    /// None when the tag names no country: a language alone is no place.
    pub fn of_locale(locale: &str) -> Option<Self> {
        let tag = locale.split(['.', '@']).next().unwrap_or_default();
        tag.split(['-', '_'])
            .skip(1)
            // A single letter starts an extension or private use; what follows is no country.
            .take_while(|part| part.len() > 1)
            .find(|part| part.len() == 2)
            .and_then(|part| part.to_ascii_uppercase().parse().ok())
    }

    /// The known code that was most likely meant by `text`.
    pub(crate) fn meant_by(text: &str) -> Option<&'static str> {
        let upper = text.to_ascii_uppercase();
        if let Some((_, meant)) = data::MISTAKEN.iter().find(|(wrong, _)| *wrong == upper) {
            return Some(meant);
        }
        nearest(&upper, CODES.split_ascii_whitespace())
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(code: &str) -> Result<Self, UnknownCountry> {
        let unknown = || UnknownCountry(code.to_owned());
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(unknown());
        }
        // The codes are sorted and three bytes apart.
        let (mut low, mut high) = (0, Self::COUNT);
        while low < high {
            let middle = usize::midpoint(low, high);
            match CODES[middle * 3..middle * 3 + 2].cmp(code) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Self(middle as u8)),
            }
        }
        Err(unknown())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Not a code of ISO 3166-1 alpha-2 in upper case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown country {0:?}")]
pub struct UnknownCountry(pub String);
