//! Media from a customer's phone to the desk and to integrators, and from the desk to customers.

mod page;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use heliograph_domain::content::media_mut;
use heliograph_proto::v1::{Content, Event, Media, Reply, command::Action, content::Kind, event::Payload};
use heliograph_testkit::{
    clamd::{Clamd, eicar},
    sandbox::{Held, Sent},
};
use heliograph_tests::{
    agent::Agent,
    eventually,
    fleet::Fleet,
    web::{Answer, get, post, sign_in},
};
use url::Url;

/// A picture that browsers can show.
const LAMP: &[u8] = include_bytes!("media/lamp.png");
const OFFER: &[u8] = b"%PDF-1.7\nan offer\n%%EOF\n";
/// An integrator's.
const TOKEN: &str = "made-up-token-of-an-integrator";
const HOUR: u64 = 3_600;

async fn ann(fleet: &Fleet) -> Agent {
    Agent::start(&fleet.grpc("desk"), "ann", "ann", Arc::new(|_, _| None)).await
}

/// The first medium of what a customer said, with the conversation.
fn received(event: &Event) -> Option<(String, Media)> {
    let Some(Payload::MessageReceived(received)) = &event.payload else { return None };
    let mut content = received.message.clone()?.content?;
    let medium = media_mut(&mut content).into_iter().next()?.clone();
    Some((event.conversation.clone(), medium))
}

/// Waits for the newest medium of customers to be `nth`, and for its conversation to be the agent's.
async fn see(agent: &Agent, nth: usize) -> (String, Media) {
    agent
        .wait("a medium", |seen| {
            let media: Vec<_> = seen.events.values().filter_map(received).collect();
            let found = media.get(nth)?.clone();
            seen.assigned.contains(&found.0).then_some(found)
        })
        .await
}

/// Waits until a link answers with this status.
async fn answers(link: &str, status: u16) -> Answer {
    eventually(&format!("{link} answers {status}"), || async {
        let answer = get(link, "").await;
        (answer.status == status).then_some(answer)
    })
    .await
}

/// Takes a file in as an agent attaches it.
async fn attach(fleet: &Fleet, token: &str, name: &str, content: &[u8]) -> Answer {
    post(&format!("{}/desk/media?name={name}", fleet.http("desk")), token, content.to_vec()).await
}

async fn reply(agent: &Agent, id: &str, conversation: &str, media: Media) {
    let content = Some(Content { kind: Some(Kind::Media(media)) });
    let reply = Reply { conversation: conversation.to_owned(), content, ..Reply::default() };
    agent.command(id, Action::Reply(reply)).await;
}

/// The links of a text.
fn link_in(text: &str) -> &str {
    text.split_whitespace().find(|word| word.starts_with("http")).unwrap_or_else(|| panic!("no link: {text}"))
}

/// Everything that is refused of a link that was changed.
async fn is_guarded(link: &str) {
    let link = Url::parse(link).unwrap();
    let changed = |change: &dyn Fn(&str, &str) -> String| {
        let pairs = link.query_pairs().map(|(key, value)| (key.to_string(), change(&key, &value)));
        let pairs: Vec<_> = pairs.collect();
        let mut link = link.clone();
        link.query_pairs_mut().clear().extend_pairs(pairs);
        link
    };
    let last = |value: &str| if value.ends_with('0') { "1" } else { "0" };
    let signature = changed(&|key, value| match key {
        "sig" => format!("{}{}", &value[..value.len() - 1], last(value)),
        _ => value.to_owned(),
    });
    let longer = changed(&|key, value| match key {
        "exp" => (value.parse::<u64>().unwrap() + HOUR).to_string(),
        _ => value.to_owned(),
    });
    let mut other = link.clone();
    other.set_path(&format!("{}x", link.path()));
    let mut bare = link.clone();
    bare.set_query(None);
    for link in [signature, longer, other, bare] {
        let answer = get(link.as_str(), "").await;
        assert_eq!((answer.status, answer.error().as_str()), (403, "link"), "{link}");
    }
}

/// How long a link is good for from now, in seconds.
fn lasts(link: &str) -> u64 {
    let link = Url::parse(link).unwrap();
    let (_, expires) = link.query_pairs().find(|(key, _)| key == "exp").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    expires.parse::<u64>().unwrap() - now
}

fn uploads(fleet: &Fleet) -> Vec<Held> {
    fleet.sandbox.files().into_iter().filter(|file| file.uploaded).collect()
}

/// The first `count` messages that a customer got.
async fn got(fleet: &Fleet, user_id: &str, count: usize) -> Vec<Sent> {
    let wanted = fleet.sandbox.wait_for(|sent| {
        let theirs: Vec<Sent> = sent.iter().filter(|sent| sent.user_id == user_id).cloned().collect();
        (theirs.len() >= count).then_some(theirs)
    });
    tokio::time::timeout(heliograph_tests::PATIENCE, wanted).await.expect("the customer gets it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_comes_in_and_goes_out_on_wechat_and_as_a_link_where_no_picture_goes() {
    let tokens = format!(r#"[{{"token": "{TOKEN}", "tenant": "acme"}}]"#);
    let services = ["wechat", "sms", "router", "egress", "desk", "media", "streams"];
    let fleet = Fleet::start_with(&services, &[("STREAMS__API_TOKENS", &tokens)]).await;
    let agent = ann(&fleet).await;
    let wei = fleet.sandbox.customer("acme-cn", "oWei", "Wei");
    assert_eq!(wei.send_picture("image/jpeg", LAMP).await.status, Some(200));

    // The desk shows it by a link of its own.
    let (conversation, medium) = see(&agent, 0).await;
    let link = format!("{}{}", fleet.http("desk"), medium.url);
    let picture = answers(&link, 200).await;
    assert_eq!(picture.body, LAMP);
    assert_eq!(picture.header("content-type"), "image/png", "its bytes say what it is, not its sender");
    assert!(picture.header("content-disposition").starts_with("inline"), "{:?}", picture.headers);
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    assert!(picture.header("content-security-policy").contains("sandbox"), "{:?}", picture.headers);
    assert!((23 * HOUR..26 * HOUR).contains(&lasts(&link)), "{link}");
    is_guarded(&link).await;
    let held = fleet.sandbox.files();
    assert_eq!((held.len(), held[0].fetched), (1, 1), "fetched once, with the account's token");

    // An integrator finds the id in the event, and asks for a link.
    let event = streamed(&fleet).await;
    assert_eq!(event["objectId"], medium.object_id.as_str(), "{event}");
    let asked = format!("{}/streams/acme/media/{}", fleet.http("streams"), medium.object_id);
    assert_eq!(get(&asked, "").await.status, 401);
    let redirect = get(&asked, TOKEN).await;
    assert_eq!(redirect.status, 307);
    let theirs = redirect.header("location");
    assert!(theirs.starts_with(&fleet.http("media")), "{theirs}");
    let picture = get(theirs, "").await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert_eq!(picture.body, LAMP);
    is_guarded(theirs).await;

    // The agent sends a picture twice: the provider is given it once.
    let token = sign_in(&fleet.http("desk"), "ann", "ann").await;
    let attached = attach(&fleet, &token, "lamp.png", LAMP).await;
    assert_eq!(attached.status, 201);
    let lamp: Media = serde_json::from_slice(&attached.body).unwrap();
    for id in ["first", "second"] {
        reply(&agent, id, &conversation, lamp.clone()).await;
    }
    let pictures = got(&fleet, "oWei", 2).await;
    let ids: BTreeSet<&str> =
        pictures.iter().map(|sent| sent.request["image"]["media_id"].as_str().unwrap()).collect();
    let uploads = uploads(&fleet);
    assert_eq!(uploads.len(), 1);
    assert_eq!(ids, BTreeSet::from([uploads[0].id.as_str()]));
    assert_eq!(uploads[0].content, LAMP);

    // WeChat carries no such file, SMS no picture: a link goes in its place.
    let attached = attach(&fleet, &token, "offer.pdf", OFFER).await;
    reply(&agent, "offer", &conversation, serde_json::from_slice(&attached.body).unwrap()).await;
    let text = got(&fleet, "oWei", 3).await.pop().unwrap().text;
    assert!(text.starts_with("offer.pdf: "), "{text}");
    let offer = get(link_in(&text), "").await;
    assert_eq!((offer.status, offer.header("content-type")), (200, "application/octet-stream"));
    assert!(offer.header("content-disposition").starts_with("attachment"), "{:?}", offer.headers);
    assert_eq!(offer.body, OFFER);
    is_guarded(link_in(&text)).await;

    fleet.sandbox.customer("acme-us", "+12125550130", "Amy").say("which lamp?").await;
    let said = |event: &Event| match &event.payload {
        Some(Payload::MessageReceived(_)) if event.channel == "sms" => Some(event.conversation.clone()),
        _ => None,
    };
    let by_sms = agent.wait("a question by SMS", |seen| seen.newest(said)).await;
    agent.wait("it is the agent's", |seen| seen.assigned.contains(&by_sms).then_some(())).await;
    reply(&agent, "by-sms", &by_sms, lamp).await;
    let text = got(&fleet, "+12125550130", 1).await.pop().unwrap().text;
    assert_eq!(get(link_in(&text), "").await.body, LAMP, "{text}");
    let changed = |event: &Event| match &event.payload {
        Some(Payload::MessageSent(sent)) if event.conversation == by_sms => {
            Some(sent.transcoding.iter().map(|reason| reason.code.clone()).collect::<Vec<_>>())
        }
        _ => None,
    };
    let codes = agent.wait("what was changed", |seen| seen.newest(changed)).await;
    assert_eq!(codes, ["transcode.media_to_text"]);
    assert_eq!(fleet.sandbox.problems().len(), 0, "{:?}", fleet.sandbox.problems());
}

/// The first medium on the stream, as an integrator reads it.
async fn streamed(fleet: &Fleet) -> serde_json::Value {
    use heliograph_runtime::http_client::{HttpClient, HttpClientOptions};

    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    let url = format!("{}/streams/acme/events?after=0&types=message.received", fleet.http("streams"));
    let request = client.get(url).bearer_auth(TOKEN).timeout(heliograph_tests::PATIENCE);
    let mut response = client.send(request).await.unwrap();
    let mut read = Vec::new();
    loop {
        read.extend_from_slice(&response.chunk().await.unwrap().expect("the stream goes on"));
        let text = String::from_utf8_lossy(&read);
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if let Some(data) = whole.lines().find_map(|line| line.strip_prefix("data:")) {
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            return data["event"]["messageReceived"]["message"]["content"]["media"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_shown_that_the_scanner_did_not_call_clean_and_everybody_is_told_why() {
    let clamd = Clamd::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let at = clamd.at;
    let services = ["wechat", "router", "desk", "media"];
    let fleet = Fleet::start_with(&services, &[("MEDIA__SCAN__CLAMD__ADDRESS", &at.to_string())]).await;
    let agent = ann(&fleet).await;
    let wei = fleet.sandbox.customer("acme-cn", "oWei", "Wei");
    let on_desk = |medium: &Media| format!("{}{}", fleet.http("desk"), medium.url);

    wei.send_picture("image/jpeg", eicar()).await;
    let (_, infected) = see(&agent, 0).await;
    let refused = answers(&on_desk(&infected), 403).await;
    assert_eq!(refused.error(), "infected");
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("virus scanner"));

    clamd.stop().await;
    wei.send_picture("image/jpeg", LAMP).await;
    let (_, waiting) = see(&agent, 1).await;
    let waits = answers(&on_desk(&waiting), 503).await;
    assert_eq!((waits.error().as_str(), waits.header("retry-after").is_empty()), ("scanner_away", false));
    let token = sign_in(&fleet.http("desk"), "ann", "ann").await;
    let attached = attach(&fleet, &token, "lamp.png", LAMP).await;
    assert_eq!(attached.status, 503);
    assert!(attached.json()["message"].as_str().unwrap().contains("virus scanner"));

    let _clamd = eventually("the scanner is back", || async { Clamd::start(at).await.ok() }).await;
    assert_eq!(answers(&on_desk(&waiting), 200).await.body, LAMP);
    assert_eq!(attach(&fleet, &token, "lamp.png", LAMP).await.status, 201);
    let refused = attach(&fleet, &token, "eicar.txt", &eicar()).await;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &"harmful".into()));
    assert_eq!(get(&on_desk(&infected), "").await.status, 403, "what was refused stays so");
}
