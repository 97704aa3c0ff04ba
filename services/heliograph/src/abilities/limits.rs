//! Limits as people read them.

use heliograph_proto::v1::{Capabilities, MediaCapability, RateRule, RateScope, TextUnit, WindowRule};

/// What bounds a channel's messages.
pub(super) fn of(able: &Capabilities) -> Vec<String> {
    let unit = unit(able.text_unit());
    let numbers = [
        (able.text_limit, format!("text: {} {unit}, longer ones in parts", able.text_limit)),
        (able.caption_limit, format!("captions: {} {unit}, longer ones follow as text", able.caption_limit)),
        (able.choice_limit, format!("answers to tap: {}", able.choice_limit)),
        (able.list_limit, format!("lists: {} answers", able.list_limit)),
        (able.card_limit, format!("cards side by side: {}", able.card_limit)),
    ];
    let counts = numbers.into_iter().filter(|(limit, _)| *limit > 0).map(|(_, words)| words);
    let media = able.media.iter().map(medium);
    let usual = (able.rate_per_second > 0.0)
        .then(|| format!("usual rate: {} a second, {} at once", able.rate_per_second, able.burst));
    let rates = able.rates.iter().map(rate);
    let windows = able.windows.iter().map(window);
    counts.chain(media).chain(usual).chain(rates).chain(windows).collect()
}

fn unit(unit: TextUnit) -> &'static str {
    match unit {
        TextUnit::Bytes => "bytes",
        TextUnit::Utf16 => "UTF-16 units",
        TextUnit::Graphemes => "characters as people count them",
        TextUnit::CodePoints | TextUnit::Unspecified => "code points",
    }
}

fn medium(able: &MediaCapability) -> String {
    let kind = able.kind().as_str_name().trim_start_matches("MEDIA_KIND_").to_lowercase();
    let size = match able.max_bytes {
        0 => String::new(),
        bytes if bytes % (1024 * 1024) == 0 => format!(" up to {} MiB", bytes / (1024 * 1024)),
        bytes if bytes >= 1_000_000 => format!(" up to {} MB", bytes / 1_000_000),
        bytes => format!(" up to {} kB", bytes / 1_000),
    };
    let types = if able.content_types.is_empty() {
        String::new()
    } else {
        format!(" ({})", able.content_types.join(", "))
    };
    format!("{kind}{size}{types}")
}

fn rate(rule: &RateRule) -> String {
    let whom = if rule.scope() == RateScope::Recipient { "to one customer" } else { "from an account" };
    let what =
        if rule.content.is_empty() { String::new() } else { format!(", {}", rule.content.join(" and ")) };
    let often = if rule.per_second >= 1.0 {
        format!("{} a second", rule.per_second)
    } else {
        format!("one in {:.0} seconds", 1.0 / rule.per_second)
    };
    format!("{whom}{what}: {often}, {} at once", rule.burst.max(1))
}

fn window(rule: &WindowRule) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, word) =
        units.into_iter().find(|(length, _)| rule.seconds % length == 0).unwrap_or((1, "second"));
    let count = rule.seconds / length;
    let long = format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let most = if rule.messages > 0 { format!(", {} messages", rule.messages) } else { String::new() };
    format!("window after {}: {long}{most}", rule.kind)
}
