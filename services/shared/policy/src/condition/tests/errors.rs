//! What is refused, and how that is said.

use super::super::PolicyCondition as Condition;

/// Condition, message, suggestion (empty for none).
const TABLE: &[(&str, &str, &str)] = &[
    // Names.
    (
        "contact.contry == 'BR'",
        "there is no contact.contry; contact has country, locale, language, number, time_zone, channels, attributes, first_seen, last_inbound, sent",
        "contact.country",
    ),
    (
        "region.county == 'BR'",
        "there is no region.county; region has name, country, source, confidence",
        "region.country",
    ),
    ("contct.country == 'BR'", "there is no contct.country", "contact.country"),
    ("customer.locale == 'pt'", "there is no customer.locale", "contact.locale"),
    ("country == 'BR'", "there is no country", "region.country"),
    ("chanel == 'sms'", "there is no chanel", "channel"),
    ("colour == 'red'", "there is no colour", ""),
    ("window == true", "window is no value by itself; it has window.open", ""),
    ("channel.name == 'sms'", "channel is a string and has no field name", ""),
    ("contact.channels.exists(c, d == 'sms')", "there is no d", ""),
    ("contact.channels.exists(c, c.name == 'sms')", "c is a string and has no fields", ""),
    ("(true ? channel : account).name == 'x'", "a string has no field name", ""),
    // Values.
    (
        "message.direction == 'inbund'",
        "message.direction is never \"inbund\"; it is one of inbound, outbound",
        "inbound",
    ),
    (
        "'Marketing' != message.class",
        "message.class is never \"Marketing\"; it is one of service, utility, marketing, authentication, emergency",
        "marketing",
    ),
    (
        "consent in ['opted_in', 'optedout']",
        "consent is never \"optedout\"; it is one of opted_in, opted_out, unknown",
        "opted_out",
    ),
    (
        "sender == 'pigeon'",
        "sender is never \"pigeon\"; it is one of alphanumeric, short_code, toll_free, 10dlc, long_code",
        "",
    ),
    ("region.country == 'UK'", "region.country is never \"UK\"; it is a code such as BR", "GB"),
    ("contact.country == 'br'", "contact.country is never \"br\"; it is a code such as BR", "BR"),
    // Types.
    ("channel", "a condition is a bool, and this is a string", ""),
    ("contact.sent", "a condition is a bool, and this is a int", ""),
    ("channel == 1", "== cannot compare a string with a int", ""),
    ("contact.sent > '3'", "> cannot compare a int with a string", ""),
    ("window.open == 'yes'", "== cannot compare a bool with a string", ""),
    ("contact.channels == ['sms']", "== cannot compare a list of strings with a list of strings", ""),
    (
        "now > '2026-11-22T00:00:00Z'",
        "> cannot compare a timestamp with a string",
        "timestamp(\"2026-11-22T00:00:00Z\")",
    ),
    ("'24h' > now - contact.last_inbound", "> cannot compare a duration with a string", "duration(\"24h\")"),
    ("now - contact.last_inbound > 24", "> cannot compare a duration with a int", ""),
    ("contact.sent && window.open", "&& takes a bool, and this is a int", ""),
    ("window.open || channel", "|| takes a bool, and this is a string", ""),
    ("!channel", "! takes a bool, and this is a string", ""),
    ("channel ? true : false", "? : takes a bool, and this is a string", ""),
    ("(true ? 1 : 'a') == 1", "? : chooses between two values of one type, not a int and a string", ""),
    ("-channel == 'sms'", "- cannot be put before a string", ""),
    ("channel + '!' == 'sms!'", "+ cannot take a string and a string", ""),
    ("1.5 + 1.5 == 3.0", "+ cannot take a double and a double", ""),
    ("now + now > now", "+ cannot take a timestamp and a timestamp", ""),
    ("1 in channel", "in cannot look for a int in a string", ""),
    ("'sm' in channel", "in looks into lists and maps, not into a string", "….contains(\"sm\")"),
    ("'1' in [1, 2]", "in cannot look for a string in a list of ints", ""),
    ("contact.sent in ['1']", "in cannot look for a int in a list of strings", ""),
    ("channel in ['sms', 1]", "a list holds strings only, or ints only", ""),
    ("channel in [true]", "a list holds strings only, or ints only", ""),
    ("contact.attributes[1] == 'x'", "contact.attributes is looked up by a string, not by a int", ""),
    ("contact.channels[0] == 'sms'", "[…] looks into maps, and this is a list of strings", ""),
    ("1u == 1", "1u is an unsigned number; conditions have signed ones only", "1"),
    (
        "contact.last_inbound == null",
        "nothing is ever null here; has(…) tells whether something is known",
        "",
    ),
    ("channel == b'sms'", "conditions have no bytes", ""),
    ("{'a': 'b'}['a'] == 'b'", "maps and messages cannot be written in a condition", ""),
    // Functions.
    ("channel.startWith('s')", "a string has no function startWith", "startsWith"),
    ("channel.lower() == 'sms'", "a string has no function lower", ""),
    ("startsWith(channel, 's')", "startsWith is called on a value", "….startsWith(…)"),
    ("getHours(now) == 1", "getHours is called on a value", "….getHours()"),
    ("timestmp('2026-11-22T00:00:00Z') < now", "there is no function timestmp", "timestamp"),
    ("int('1') == 1", "there is no function int", ""),
    ("channel.startsWith()", "startsWith takes 1 argument, and has 0", ""),
    ("channel.startsWith(1)", "startsWith takes a string, and this is a int", ""),
    ("contact.sent.startsWith('1')", "startsWith is asked of a string, and this is a int", ""),
    (
        "contact.channels.contains('sms')",
        "contains is asked of a string, and this is a list of strings",
        "\"sms\" in …",
    ),
    ("channel.size(1) == 1", "size takes 0 arguments, and has 1", ""),
    ("size(1) == 1", "a int has no size", ""),
    ("size() == 1", "size takes 1 argument, and has 0", ""),
    ("has(channel)", "has takes a field, such as contact.last_inbound", ""),
    (
        "has(contact.vip)",
        "there is no contact.vip; contact has country, locale, language, number, time_zone, channels, attributes, first_seen, last_inbound, sent",
        "",
    ),
    ("has(contact.locale, 1)", "has takes 1 argument, and has 2", ""),
    ("contact.channels.exists(c)", "exists takes 2 arguments, and has 1", ""),
    ("contact.channels.exists('c', true)", "the first argument of exists is a new name, such as x", ""),
    ("contact.channels.exists(c, 1)", "exists takes a bool, and this is a int", ""),
    ("contact.channels.exists_one(c, c == 'sms')", "conditions have exists and all, not exists_one", ""),
    ("contact.channels.map(c, c) == []", "conditions have exists and all, not map", ""),
    ("channel.all(c, true)", "all looks at lists of strings, and this is a string", ""),
    (
        "['a'].all(a, ['b'].all(b, ['c'].all(c, ['d'].all(d, ['e'].all(e, true)))))",
        "exists and all nested deeper than 4",
        "",
    ),
    ("channel.matches(account)", "matches takes a literal regular expression", ""),
    ("channel.matches('(')", "\"(\" is no regular expression: unclosed group", ""),
    ("channel.matches('(\\\\w{100}){100}')", "the regular expression \"(\\\\w{100}){100}\" is too large", ""),
    (
        "now.getHours('America/New_York') == 1",
        "getHours takes no time zone: now has the clock of UTC, local that of the customer",
        "",
    ),
    ("(now - now).getMonth() == 1", "a duration has no function getMonth", ""),
    ("channel.getHours() == 1", "a string has no function getHours", ""),
    ("timestamp('yesterday') < now", "\"yesterday\" is no timestamp; write it like 2026-11-22T18:00:00Z", ""),
    ("timestamp(channel) < now", "timestamp takes a literal string", ""),
    ("timestamp(1) < now", "timestamp takes a literal string", ""),
    (
        "duration('2d') > duration('1h')",
        "\"2d\" is no duration; write it like 36h, 1h30m or 90s",
        "duration(\"48h\")",
    ),
    ("duration('soon') > duration('1h')", "\"soon\" is no duration; write it like 36h, 1h30m or 90s", ""),
    ("duration('1.h.') > duration('')", "\"1.h.\" is no duration; write it like 36h, 1h30m or 90s", ""),
    ("duration(60) > duration('1h')", "duration takes a literal string", ""),
    // Syntax.
    ("", "an empty condition; leave it out, and it always holds", ""),
    ("  ", "an empty condition; leave it out, and it always holds", ""),
    ("channel = 'sms'", "CEL has no =", "=="),
    ("channel <> 'sms'", "CEL has no <>", "!="),
    ("channel == 'sms' AND window.open", "CEL has no and", "&&"),
    ("not window.open", "CEL has no not", "!"),
    ("channel == 'this and that' or window.open", "CEL has no or", "||"),
    ("channel ==", "this is no CEL at line 1, column 11: mismatched input the end", ""),
    ("channel == 'sms' )", "this is no CEL at line 1, column 18: extraneous input ')'", ""),
    ("channel == 'sms", "this is no CEL at line 1, column 12: token recognition error at: ''sms'", ""),
];

#[test]
fn what_is_wrong_is_named() {
    let mut wrong = Vec::new();
    for (text, message, suggestion) in TABLE {
        match Condition::parse(text) {
            Ok(_) => wrong.push(format!("{text}\n    is accepted")),
            Err(error) => {
                let found = error.suggestion.unwrap_or_default();
                if error.message != *message || found != *suggestion {
                    wrong.push(format!(
                        "{text}\n    {}\n    {message}\n    {found} | {suggestion}",
                        error.message
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_too_large_is_refused() {
    let refused = |text: &str| Condition::parse(text).unwrap_err().message;
    assert_eq!(refused(&format!("channel == '{}'", "a".repeat(4096))), "longer than 4096 bytes");
    let brackets = format!("{}true{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(refused(&brackets), "brackets nested deeper than 32");
    for long in ["1 + ".repeat(1000) + "1 == 1", "true ? ".repeat(500) + "true"] {
        assert!(!refused(&long).is_empty());
    }
    // The parser makes one of many.
    for many in ["!".repeat(4000) + "true", "-".repeat(3000) + "1 == 1"] {
        assert!(Condition::parse(&many).is_ok());
    }
    assert!(Condition::parse(&("channel == 'sms' || ".repeat(150) + "window.open")).is_ok());
}
