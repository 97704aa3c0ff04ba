#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{Address, Kind, country, normalize};
use crate::region::Country;

#[test]
fn addresses_are_told_apart_and_spelled_one_way() {
    let table = [
        ("+12125550123", Kind::E164, "+12125550123"),
        ("12125550123", Kind::E164, "+12125550123"),
        ("+1 (212) 555-0123", Kind::E164, "+12125550123"),
        ("tel:+1-212-555-0123", Kind::E164, "+12125550123"),
        ("0044 7400 123456", Kind::E164, "+447400123456"),
        ("+44 (0) 7400 123456", Kind::E164, "+447400123456"),
        ("+7 800 123-45-67", Kind::E164, "+78001234567"),
        ("5511987654321", Kind::E164, "+5511987654321"),
        ("+39 06 698 83145", Kind::E164, "+390669883145"),
        ("+6834000", Kind::E164, "+6834000"),
        ("12345", Kind::ShortCode, "12345"),
        ("888", Kind::ShortCode, "888"),
        ("10690001", Kind::ShortCode, "10690001"),
        ("ACME", Kind::Alpha, "ACME"),
        ("Acme Shop", Kind::Alpha, "Acme Shop"),
        ("oUjx4s5YzM0123456789abcdefgh", Kind::Opaque, "oUjx4s5YzM0123456789abcdefgh"),
        ("ann@example.com", Kind::Opaque, "ann@example.com"),
        ("+0012125550123", Kind::Opaque, "+0012125550123"),
        ("+1234567890123456789", Kind::Opaque, "+1234567890123456789"),
        ("+", Kind::Opaque, "+"),
        ("", Kind::Opaque, ""),
        ("12", Kind::Opaque, "12"),
    ];
    for (raw, kind, text) in table {
        let address = Address::parse(raw);
        assert_eq!((address.kind(), address.as_str()), (kind, text), "{raw:?}");
        assert_eq!(normalize(raw).is_some(), kind == Kind::E164, "{raw:?}");
    }
}

#[test]
fn numbers_find_their_country_where_calling_codes_are_shared() {
    let table = [
        // +1, the North American Numbering Plan
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),
        ("+16585550123", "JM"),
        ("+17875550123", "PR"),
        ("+19395550123", "PR"),
        ("+18095550123", "DO"),
        ("+12425550123", "BS"),
        ("+12465550123", "BB"),
        ("+12684601234", "AG"),
        ("+12642351234", "AI"),
        ("+14413701234", "BM"),
        ("+13459161234", "KY"),
        ("+18683011234", "TT"),
        ("+16713001234", "GU"),
        ("+16842551234", "AS"),
        ("+17215205678", "SX"),
        // others
        ("+79123456789", "RU"),
        ("+77710009998", "KZ"),
        ("+447400123456", "GB"),
        ("+447781123456", "GG"),
        ("+447797712345", "JE"),
        ("+447624123456", "IM"),
        ("+4740612345", "NO"),
        ("+4741234567", "NO"),
        ("+4779123456", "SJ"),
        ("+61412345678", "AU"),
        ("+390669812345", "VA"),
        ("+390612345678", "IT"),
        ("+393123456789", "IT"),
        ("+358412345678", "FI"),
        ("+358181234567", "AX"),
        ("+59996651234", "CW"),
        ("+5997181234", "BQ"),
        ("+262692123456", "RE"),
        ("+262639012345", "YT"),
        ("+212650123456", "MA"),
        // one country each
        ("+5511987654321", "BR"),
        ("+8613123456789", "CN"),
        ("+85251234567", "HK"),
        ("+85366123456", "MO"),
        ("+6581234567", "SG"),
        ("+6907290", "TK"),
        ("+29051234", "SH"),
        ("+24740123", "SH"),
        ("+38343201234", "XK"),
    ];
    for (number, code) in table {
        assert_eq!(country(number).map(Country::code), Some(code), "{number}");
        assert_eq!(Address::parse(number).country().map(Country::code), Some(code), "{number}");
    }
}

#[test]
fn countries_agree_with_an_independent_library() {
    let table = include_str!("../../fixtures/numbers.txt").lines().filter(|line| !line.starts_with('#'));
    let wrong: Vec<String> = table
        .map(|line| line.split_once(' ').unwrap())
        .map(|(number, code)| (number, code, country(number).map_or("-", Country::code)))
        .filter(|(_, code, found)| code != found)
        .map(|(number, code, found)| format!("{number}: {code}, not {found}"))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn numbers_of_no_country_have_none() {
    for number in ["+80012345678", "+883510012345", "+99912345678", "12345", "ACME", "+1", ""] {
        assert_eq!(Address::parse(number).country(), None, "{number}");
    }
}

proptest! {
    #[test]
    fn any_text_is_an_address_and_its_spelling_is_final(raw in "\\PC{0,50}") {
        let address = Address::parse(&raw);
        prop_assert_eq!(Address::parse(address.as_str()), address);
    }

    #[test]
    fn numbers_are_spelled_the_same_with_and_without_plus(digits in "[1-9][0-9]{9,13}") {
        let (plain, plus) = (Address::parse(&digits), Address::parse(&format!("+{digits}")));
        prop_assert_eq!(plain.e164(), plus.e164());
        if let Some(number) = plus.e164() {
            prop_assert!(number.len() <= 16 && number[1..].bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
}
