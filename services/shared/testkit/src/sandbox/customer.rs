//! Customers who write the way their provider would tell us.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    sign,
    state::{State, now_ms},
};

/// A customer of one account.
#[derive(Clone)]
pub struct Customer {
    state: Arc<State>,
    account: Arc<Account>,
    /// What the provider calls them.
    pub user_id: String,
    /// For people.
    pub name: String,
}

/// A request the provider makes to us. Posting it again is the provider's retry.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where to.
    pub url: String,
    /// Signature and content type.
    pub headers: Vec<(&'static str, String)>,
    /// The signed bytes.
    pub body: String,
    /// The provider's id of the message in it.
    pub provider_message_id: String,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The provider's id of the message.
    pub provider_message_id: String,
    /// Our answer; `None` when we could not be reached in the provider's tries.
    pub status: Option<u16>,
}

impl Customer {
    pub(super) fn new(state: Arc<State>, account: Arc<Account>, user_id: String, name: String) -> Self {
        Self { state, account, user_id, name }
    }

    /// Writes a text; returns once we answered.
    pub async fn say(&self, text: &str) -> Posted {
        let call = self.compose(text);
        let status = self.state.post(&call).await;
        self.state.wrote(&self.account.name, &self.user_id, &self.name, text, status);
        Posted { provider_message_id: call.provider_message_id, status }
    }

    /// Posts a call as the provider does, with its retries.
    pub async fn post(&self, call: &Call) -> Option<u16> {
        self.state.post(call).await
    }

    /// The request that tells us of a text.
    pub fn compose(&self, text: &str) -> Call {
        match self.account.provider {
            "sinch" => self.sinch(text),
            "twilio" => self.twilio(text),
            "wechat" => self.wechat(text),
            _ => self.bottle(text),
        }
    }

    fn sinch(&self, text: &str) -> Call {
        let id = self.state.next_id();
        let body = json!({
            "type": "mo_text",
            "id": id,
            "from": self.user_id.trim_start_matches('+'),
            "to": self.account.setting("sender").trim_start_matches('+'),
            "body": text,
            "operator_id": "310260",
            "received_at": jiff::Timestamp::now().to_string(),
        });
        Call { provider_message_id: id, ..sinch_call(&self.account, &self.state.next_id(), body.to_string()) }
    }

    fn twilio(&self, text: &str) -> Call {
        let id = format!("SM{}", self.state.next_id());
        let form = [
            ("MessageSid", id.as_str()),
            ("SmsSid", &id),
            ("SmsMessageSid", &id),
            ("AccountSid", self.account.setting("account_sid")),
            ("From", &self.user_id),
            ("To", self.account.setting("sender")),
            ("Body", text),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("SmsStatus", "received"),
            ("ApiVersion", "2010-04-01"),
            ("FromCity", ""),
        ];
        Call {
            provider_message_id: id.clone(),
            ..twilio_call(&self.account, &self.account.webhook_url, &form)
        }
    }

    fn wechat(&self, text: &str) -> Call {
        let id = self.state.next_number().to_string();
        let now = now_ms() / 1000;
        let message = format!(
            "<xml><ToUserName><![CDATA[gh_{}]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>\
             <CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
             <Content><![CDATA[{}]]></Content><MsgId>{id}</MsgId></xml>",
            self.account.name,
            self.user_id,
            text.replace("]]>", "]]]]><![CDATA[>"),
        );
        let (timestamp, nonce) = (now.to_string(), (self.state.next_number() % 1_000_000_000).to_string());
        let token = self.account.secret("token");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("signature", &sign::wechat(&[token, &timestamp, &nonce]))
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce)
            .append_pair("openid", &self.user_id);
        let body = if self.account.setting("mode") == "plain" {
            message
        } else {
            let key = self.account.secret("encoding_aes_key");
            let encrypted = sign::wechat_encrypt(key, self.account.setting("app_id"), &message);
            let signature = sign::wechat(&[token, &timestamp, &nonce, &encrypted]);
            query.append_pair("encrypt_type", "aes").append_pair("msg_signature", &signature);
            format!(
                "<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            )
        };
        Call {
            url: format!("{}?{}", self.account.webhook_url, query.finish()),
            headers: vec![("content-type", "text/xml".to_owned())],
            body,
            provider_message_id: id,
        }
    }

    fn bottle(&self, text: &str) -> Call {
        let id = self.state.next_id();
        let body = json!({
            "type": "message.received",
            "id": id,
            "timestamp": jiff::Timestamp::now().to_string(),
            "data": { "from": { "id": self.user_id, "name": self.name, "phone": phone(&self.user_id) }, "text": text },
        });
        Call { provider_message_id: id.clone(), ..bottle_call(&self.account, &id, body.to_string()) }
    }
}

fn phone(user_id: &str) -> Option<&str> {
    user_id.starts_with('+').then_some(user_id)
}

/// A callback of Sinch's, signed.
pub(super) fn sinch_call(account: &Account, nonce: &str, body: String) -> Call {
    let timestamp = (now_ms() / 1000).to_string();
    let key = account.secret("webhook_secret").as_bytes();
    let signature =
        sign::hmac_sha256(key, &[body.as_bytes(), b".", nonce.as_bytes(), b".", timestamp.as_bytes()]);
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-sinch-webhook-signature", signature),
            ("x-sinch-webhook-signature-nonce", nonce.to_owned()),
            ("x-sinch-webhook-signature-timestamp", timestamp),
            ("x-sinch-webhook-signature-algorithm", "HmacSHA256".to_owned()),
        ],
        body,
        provider_message_id: String::new(),
    }
}

/// A webhook of Twilio's, signed for `url`.
pub(super) fn twilio_call(account: &Account, url: &str, form: &[(&str, &str)]) -> Call {
    let form: Vec<(String, String)> =
        form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signature = sign::twilio(account.secret("auth_token"), url, &form);
    Call {
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-twilio-signature", signature),
        ],
        body: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish(),
        provider_message_id: String::new(),
    }
}

/// A Standard Webhooks request of a bottle's owner.
pub(super) fn bottle_call(account: &Account, id: &str, body: String) -> Call {
    let timestamp = (now_ms() / 1000).to_string();
    let key = sign::webhook_key(account.secret("signing"));
    let signature =
        sign::hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", format!("v1,{signature}")),
        ],
        body,
        provider_message_id: String::new(),
    }
}

/// Says the lines in turn: the first at once, each other one when an answer has come.
pub(super) async fn play(
    customer: Customer,
    lines: Vec<String>,
    mut changes: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let answers = |customer: &Customer| {
        let sent = customer.state.sent();
        sent.iter()
            .filter(|sent| sent.account == customer.account.name && sent.user_id == customer.user_id)
            .count()
    };
    let mut answered = answers(&customer);
    for (index, line) in lines.iter().enumerate() {
        while index > 0 && answers(&customer) <= answered {
            tokio::select! {
                change = changes.changed() => if change.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
        answered = answers(&customer);
        customer.say(line).await;
    }
}
