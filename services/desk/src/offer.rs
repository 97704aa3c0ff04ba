//! What is said to a customer who may continue on another channel. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

/// Settings of channel accounts that customers know the account by, the best first.
const PUBLIC: [&str; 6] = ["sender", "number", "phone", "address", "mailbox", "username"];

/// What a customer can be told about an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The channel.
    pub(crate) channel: &'a str,
    /// The code as it is shown, `HG-XXXXXX`.
    pub(crate) code: &'a str,
    /// Where to send it; none where the account has nothing that a customer could type.
    pub(crate) to: Option<&'a str>,
    /// The tenant's name.
    pub(crate) company: &'a str,
    /// BCP 47 tag of the customer's language.
    pub(crate) locale: &'a str,
}

/// What customers send to when they write to an account on their own.
pub(crate) fn public_sender<'a>(channel: &str, settings: &'a BTreeMap<String, Value>) -> Option<&'a str> {
    let known = PUBLIC.iter().filter_map(|name| settings.get(*name)?.as_str());
    let mut usable = known.filter(|sender| match channel {
        // A name cannot be answered.
        "sms" | "whatsapp" | "voice" => {
            let digits = sender.strip_prefix('+').unwrap_or(sender);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        "email" => sender.contains('@'),
        _ => !sender.is_empty(),
    });
    usable.next()
}

/// Opens the channel with the code filled in; empty where there is no such link.
pub(crate) fn uri(told: &Told<'_>) -> String {
    let Told { code, to: Some(to), .. } = told else { return String::new() };
    match told.channel {
        // RFC 5724.
        "sms" => format!("sms:{to}?body={code}"),
        // WhatsApp's click to chat: digits only.
        "whatsapp" => format!("https://wa.me/{}?text={code}", to.trim_start_matches('+')),
        // RFC 6068.
        "email" => format!("mailto:{to}?subject={code}"),
        "telegram" => format!("https://t.me/{}?text={code}", to.trim_start_matches('@')),
        _ => String::new(),
    }
}

/// The sentence for the customer, in their language where we have it, else in English.
pub(crate) fn text(told: &Told<'_>) -> String {
    let Told { code, company, .. } = told;
    let language = told.locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let name = channel_name(told.channel, &language);
    match (language.as_str(), told.to) {
        ("de", Some(to)) => format!("Um über {name} weiterzuschreiben, senden Sie {code} an {to}."),
        ("de", None) => format!("Um über {name} weiterzuschreiben, senden Sie dort {code} an {company}."),
        ("es", Some(to)) => format!("Para continuar por {name}, envíe {code} a {to}."),
        ("es", None) => format!("Para continuar por {name}, envíe allí {code} a {company}."),
        ("fr", Some(to)) => format!("Pour continuer par {name}, envoyez {code} à {to}."),
        ("fr", None) => format!("Pour continuer par {name}, envoyez-y {code} à {company}."),
        ("it", Some(to)) => format!("Per continuare via {name}, invii {code} a {to}."),
        ("it", None) => format!("Per continuare via {name}, invii lì {code} a {company}."),
        ("pt", Some(to)) => format!("Para continuar por {name}, envie {code} para {to}."),
        ("pt", None) => format!("Para continuar por {name}, envie {code} para {company} por lá."),
        ("zh", Some(to)) => format!("如需通过{name}继续，请将 {code} 发送至 {to}。"),
        ("zh", None) => format!("如需通过{name}继续，请在{name}上将 {code} 发送给 {company}。"),
        (_, Some(to)) => format!("To continue by {name}, send {code} to {to}."),
        (_, None) => format!("To continue on {name}, send {code} to {company} there."),
    }
}

fn channel_name<'a>(channel: &'a str, language: &str) -> &'a str {
    match (channel, language) {
        ("sms", "zh") => "短信",
        ("sms", _) => "SMS",
        ("email", "zh") => "电子邮件",
        ("email", "de") => "E-Mail",
        ("email", "es") => "correo electrónico",
        ("email", _) => "e-mail",
        ("whatsapp", _) => "WhatsApp",
        ("wechat", "zh") => "微信",
        ("wechat", _) => "WeChat",
        ("webchat", "zh") => "网页聊天",
        ("webchat", "de") => "Web-Chat",
        ("webchat", _) => "web chat",
        ("telegram", _) => "Telegram",
        ("line", _) => "LINE",
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(channel: &'a str, to: Option<&'a str>, locale: &'a str) -> Told<'a> {
        Told { channel, code: "HG-7K2M9Q", to, company: "Acme", locale }
    }

    #[test]
    fn the_customer_is_told_in_their_language_what_to_send_where() {
        let number = Some("+12025550123");
        assert_eq!(
            text(&told("sms", number, "en-US")),
            "To continue by SMS, send HG-7K2M9Q to +12025550123."
        );
        assert_eq!(
            text(&told("sms", number, "pt-BR")),
            "Para continuar por SMS, envie HG-7K2M9Q para +12025550123."
        );
        assert_eq!(text(&told("wechat", None, "")), "To continue on WeChat, send HG-7K2M9Q to Acme there.");
        for locale in ["de", "es", "fr", "it", "pt", "zh", "en", "ja", "zh-Hans-CN"] {
            for to in [number, None] {
                let text = text(&told("sms", to, locale));
                assert!(
                    text.contains("HG-7K2M9Q") && text.contains(to.unwrap_or("Acme")),
                    "{locale}: {text}"
                );
            }
        }
    }

    #[test]
    fn links_carry_the_code_where_there_are_links() {
        assert_eq!(uri(&told("sms", Some("+1202"), "")), "sms:+1202?body=HG-7K2M9Q");
        assert_eq!(uri(&told("whatsapp", Some("+1202"), "")), "https://wa.me/1202?text=HG-7K2M9Q");
        assert_eq!(
            uri(&told("email", Some("help@acme.test"), "")),
            "mailto:help@acme.test?subject=HG-7K2M9Q"
        );
        assert_eq!(uri(&told("sms", None, "")), "");
        assert_eq!(uri(&told("wechat", Some("acme"), "")), "");
    }

    #[test]
    fn only_senders_that_can_be_answered_are_told() {
        let settings = |value: &str| BTreeMap::from([("sender".to_owned(), Value::from(value))]);
        assert_eq!(public_sender("sms", &settings("+12025550123")), Some("+12025550123"));
        assert_eq!(public_sender("sms", &settings("12345")), Some("12345"));
        assert_eq!(public_sender("sms", &settings("ACME")), None);
        assert_eq!(public_sender("email", &settings("ACME")), None);
        assert_eq!(public_sender("wechat", &BTreeMap::new()), None);
    }
}
