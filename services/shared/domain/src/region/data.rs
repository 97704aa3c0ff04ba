//! The tables: which country belongs to which group.
//!
//! UN M49 as of 2026; membership of unions as of November 2026. Two countries that M49 does not list stand where the
//! Unicode CLDR puts them: Taiwan in Eastern Asia (030) and Kosovo in Southern Europe (039).

use super::{Country, CountrySet};

/// One UN M49 group: its direct members are countries, other groups, or both.
pub(super) struct Group {
    /// Three-digit M49 code.
    pub(super) code: &'static str,
    /// The group's name in English.
    pub(super) name: &'static str,
    /// Codes of the groups it consists of, separated by spaces.
    parts: &'static str,
    /// ISO codes of the countries it names itself, separated by spaces.
    countries: &'static str,
}

const fn leaf(code: &'static str, name: &'static str, countries: &'static str) -> Group {
    Group { code, name, parts: "", countries }
}

const fn whole(code: &'static str, name: &'static str, parts: &'static str) -> Group {
    Group { code, name, parts, countries: "" }
}

/// Every group, by code.
pub(super) const GROUPS: &[Group] = &[
    whole("001", "World", "002 009 010 019 142 150"),
    whole("002", "Africa", "015 202"),
    whole("003", "North America", "013 021 029"),
    leaf("005", "South America", "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE"),
    whole("009", "Oceania", "053 054 057 061"),
    leaf("010", "Antarctica", "AQ"),
    leaf("011", "Western Africa", "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG"),
    leaf("013", "Central America", "BZ CR GT HN MX NI PA SV"),
    leaf("014", "Eastern Africa", "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW"),
    leaf("015", "Northern Africa", "DZ EG EH LY MA SD TN"),
    leaf("017", "Middle Africa", "AO CD CF CG CM GA GQ ST TD"),
    leaf("018", "Southern Africa", "BW LS NA SZ ZA"),
    whole("019", "Americas", "021 419"),
    leaf("021", "Northern America", "BM CA GL PM US"),
    leaf(
        "029",
        "Caribbean",
        "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
    ),
    leaf("030", "Eastern Asia", "CN HK JP KP KR MN MO TW"),
    leaf("034", "Southern Asia", "AF BD BT IN IR LK MV NP PK"),
    leaf("035", "South-eastern Asia", "BN ID KH LA MM MY PH SG TH TL VN"),
    leaf("039", "Southern Europe", "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK"),
    leaf("053", "Australia and New Zealand", "AU CC CX HM NF NZ"),
    leaf("054", "Melanesia", "FJ NC PG SB VU"),
    leaf("057", "Micronesia", "FM GU KI MH MP NR PW UM"),
    leaf("061", "Polynesia", "AS CK NU PF PN TK TO TV WF WS"),
    whole("142", "Asia", "030 034 035 143 145"),
    leaf("143", "Central Asia", "KG KZ TJ TM UZ"),
    leaf("145", "Western Asia", "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE"),
    whole("150", "Europe", "039 151 154 155"),
    leaf("151", "Eastern Europe", "BG BY CZ HU MD PL RO RU SK UA"),
    leaf("154", "Northern Europe", "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ"),
    leaf("155", "Western Europe", "AT BE CH DE FR LI LU MC NL"),
    whole("202", "Sub-Saharan Africa", "011 014 017 018"),
    whole("419", "Latin America and the Caribbean", "005 013 029"),
    leaf("830", "Channel Islands", "GG JE"),
];

/// Named unions and customary sets, by name.
pub(super) const UNIONS: &[(&str, &str)] = &[
    ("anz", "AU NZ"),
    ("asean", "BN ID KH LA MM MY PH SG TH TL VN"),
    ("baltics", "EE LT LV"),
    ("benelux", "BE LU NL"),
    ("dach", "AT CH DE"),
    ("eea", "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"),
    ("efta", "CH IS LI NO"),
    ("eu", "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"),
    ("eurozone", "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"),
    ("gcc", "AE BH KW OM QA SA"),
    // Latin America in the narrow sense: American countries where Spanish, Portuguese or French Creole is spoken, without
    // the dependencies. `region:419` is the wide sense.
    ("latam", "AR BO BR CL CO CR CU DO EC GT HN HT MX NI PA PE PR PY SV UY VE"),
    ("mercosur", "AR BO BR PY UY"),
    // Countries that share the calling code +1.
    ("nanp", "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI"),
    ("nordics", "AX DK FI FO GL IS NO SE"),
    ("schengen", "AT BE BG CH CZ DE DK EE ES FI FR GR HR HU IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"),
    ("usmca", "CA MX US"),
];

/// Codes that people write for a country and ISO 3166-1 does not assign to it.
pub(super) const MISTAKEN: &[(&str, &str)] = &[("EL", "GR"), ("UK", "GB")];

/// The countries named in a list separated by spaces.
pub(super) fn set(codes: &str) -> CountrySet {
    codes.split_ascii_whitespace().map(known).collect()
}

/// All countries of a group, through the groups it consists of.
pub(super) fn members(group: &Group) -> CountrySet {
    let mut all = set(group.countries);
    for part in group.parts.split_ascii_whitespace() {
        let part = GROUPS.iter().find(|group| group.code == part).expect("a group consists of listed groups");
        all = all.with(&members(part));
    }
    all
}

fn known(code: &str) -> Country {
    code.parse().expect("the tables name known countries")
}
