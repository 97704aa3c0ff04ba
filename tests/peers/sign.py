"""Requests as the providers' own SDKs sign them: independent peers of our channels.

Reads one JSON object from standard input, `{"peer": "...", ...}`, and prints the request that peer would make:
`{"query": "...", "headers": {...}, "body": "..."}`. With `"mode": "parse"` it reads a request of ours instead, and prints
what it makes of it.
"""

import json
import sys
import time
from urllib.parse import urlencode


def wechat(given):
    """An encrypted message, by wechatpy."""
    from wechatpy.crypto import WeChatCrypto
    from wechatpy.utils import WeChatSigner

    crypto = WeChatCrypto(given["token"], given["encoding_aes_key"], given["app_id"])
    timestamp, nonce = str(int(time.time())), "1320562132"
    body = crypto.encrypt_message(given["xml"], nonce, timestamp)
    encrypted = body.split("<Encrypt><![CDATA[")[1].split("]]>")[0]

    def signature(*parts):
        signer = WeChatSigner()
        signer.add_data(given["token"], timestamp, nonce, *parts)
        return signer.signature

    query = {
        "signature": signature(),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": given["openid"],
        "encrypt_type": "aes",
        "msg_signature": signature(encrypted),
    }
    return {"query": urlencode(query), "headers": {"content-type": "text/xml"}, "body": body}


def twilio(given):
    """A signed form, by twilio's RequestValidator."""
    from twilio.request_validator import RequestValidator

    signature = RequestValidator(given["auth_token"]).compute_signature(given["url"], given["form"])
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return {"query": "", "headers": headers, "body": urlencode(given["form"])}


def sinch(given):
    """A signed callback, by the functions sinch's SDK verifies with."""
    from sinch.domains.authentication.sinch_events.v1 import authentication_validation as sdk

    body, nonce, timestamp = json.dumps(given["body"], ensure_ascii=False), "01JNONCE", str(int(time.time()))
    signed = sdk.compute_signed_data(body, nonce, timestamp)
    headers = {
        "content-type": "application/json",
        "x-sinch-webhook-signature": sdk.calculate_sinch_event_signature(signed, given["webhook_secret"]),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": timestamp,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
    return {"query": "", "headers": headers, "body": body}


def bottle(given):
    """A signed letter, by standardwebhooks."""
    from datetime import datetime, timezone

    from standardwebhooks.webhooks import Webhook

    body, identifier, now = json.dumps(given["body"]), given["id"], datetime.now(timezone.utc)
    headers = {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(given["secret"]).sign(identifier, now, body),
    }
    return {"query": "", "headers": headers, "body": body}


def meta(given):
    """A webhook of Meta's as its documents describe it (only ASCII, slashes escaped); pywa's validator takes it."""
    import hashlib
    import hmac

    from pywa.utils import webhook_updates_validator

    body = json.dumps(given["body"], separators=(",", ":")).replace("/", "\\/")
    signature = "sha256=" + hmac.new(given["app_secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    assert webhook_updates_validator(given["app_secret"], body.encode(), signature)
    headers = {"content-type": "application/json", "x-hub-signature-256": signature}
    return {"query": "", "headers": headers, "body": body}


def whatsapp(given):
    """A batch as Meta writes it, signed as pywa checks it, and read by pywa's models."""
    import hashlib
    import hmac

    from pywa import WhatsApp
    from pywa.types import Message
    from pywa.utils import webhook_updates_validator

    body = json.dumps(given["body"]).replace("/", "\\/")
    code = hmac.new(given["app_secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    signature = f"sha256={code}"
    if not webhook_updates_validator(given["app_secret"], body.encode(), signature):
        raise ValueError("pywa refuses the signature")
    value = given["body"]["entry"][0]["changes"][0]["value"]
    message = Message.from_update(WhatsApp(phone_id="1", token="none"), given["body"])
    if message.text != value["messages"][0]["text"]["body"]:
        raise ValueError("pywa reads another text")
    headers = {"content-type": "application/json", "x-hub-signature-256": signature}
    return {"query": "", "headers": headers, "body": body}


def telegram(given):
    """An update as python-telegram-bot has it."""
    from datetime import datetime, timezone

    from telegram import Chat, Message, MessageEntity, Update, User

    user = User(id=given["user_id"], is_bot=False, first_name="Ann", last_name="Lee", language_code="de")
    message = Message(
        message_id=given["message_id"],
        date=datetime.now(timezone.utc),
        chat=Chat(id=given["user_id"], type=Chat.PRIVATE, first_name="Ann"),
        from_user=user,
        text=given["text"],
        entities=[MessageEntity(MessageEntity.HASHTAG, 0, 2)],
    )
    body = Update(update_id=given["message_id"], message=message).to_json()
    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": given["secret"]}
    return {"query": "", "headers": headers, "body": body}


def viber(given):
    """A callback with the signature that viberbot verifies."""
    from viberbot import Api
    from viberbot.api.bot_configuration import BotConfiguration

    api = Api(BotConfiguration(name="Acme", avatar="", auth_token=given["auth_token"]))
    body = json.dumps(given["body"], ensure_ascii=False)
    signature = api._calculate_message_signature(body.encode())
    assert api.verify_signature(body.encode(), signature)
    headers = {"content-type": "application/json", "x-viber-content-signature": signature}
    return {"query": "", "headers": headers, "body": body}


def line(given):
    """Events with the signature that line-bot-sdk verifies; it reads them, too."""
    import base64
    import hashlib
    import hmac

    from linebot.v3.webhook import SignatureValidator, WebhookParser

    secret, body = given["channel_secret"], json.dumps(given["body"], ensure_ascii=False)
    signature = base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()
    assert SignatureValidator(secret).validate(body, signature)
    assert len(WebhookParser(secret).parse(body, signature)) == len(given["body"]["events"])
    headers = {"content-type": "application/json; charset=utf-8", "x-line-signature": signature}
    return {"query": "", "headers": headers, "body": body}


def rcs(given):
    """An event in its envelope, signed as Google's guide says; there is no SDK that does."""
    import base64
    import hashlib
    import hmac

    data = json.dumps(given["event"]).encode()
    signature = base64.b64encode(hmac.new(given["client_token"].encode(), data, hashlib.sha512).digest()).decode()
    message = {"attributes": {"product": "RBM"}, "data": base64.b64encode(data).decode(), "messageId": "1"}
    headers = {"content-type": "application/json", "x-goog-signature": signature}
    return {"query": "", "headers": headers, "body": json.dumps({"message": message})}


def read_line(given):
    """A push or reply as line-bot-sdk reads and would write it, without what it adds by default."""
    from linebot.v3.messaging import PushMessageRequest, ReplyMessageRequest

    def like(theirs, ours):
        if isinstance(ours, dict):
            return {name: like(theirs.get(name), value) for name, value in ours.items()}
        if isinstance(ours, list) and len(ours) == len(theirs):
            return [like(*pair) for pair in zip(theirs, ours)]
        return theirs

    ours = given["request"]
    kind = ReplyMessageRequest if "replyToken" in ours else PushMessageRequest
    return like(json.loads(kind.from_dict(ours).to_json()), ours)


def read_telegram(given):
    """The fields of a call, as python-telegram-bot reads and would write them."""
    from telegram import InlineKeyboardMarkup, MessageEntity, ReactionTypeEmoji, ReplyParameters

    fields = given["fields"]
    kinds = {"reply_markup": InlineKeyboardMarkup, "reply_parameters": ReplyParameters}
    lists = {"entities": MessageEntity, "caption_entities": MessageEntity, "reaction": ReactionTypeEmoji}
    read = {name: kind.de_json(fields[name]).to_dict() for name, kind in kinds.items() if name in fields}
    for name, kind in lists.items():
        if name in fields:
            read[name] = [item.to_dict() for item in kind.de_list(fields[name])]
    return {name: read.get(name, value) for name, value in fields.items()}


def read_viber(given):
    """A message as viberbot reads, checks and would write it."""
    from viberbot.api.messages import (
        ContactMessage,
        FileMessage,
        LocationMessage,
        PictureMessage,
        RichMediaMessage,
        StickerMessage,
        TextMessage,
        VideoMessage,
    )

    kinds = {
        "text": TextMessage,
        "picture": PictureMessage,
        "video": VideoMessage,
        "file": FileMessage,
        "contact": ContactMessage,
        "location": LocationMessage,
        "rich_media": RichMediaMessage,
        "sticker": StickerMessage,
    }
    message = kinds[given["message"]["type"]]().from_dict(given["message"])
    assert message.validate(), given
    return message.to_dict()


def wechat_sends(given):
    """The bodies wechatpy sends for the same messages: `{"calls": [{"send": "send_text", "arguments": {...}}]}`."""
    from requests import Response
    from requests.adapters import BaseAdapter
    from wechatpy import WeChatClient

    sent = []

    class Recorder(BaseAdapter):
        def send(self, request, **_):
            sent.append(json.loads(request.body))
            response = Response()
            response.status_code, response._content = 200, b'{"errcode": 0, "errmsg": "ok"}'
            response.request, response.url = request, request.url
            return response

        def close(self):
            pass

    client = WeChatClient("wx0123456789abcdef", "none", access_token="none")
    client.expires_at = time.time() + 7200
    client._http.mount("https://", Recorder())
    for call in given["calls"]:
        getattr(client.message, call["send"])(**call["arguments"])
    return {"query": "", "headers": {}, "body": json.dumps(sent)}


def whatsapp_sends(given):
    """The bodies pywa sends for the same messages: `{"calls": [{"send": "send_message", "arguments": {...}}]}`."""
    from operator import attrgetter

    import httpx
    from pywa import WhatsApp, types

    sent = []

    def answer(request):
        sent.append(json.loads(request.content))
        contact = {"input": "16505551234", "wa_id": "16505551234"}
        accepted = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": "wamid.1"}]}
        return httpx.Response(200, json=accepted)

    def built(value):
        if isinstance(value, list):
            return [built(item) for item in value]
        if isinstance(value, dict) and "pywa" in value:
            fields = {name: built(item) for name, item in value.items() if name != "pywa"}
            return attrgetter(value["pywa"])(types)(**fields)
        return value

    session = httpx.Client(base_url="https://graph.facebook.com/v26.0", transport=httpx.MockTransport(answer))
    client = WhatsApp(phone_id="106540352242922", token="none", session=session)
    for call in given["calls"]:
        arguments = {name: built(value) for name, value in call["arguments"].items()}
        getattr(client, call["send"])(**arguments)
    return {"query": "", "headers": {}, "body": json.dumps(sent)}


PEERS = {
    "bottle": bottle,
    "line": line,
    "meta": meta,
    "rcs": rcs,
    "sinch": sinch,
    "telegram": telegram,
    "twilio": twilio,
    "viber": viber,
    "wechat": wechat,
    "wechat_sends": wechat_sends,
    "whatsapp": whatsapp,
    "whatsapp_sends": whatsapp_sends,
}
READERS = {"line": read_line, "telegram": read_telegram, "viber": read_viber}

if __name__ == "__main__":
    request = json.load(sys.stdin)
    peers = READERS if request.get("mode") == "parse" else PEERS
    print(json.dumps(peers[request["peer"]](request)))
