//! A reply within the answer to the customer's message.

use heliograph_channel::{Account, Answer, WebhookRequest};
use heliograph_proto::v1::{Card, Message, content::Kind};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::{WechatSettings, inbound, settings::Mode, signature, xml::Fields};

/// Bytes of a text in an answer.
const TEXT_LIMIT: usize = 2048;

/// The answer that says `message`; `None` for what cannot be said in one.
pub(crate) fn answer(
    account: &Account<WechatSettings>,
    request: &WebhookRequest,
    message: &Message,
) -> Option<Answer> {
    let asked = inbound::message_of(account, request).ok()?;
    let asked = Fields::parse(&asked).ok()?;
    let body = match message.content.as_ref()?.kind.as_ref()? {
        Kind::Text(text) if text.body.len() <= TEXT_LIMIT => {
            format!("<MsgType><![CDATA[text]]></MsgType><Content>{}</Content>", cdata(&text.body))
        }
        Kind::Card(card) => article(card),
        _ => return None,
    };
    let seconds = request.now_ms / 1000;
    let reply = format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{seconds}</CreateTime>{body}</xml>",
        cdata(asked.get("fromusername")?),
        cdata(asked.get("tousername")?),
    );
    let sealed = if account.settings.mode == Mode::Plain {
        reply
    } else {
        seal(account, &reply, &message.id, seconds)?
    };
    Some(Answer::ok("text/xml; charset=utf-8", sealed))
}

fn article(card: &Card) -> String {
    let picture = card.media.as_ref().map_or("", |media| media.url.as_str());
    format!(
        "<MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item><Title>{}</Title>\
         <Description>{}</Description><PicUrl>{}</PicUrl><Url>{}</Url></item></Articles>",
        cdata(&card.title),
        cdata(&card.body),
        cdata(picture),
        cdata(&card.url),
    )
}

/// The encrypted modes want the answer sealed and the seal signed. What stands for chance is drawn from the message's id and
/// the key, so that the same answer is the same bytes.
fn seal(account: &Account<WechatSettings>, reply: &str, message_id: &str, seconds: i64) -> Option<String> {
    let (cipher, token) = (account.settings.ciphers.first()?, account.settings.tokens.first()?);
    let secret = token.expose_secret();
    let drawn = Sha256::new().chain_update(secret).chain_update(message_id).chain_update(reply).finalize();
    let (random, nonce) = drawn.split_at(16);
    let encrypted = cipher.encrypt(reply, random.try_into().ok()?);
    let (timestamp, nonce) = (seconds.to_string(), hex::encode(&nonce[..8]));
    let signed = signature::sign(secret, &[&timestamp, &nonce, &encrypted]);
    Some(format!(
        "<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>\
         <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ))
}

/// Text as it stands, whatever is in it.
fn cdata(text: &str) -> String {
    let shown: String =
        text.chars().filter(|char| !char.is_control() || matches!(char, '\n' | '\t')).collect();
    format!("<![CDATA[{}]]>", shown.replace("]]>", "]]]]><![CDATA[>"))
}
