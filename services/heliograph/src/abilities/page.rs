//! All of it as a page of documentation.

use std::fmt::Write as _;

use super::Ability;

/// Markdown, the same for the same code.
pub fn page(channels: &[Ability]) -> String {
    let mut page = String::from(
        "# What each channel can do\n\n\
         Made from the code by `heliograph channels --markdown`. What a channel cannot show goes out as the nearest thing that\n\
         it can, and the event says so by the reason in brackets. Numbers are those of an account that sets nothing.\n\n\
         ## At a glance\n\n",
    );
    let Some(first) = channels.first() else { return page };
    let names: Vec<&str> = channels.iter().map(|channel| channel.channel).collect();
    let _ = writeln!(page, "| sent | {} |\n| --- |{}", names.join(" | "), " --- |".repeat(names.len()));
    for (row, sending) in first.sends.iter().enumerate() {
        let cells = channels.iter().map(|channel| channel.sends[row].how.as_str());
        let _ = writeln!(page, "| {} | {} |", sending.kind, cells.collect::<Vec<_>>().join(" | "));
    }
    for channel in channels {
        let _ = writeln!(page, "\n## {}\n\n{}.\n", channel.channel, upper_first(channel.about));
        let mut line = |label: &str, text: &str| {
            if !text.is_empty() {
                let _ = writeln!(page, "- **{label}**: {text}");
            }
        };
        line("Receives", &channel.receives.join(", "));
        let native = channel.sends.iter().filter(|sending| sending.native).map(|sending| sending.kind);
        line("Sends", &native.collect::<Vec<_>>().join(", "));
        let others = channel.sends.iter().filter(|sending| !sending.native);
        let others =
            others.map(|other| format!("{} {} (`{}`)", other.kind, other.how, other.reasons.join("`, `")));
        line("In place of the rest", &others.collect::<Vec<_>>().join("; "));
        line("Signals", &channel.signals.join(", "));
        line("Receipts", &channel.receipts.join(", "));
        line("Limits", &channel.limits.join("; "));
        line(
            "After an unknown outcome",
            if channel.idempotent {
                "sent again; the provider recognizes a repeat"
            } else {
                "in doubt; not sent again"
            },
        );
        line("The business may write first", if channel.business_initiated { "yes" } else { "no" });
    }
    page
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
