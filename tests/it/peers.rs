//! What the providers' own SDKs sign or encrypt goes in normalized, and the agent's answer goes out as they want it.

use std::sync::Arc;

use heliograph_tests::{
    agent::Agent,
    fleet::Fleet,
    peers::{parse, post, sign},
    tenant::{
        BOTTLE_SECRET, INSTAGRAM, LINE_SECRET, META_SECRET, PAGE, RCS_TOKEN, SINCH_SECRET, TELEGRAM_WEBHOOK,
        TWILIO_TOKEN, VIBER_TOKEN, WECHAT_AES_KEY, WECHAT_APP, WECHAT_TOKEN,
    },
};
use serde_json::{Value, json};

/// What is posted, and what must come out of it.
struct Case {
    channel: &'static str,
    account: &'static str,
    user_id: &'static str,
    text: &'static str,
    region: &'static str,
    request: Value,
}

fn cases(webhook: impl Fn(&str, &str) -> String) -> Vec<Case> {
    let wechat = "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oPeer]]></FromUserName>\
        <CreateTime>1762800000</CreateTime><MsgType><![CDATA[text]]></MsgType>\
        <Content><![CDATA[你好 👋]]></Content><MsgId>22876340532172986</MsgId></xml>";
    let whatsapp = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106540352242922" },
            "contacts": [{ "profile": { "name": "Júlia" }, "user_id": "BR.13491208655302741918" }],
            "messages": [{
                "from_user_id": "BR.13491208655302741918", "id": "wamid.PEER", "timestamp": "1762800000",
                "type": "text", "text": { "body": "olá 👋 https://example.com/a" }, "a_new_field": 1,
            }],
        } }] }],
    });
    vec![
        Case {
            channel: "wechat",
            account: "acme-cn",
            user_id: "oPeer",
            text: "你好 👋",
            region: "greater-china",
            request: json!({
                "peer": "wechat", "token": WECHAT_TOKEN, "encoding_aes_key": WECHAT_AES_KEY,
                "app_id": WECHAT_APP, "openid": "oPeer", "xml": wechat,
            }),
        },
        Case {
            channel: "whatsapp",
            account: "acme-br",
            user_id: "BR.13491208655302741918",
            text: "olá 👋 https://example.com/a",
            region: "latam-europe",
            request: json!({ "peer": "whatsapp", "app_secret": META_SECRET, "body": whatsapp }),
        },
        Case {
            channel: "sms",
            account: "acme-us",
            user_id: "+12125550101",
            text: "hallå from Sinch",
            region: "north-america",
            request: json!({
                "peer": "sinch", "webhook_secret": SINCH_SECRET,
                "body": {
                    "type": "mo_text", "id": "01PEER", "from": "12125550101", "to": "12025550123",
                    "body": "hallå from Sinch", "received_at": "2026-11-22T14:17:22.123Z", "a_new_field": 1,
                },
            }),
        },
        Case {
            channel: "sms",
            account: "acme-ca",
            user_id: "+16135550102",
            text: "hello & goodbye",
            region: "north-america",
            request: json!({
                "peer": "twilio", "auth_token": TWILIO_TOKEN, "url": webhook("sms", "acme-ca"),
                "form": {
                    "MessageSid": "SM0000000000000000000000000000peer", "AccountSid": "AC1",
                    "From": "+16135550102", "To": "+16135550123", "Body": "hello & goodbye",
                    "NumMedia": "0", "ANewParameter": "x",
                },
            }),
        },
        Case {
            channel: "messenger",
            account: "acme-au",
            user_id: "1254477777772919",
            text: "g'day 👋 https://example.com/a",
            region: "oceania",
            request: json!({
                "peer": "meta", "app_secret": META_SECRET,
                "body": messaging("page", PAGE, "1254477777772919", "g'day 👋 https://example.com/a"),
            }),
        },
        Case {
            channel: "instagram",
            account: "acme-nz",
            user_id: "1234567890123456",
            text: "kia ora ✨",
            region: "oceania",
            request: json!({
                "peer": "meta", "app_secret": META_SECRET,
                "body": messaging("instagram", INSTAGRAM, "1234567890123456", "kia ora ✨"),
            }),
        },
        Case {
            channel: "telegram",
            account: "acme-telegram",
            user_id: "7000000000001",
            text: "#1 from Telegram",
            region: "latam-europe",
            request: json!({
                "peer": "telegram", "secret": TELEGRAM_WEBHOOK, "user_id": 7_000_000_000_001_u64, "message_id": 77,
                "text": "#1 from Telegram",
            }),
        },
        Case {
            channel: "viber",
            account: "acme-viber",
            user_id: "01234567890A=",
            text: "здравейте",
            region: "latam-europe",
            request: json!({
                "peer": "viber", "auth_token": VIBER_TOKEN,
                "body": {
                    "event": "message", "timestamp": 1_762_800_000_000_u64, "message_token": 4_912_661_846_655_238_145_u64,
                    "sender": { "id": "01234567890A=", "name": "Ivan", "language": "bg", "country": "BG" },
                    "message": { "type": "text", "text": "здравейте" }, "a_new_field": 1,
                },
            }),
        },
        Case {
            channel: "line",
            account: "acme-jp",
            user_id: "U4af4980629f58aaf0f9c1f1d0a6b2f00",
            text: "こんにちは 👋",
            region: "line-lands",
            request: json!({
                "peer": "line", "channel_secret": LINE_SECRET,
                "body": {
                    "destination": "U8e742f61d673b39c7fff3cecb7536ef0",
                    "events": [{
                        "type": "message",
                        "message": { "id": "468789577898262530", "type": "text", "quoteToken": "q", "text": "こんにちは 👋" },
                        "timestamp": 1_762_800_000_000_i64, "mode": "active", "a_new_field": 1,
                        "source": { "type": "user", "userId": "U4af4980629f58aaf0f9c1f1d0a6b2f00" },
                        // LINE does not know it any more: the answer is pushed.
                        "replyToken": "38ef843bde154d9b91c21320ffd17a0f",
                        "webhookEventId": "01H810YECXQQZ37VAXPF6H9E6T",
                        "deliveryContext": { "isRedelivery": false },
                    }],
                },
            }),
        },
        Case {
            channel: "rcs",
            account: "acme-in",
            user_id: "+919876543211",
            text: "नमस्ते",
            region: "india",
            request: json!({
                "peer": "rcs", "client_token": RCS_TOKEN,
                "event": {
                    "senderPhoneNumber": "+919876543211", "messageId": "MxPEER", "agentId": "acme@rbm.goog",
                    "sendTime": "2026-11-22T14:17:22.123456789Z", "text": "नमस्ते", "aNewField": 1,
                },
            }),
        },
        Case {
            channel: "bottle",
            account: "acme-islands",
            user_id: "fletcher",
            text: "ship ahoy",
            region: "islands",
            request: json!({
                "peer": "bottle", "secret": BOTTLE_SECRET, "id": "peer-1",
                "body": {
                    "type": "message.received", "id": "peer-1",
                    "data": { "from": { "id": "fletcher", "country": "PN" }, "text": "ship ahoy" },
                },
            }),
        },
    ]
}

/// What Messenger and Instagram post when `user` writes to `account`.
fn messaging(object: &str, account: &str, user: &str, text: &str) -> Value {
    let item = json!({
        "sender": { "id": user }, "recipient": { "id": account }, "timestamp": 1_762_800_000_001_i64,
        "message": { "mid": format!("m_peer_{object}"), "text": text },
    });
    json!({ "object": object, "entry": [{ "id": account, "time": 1_762_800_000_123_i64, "messaging": [item] }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_providers_sdks_sign_comes_out_normalized_and_is_answered() {
    let channels =
        ["sms", "whatsapp", "messenger", "instagram", "wechat", "telegram", "viber", "line", "rcs", "bottle"];
    let fleet = Fleet::start(&[&channels[..], &["router", "egress", "desk"]].concat()).await;
    let answers = Arc::new(|_: &str, text: &str| Some(format!("you said: {text}")));
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", answers).await;

    let webhook = |channel: &str, account: &str| fleet.webhook_url(channel, account);
    for case in cases(webhook) {
        // These providers' customers can be written to once they wrote; the sandbox must know.
        if ["wechat", "telegram", "viber"].contains(&case.channel) {
            fleet.sandbox.customer(case.account, case.user_id, "").say("hi").await;
            agent
                .wait("the first message", |seen| (!seen.texts_of(case.user_id).is_empty()).then_some(()))
                .await;
        }
        let signed = sign(&case.request).await;
        let (status, answer) = post(&webhook(case.channel, case.account), &signed).await;
        assert!((200..300).contains(&status), "{}: {status} {answer}", case.account);

        // The same, forged: refused, and nothing comes of it.
        let mut forged = signed.clone();
        forged.body = forged
            .body
            .replace(case.text, "tampered")
            .replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[AAAA")
            .replace("\"data\": \"ey", "\"data\": \"eyB7");
        if case.channel == "telegram" {
            // It signs no body; its secret is all there is.
            for (_, value) in forged.headers.iter_mut().filter(|(name, _)| name.contains("secret")) {
                value.push('x');
            }
        }
        if forged.body != signed.body {
            let (status, answer) = post(&webhook(case.channel, case.account), &forged).await;
            assert_eq!(status, 401, "{}: {answer}", case.account);
            assert!(!answer.contains("made-up"), "a secret in an answer: {answer}");
        }

        agent
            .wait(case.account, |seen| {
                seen.texts_of(case.user_id).contains(&case.text.to_owned()).then_some(())
            })
            .await;
        let expected = format!("you said: {}", case.text);
        fleet
            .sandbox
            .wait_for(|sent| {
                sent.iter().find(|sent| sent.user_id == case.user_id && sent.text == expected).map(|_| ())
            })
            .await;
    }
    assert_eq!(fleet.sandbox.problems().len(), 0, "{:?}", fleet.sandbox.problems());

    // The SDKs read what we sent, and would have written the same.
    let mut read = 0;
    for sent in fleet.sandbox.sent() {
        let (ours, theirs) = match sent.provider {
            "telegram" => {
                let fields = sent.request["fields"].clone();
                (fields.clone(), parse(json!({ "peer": "telegram", "fields": fields })).await)
            }
            "viber" => {
                let theirs = parse(json!({ "peer": "viber", "message": sent.request })).await;
                let mut ours = sent.request.as_object().unwrap().clone();
                ours.retain(|name, _| theirs.get(name).is_some());
                (Value::Object(ours), theirs)
            }
            "line" => {
                let request = sent.request.clone();
                (request.clone(), parse(json!({ "peer": "line", "request": request })).await)
            }
            _ => continue,
        };
        assert_eq!(ours, theirs);
        read += 1;
    }
    assert!(read >= 3, "{read} requests were read");

    // The public stream says the same, as canonical JSON.
    let lines = fleet.cli(&["tail", "--json", "--from", "start", "--no-follow"]).await;
    for case in cases(webhook) {
        let event = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| if line.get("event").is_some() { line["event"].clone() } else { line })
            .find(|event| event["messageReceived"]["message"]["content"]["text"]["body"] == case.text)
            .unwrap_or_else(|| panic!("{} is not on the stream", case.account));
        assert_eq!(event["type"], "message.received");
        assert_eq!(event["channel"], case.channel);
        assert_eq!(event["region"], case.region, "{}", case.account);
        assert_eq!(event["messageReceived"]["verdict"]["outcome"], "OUTCOME_ALLOW", "{event}");
        assert!(event["messageReceived"]["verdict"]["fired"].is_array(), "{event}");
    }
}
