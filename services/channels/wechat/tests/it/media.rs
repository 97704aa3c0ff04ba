//! Media: uploaded for three days, named by the provider's id, and fetched by it; videos are asked for first.

use heliograph_channel::{
    Account, Body, Caller, CarrierError, File, Outcome, Provider as _, ProviderResponse, Secrets, Upload,
    account::RawAccount,
};
use heliograph_channel_wechat::{Wechat, WechatSettings};
use heliograph_proto::v1::{Media, MediaKind};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

pub(crate) fn account() -> Account<WechatSettings> {
    let mut secrets = Secrets::default();
    secrets.add("token", "madeuptoken2026".into());
    secrets.add("app_secret", "made-up-app-secret".into());
    let raw = RawAccount {
        tenant: "acme".to_owned(),
        name: "official".to_owned(),
        channel: "wechat".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings: json!({ "app_id": "wx0123456789abcdef", "mode": "plain" }),
        secrets,
    };
    raw.load().unwrap()
}

fn answer(body: &Value) -> ProviderResponse {
    let body = body.to_string().into();
    ProviderResponse { status: StatusCode::OK, headers: HeaderMap::new(), body, now_ms: 0 }
}

#[test]
fn files_are_uploaded_by_their_kind() {
    let (account, token) = (account(), "token".into());
    let file =
        File { content_type: "audio/amr".to_owned(), name: "voice.amr".to_owned(), bytes: "#!AMR".into() };
    for (kind, name) in
        [(MediaKind::Image, "image"), (MediaKind::Audio, "voice"), (MediaKind::Video, "video")]
    {
        let media = Media { kind: kind.into(), ..Media::default() };
        assert_eq!(Wechat.upload(&account, &media), Upload::Before);
        let request = Wechat
            .encode_upload(&Caller::new(&account, 0).with_token(Some(&token)), &media, Some(&file))
            .unwrap();
        let expected =
            format!("https://api.weixin.qq.com/cgi-bin/media/upload?access_token=token&type={name}");
        assert_eq!(request.url, expected);
        let Body::Raw(body) = request.body else { panic!("not a form") };
        assert!(String::from_utf8_lossy(&body).contains("name=\"media\"; filename=\"voice.amr\""));
    }
    let sticker = Media { kind: MediaKind::Sticker.into(), ..Media::default() };
    let refused =
        Wechat.encode_upload(&Caller::new(&account, 0).with_token(Some(&token)), &sticker, Some(&file));
    assert!(matches!(refused, Err(Outcome::Permanent { .. })));
}

#[test]
fn an_upload_is_known_for_three_days() {
    let account = account();
    let read = |body| Wechat.read_upload(&account, &answer(&body));
    let taken = read(json!({ "type": "image", "media_id": "m1", "created_at": 1 })).unwrap();
    assert_eq!((taken.provider_media_id.as_str(), taken.expires_in.as_secs()), ("m1", 3 * 24 * 3600));
    let expired = read(json!({ "errcode": 42001, "errmsg": "access_token expired" })).unwrap_err();
    assert!(matches!(expired, Outcome::Auth { token_expired: true, .. }), "{expired:?}");
    let large = read(json!({ "errcode": 40009, "errmsg": "invalid image size" })).unwrap_err();
    assert!(matches!(large, Outcome::Permanent { .. }), "{large:?}");
    assert!(matches!(read(json!({})), Err(Outcome::Retry { .. })));
    let stale = answer(&json!({ "errcode": 40007, "errmsg": "invalid media_id" }));
    assert!(Wechat.is_stale_upload(&account, &stale));
    assert!(!Wechat.is_stale_upload(&account, &answer(&json!({ "errcode": 0 }))));
}

#[test]
fn pictures_are_fetched_and_videos_asked_for_first() {
    let (account, token) = (account(), "token".into());
    assert!(Wechat.encode_media_lookup(&Caller::new(&account, 0).with_token(Some(&token)), "m1").is_none());
    let by_id = "https://api.weixin.qq.com/cgi-bin/media/get?access_token=token&media_id=m1";
    assert_eq!(
        Wechat.encode_media(&Caller::new(&account, 0).with_token(Some(&token)), "m1", "").unwrap().url,
        by_id
    );
    assert_eq!(
        Wechat
            .encode_media_lookup(&Caller::new(&account, 0).with_token(Some(&token)), "video:m1")
            .unwrap()
            .url,
        by_id
    );
    let read = |body| Wechat.read_media_lookup(&account, &answer(&body));
    let url = read(json!({ "video_url": "https://video.example.com/1" })).unwrap();
    assert_eq!(
        Wechat
            .encode_media(&Caller::new(&account, 0).with_token(Some(&token)), "video:m1", &url)
            .unwrap()
            .url,
        url
    );
    let gone = read(json!({ "errcode": 40007, "errmsg": "invalid media_id" })).unwrap_err();
    assert!(matches!(gone, CarrierError::NotFound));
    assert!(matches!(read(json!({ "errcode": -1 })), Err(CarrierError::Provider(_))));
    assert!(Wechat.encode_media(&Caller::new(&account, 0).with_token(Some(&token)), "", "").is_none());
}

#[test]
fn an_error_code_in_place_of_a_medium_is_understood() {
    let account = account();
    let gone = json!({ "errcode": 40007, "errmsg": "invalid media_id" });
    let expired = json!({ "errcode": 42001, "errmsg": "access_token expired" });
    let busy = json!({ "errcode": -1, "errmsg": "system error" });
    let error = |body: &Value| Wechat.read_media_error(&account, &answer(body));
    assert_eq!(error(&gone), Some(CarrierError::NotFound));
    assert!(matches!(error(&expired), Some(CarrierError::Unauthorized(_))));
    assert!(matches!(error(&busy), Some(CarrierError::Provider(_))));
    assert!(error(&json!({ "errcode": 0 })).is_none());
    assert!(
        Wechat
            .read_media_error(&account, &ProviderResponse { body: "#!AMR".into(), ..answer(&busy) })
            .is_none()
    );
    let asked = Wechat.read_media_lookup(&account, &answer(&expired));
    assert!(matches!(asked, Err(CarrierError::Unauthorized(_))));
}
