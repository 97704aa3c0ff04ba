#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use heliograph_store::{now_ms, objects::Objects};
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::MediaSettings;

struct World {
    store: MediaStore,
    links: Links,
    router: Router,
    _directory: tempfile::TempDir,
}

async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let objects = Objects::in_directory(directory.path().to_owned()).await.unwrap();
    let store = MediaStore::new(objects);
    let settings = MediaSettings { link_lasts: Duration::from_mins(1), ..MediaSettings::default() };
    let links = Links::new(b"key", &settings);
    let router = Face::new(store.clone(), links.clone()).router();
    World { store, links, router, _directory: directory }
}

impl World {
    async fn get(&self, path: &str, range: Option<&str>) -> Response {
        let mut request = Request::get(path);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn path(&self, id: &str) -> String {
        self.links.path("acme", id, now_ms())
    }
}

async fn body(response: Response) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn pictures_are_shown_and_documents_are_downloads() {
    let world = world().await;
    for (id, kind, name) in [("med_1", "image/png", "a.png"), ("med_2", "text/plain", "ü.txt")] {
        world.store.put("acme", id, kind, name, &mut &b"content"[..], 100).await.unwrap();
    }
    let picture = world.get(&world.path("med_1"), None).await;
    assert_eq!(picture.status(), StatusCode::OK);
    let headers = picture.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "image/png");
    assert_eq!(headers[header::CONTENT_DISPOSITION], "inline; filename*=UTF-8''a.png");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
    assert_eq!(body(picture).await, "content");
    let document = world.get(&world.path("med_2"), None).await;
    assert_eq!(document.headers()[header::CONTENT_TYPE], UNKNOWN);
    assert_eq!(document.headers()[header::CONTENT_DISPOSITION], "attachment; filename*=UTF-8''%C3%BC.txt");
}

#[tokio::test]
async fn only_a_good_link_opens() {
    let world = world().await;
    world.store.put("acme", "med_1", "image/png", "", &mut &b"x"[..], 100).await.unwrap();
    let good = world.path("med_1");
    let expired = world.links.path("acme", "med_1", now_ms() - 3 * 60 * 60 * 1000);
    for bad in [
        good.replace("acme", "globex"),
        good.replace("med_1", "med_2"),
        good.split('?').next().unwrap().to_owned(),
        expired,
    ] {
        let refused = world.get(&bad, None).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{bad}");
        assert!(body(refused).await.starts_with(b"{\"error\":{\"code\":\"link\""));
    }
    assert_eq!(world.get(&good, None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_there_says_whether_to_come_again() {
    let world = world().await;
    let not_yet = world.get(&world.path("med_1"), None).await;
    assert_eq!(not_yet.status(), StatusCode::NOT_FOUND);
    assert!(not_yet.headers().contains_key(header::RETRY_AFTER));
    for (code, status) in [
        ("infected", StatusCode::FORBIDDEN),
        ("file_type", StatusCode::FORBIDDEN),
        ("not_found", StatusCode::GONE),
        ("too_large", StatusCode::GONE),
        ("scanner_away", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let refusal = Refusal { code: code.to_owned(), reason: "why".to_owned() };
        world.store.refuse("acme", "med_1", &refusal).await.unwrap();
        let refused = world.get(&world.path("med_1"), None).await;
        assert_eq!(refused.status(), status, "{code}");
        let again = refused.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(again, code == "scanner_away", "{code}");
        let told: serde_json::Value = serde_json::from_slice(&body(refused).await).unwrap();
        assert_eq!(told, json!({ "error": { "code": code, "message": "why" } }));
    }
}

#[tokio::test]
async fn players_may_ask_for_a_part() {
    let world = world().await;
    let content: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let limit = content.len() as u64;
    world.store.put("acme", "med_1", "video/mp4", "", &mut content.as_slice(), limit).await.unwrap();
    let path = world.path("med_1");
    for (range, from, to) in
        [("bytes=0-9", 0, 9), ("bytes=150000-", 150_000, 199_999), ("bytes=-5", 199_995, 199_999)]
    {
        let part = world.get(&path, Some(range)).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes {from}-{to}/200000").as_str());
        assert_eq!(body(part).await, content[from..=to]);
    }
    let beyond = world.get(&path, Some("bytes=200000-")).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    for odd in ["bytes=9-0", "bytes=0-1,5-6", "lines=1-2", "bytes=x-"] {
        assert_eq!(world.get(&path, Some(odd)).await.status(), StatusCode::OK, "{odd}");
    }
}

#[test]
fn an_empty_file_has_no_parts() {
    assert_eq!(Range::read("bytes=0-", 0), Range::None);
    assert_eq!(Range::read("bytes=-1", 0), Range::None);
}
