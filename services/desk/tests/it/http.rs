//! The page, media, and who may connect from where.

use heliograph_desk::DeskConfig;
use heliograph_proto::v1::{Content, Media, content::Kind, event::Payload};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest as _, http::HeaderValue};

use crate::support::{Client, TENANT, Transport, World, config, holding, http_client, saying};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_comes_with_a_strict_policy_and_is_cached_by_its_tag() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    let client = http_client();
    let page = client.get(desk.url("/desk/")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("content-type").starts_with("text/html"));
    let tag = header("etag");
    assert!(page.text().await.unwrap().contains("main.js"));
    let again = client.get(desk.url("/desk/")).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let script = client.get(desk.url("/desk/main.js")).send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(script.headers().contains_key("content-security-policy"));
    let moved = client.get(desk.url("/desk")).send().await.unwrap();
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (308, &HeaderValue::from_static("/desk/"))
    );
    for missing in ["/desk/nothing.js", "/desk/package.json", "/desk/..%2fCargo.toml"] {
        assert_eq!(client.get(desk.url(missing)).send().await.unwrap().status(), 404, "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins_cannot_connect() {
    let world = World::start().await;
    let allowed = vec!["https://help.example.com".to_owned()];
    let desk = world.desk(DeskConfig { allowed_origins: allowed, ..config() }).await;
    let connect = |origin: String| {
        let mut request = format!("ws://{}/desk/ws", desk.http).into_client_request().unwrap();
        request.headers_mut().insert("origin", HeaderValue::from_str(&origin).unwrap());
        tokio_tungstenite::connect_async(request)
    };
    assert!(connect(format!("http://{}", desk.http)).await.is_ok());
    assert!(connect("https://help.example.com".to_owned()).await.is_ok());
    let refused = connect("https://evil.example.com".to_owned()).await.unwrap_err();
    assert!(matches!(refused, tungstenite::Error::Http(response) if response.status() == 403));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_are_for_who_is_signed_in_or_was_given_a_link() {
    let world = World::start().await;
    let desk = world.desk(config()).await;
    for (id, kind, content) in [("med_1", "image/png", "a picture"), ("med_2", "text/html", "<script>")] {
        let mut content = content.as_bytes();
        world.media.put(TENANT, id, kind, "a name.png", &mut content, 1_000).await.unwrap();
    }
    let client = http_client();
    let get = |path: &str, token: &str| {
        let request = client.get(desk.url(path));
        if token.is_empty() { request.send() } else { request.bearer_auth(token).send() }
    };
    let (ada, eve) = (desk.token(TENANT, "ada").await, desk.token("globex", "eve").await);
    let picture = get("/desk/media/med_1", &ada).await.unwrap();
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert_eq!(picture.text().await.unwrap(), "a picture");
    // What a browser could run is a download.
    let page = get("/desk/media/med_2", &ada).await.unwrap();
    assert_eq!(page.headers()["content-type"], "application/octet-stream");
    assert!(page.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(get("/desk/media/med_1", "").await.unwrap().status(), 401);
    assert_eq!(get("/desk/media/med_1", "garbage").await.unwrap().status(), 401);
    assert_eq!(get("/desk/media/med_1", &eve).await.unwrap().status(), 404, "another tenant's");
    assert_eq!(get("/desk/media/med_3", &ada).await.unwrap().status(), 404);

    // In events they carry an address that a page can show, good for this medium alone.
    world.router.set(TENANT, "ada", holding(&["cnv_1"]));
    let (mut session, _) = Client::begin(&desk, Transport::WebSocket, &ada).await;
    let media = Media { object_id: "med_1".to_owned(), ..Media::default() };
    world.publish(&saying("cnv_1", Content { kind: Some(Kind::Media(media)) })).await;
    let Some(Payload::MessageReceived(received)) = session.event().await.event.unwrap().payload else {
        panic!("a message is expected")
    };
    let Some(Kind::Media(media)) = received.message.unwrap().content.unwrap().kind else {
        panic!("media are expected")
    };
    assert_eq!(get(&media.url, "").await.unwrap().text().await.unwrap(), "a picture");
    for bad in [media.url.replace("med_1", "med_2"), media.url.replace(TENANT, "globex")] {
        assert_eq!(get(&bad, "").await.unwrap().status(), 403, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_agents_attach_is_looked_at_and_kept() {
    let mut world = World::start().await;
    world.media_settings.limit = 1_000;
    let desk = world.desk(config()).await;
    let ada = desk.token(TENANT, "ada").await;
    let client = http_client();
    let attach = |name: &str, content: &'static [u8], token: &str| {
        let named = format!("/desk/media?name={}", name.replace(' ', "%20"));
        let request = client.post(desk.url(&named));
        request.bearer_auth(token).body(content).send()
    };
    let taken = attach("../a b.png", b"\x89PNG\r\n\x1a\n...", &ada).await.unwrap();
    assert_eq!(taken.status(), 201);
    let media: serde_json::Value = taken.json().await.unwrap();
    assert_eq!(media["kind"], "MEDIA_KIND_IMAGE");
    assert_eq!((&media["fileName"], &media["contentType"]), (&"a b.png".into(), &"image/png".into()));
    let id = media["objectId"].as_str().unwrap();
    assert_eq!(world.media.info(TENANT, id).await.unwrap().unwrap().size, 11);
    let again = attach("a b.png", b"\x89PNG\r\n\x1a\n...", &ada).await.unwrap();
    assert_eq!(
        again.json::<serde_json::Value>().await.unwrap()["objectId"],
        id,
        "the same file is the same medium"
    );

    for (name, content, status) in [
        ("a.html", &b"<p>"[..], 415),
        ("a.exe", b"MZ", 415),
        ("a.bin", b"\0\x01", 415),
        ("a.txt", &[b'x'; 1_001], 413),
    ] {
        assert_eq!(attach(name, content, &ada).await.unwrap().status(), status, "{name}");
    }
    assert_eq!(attach("a.txt", b"x", "garbage").await.unwrap().status(), 401);
}
