//! English.

use super::Language;

/// `YES` is left out: it answers questions. A tenant that asks for consent by it adds it.
pub(super) static ENGLISH: Language = Language {
    tag: "en",
    stop: &[
        "STOP",
        "STOPALL",
        "STOP ALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "OPT OUT",
    ],
    start: &["START", "UNSTOP", "SUBSCRIBE"],
    help: &["HELP", "INFO"],
    here: &[],
    plain: true,
    replies: [
        "{name}: You are unsubscribed and will get no more messages. Reply START to get them again, HELP for help.",
        "{name}: You will get messages again. Reply HELP for help, STOP to unsubscribe. Msg & data rates may apply.",
        "{name}: Write to us here and we will answer. Reply STOP to unsubscribe, START to get messages again.",
    ],
};
