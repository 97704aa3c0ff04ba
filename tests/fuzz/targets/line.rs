//! Webhooks of LINE, and answers of the Messaging API.
#![no_main]

use heliograph_channel_line::Line;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Line, {
    let given = Given {
        provider: None,
        settings: json!({
            "channel_id": "1234567890",
            "video_preview_url": "https://media.example.com/still.png",
            "track_videos": true,
            "agent_names": true,
            "mark_as_read": true,
        }),
        secrets: &[("channel_secret", "made-up-channel-secret-2026")],
    };
    Subject::new(Line, given, sign::line)
});
