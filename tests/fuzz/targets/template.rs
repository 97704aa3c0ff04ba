//! Answers of a third party behind the bottle, read as its template says.
#![no_main]

use heliograph_channel_bottle::Bottle;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Bottle, {
    let template = json!({
        "url": "https://api.example.test/v1/send?ref={{delivery_id|url}}",
        "headers": { "Authorization": "Bearer {{secret.api_key|plain}}" },
        "body": r#"{"to": {{to|json}}, "message": {{text|json}}}"#,
        "success": { "status": ["2xx"], "pointer": "/ok", "equals": true },
        "external_id": "/message/id",
        "errors": [
            { "pointer": "/code", "equals": 4010, "class": "opted_out" },
            { "status": [402], "class": "auth" },
            { "status": ["2xx"], "class": "in_doubt" },
        ],
        "error_code": "/code",
        "error_text": "/reason",
    });
    let given = Given {
        provider: None,
        settings: json!({ "template": template, "text_limit": 500 }),
        secrets: &[
            ("signing", "whsec_ZmFrZS1zdGFuZGFyZC13ZWJob29rLWtleS0zMmJ5dGU="),
            ("api_key", "made-up-api-key-42"),
        ],
    };
    Subject::new(Bottle, given, sign::bottle)
});
