use std::convert::Infallible;
use std::time::Duration;

use heliograph_store::models::{Fields, ReadModel};
use heliograph_store::seen::{DEFAULT_TTL, Seen};

use crate::support::{eventually, flush, redis, redis_server};

fn fields(of: &[(&str, &str)]) -> Fields {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_known_to_its_tenant_and_kind_only() {
    let server = redis_server().await;
    let redis = redis(&server).await;
    let seen = Seen::new(redis.clone(), "inbound", DEFAULT_TTL);
    let other = Seen::new(redis, "outbound", DEFAULT_TTL);
    seen.mark_many("acme", &["a", "b:c"]).await.unwrap();
    assert_eq!(seen.check_many("acme", &["a", "x", "b:c"]).await.unwrap(), [true, false, true]);
    assert_eq!(seen.check_many("acme2", &["a", "b:c"]).await.unwrap(), [false, false]);
    assert_eq!(other.check_many("acme", &["a", "b:c"]).await.unwrap(), [false, false]);
    assert_eq!(seen.check_many("acme", &[]).await.unwrap(), Vec::<bool>::new());
    seen.mark_many("acme", &[]).await.unwrap();
    flush(&server).await;
    assert!(!seen.check("acme", "a").await.unwrap());
    seen.mark("acme", "a").await.unwrap();
    assert!(seen.check("acme", "a").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_expire() {
    let server = redis_server().await;
    let seen = Seen::new(redis(&server).await, "inbound", Duration::from_millis(50));
    seen.mark("acme", "a").await.unwrap();
    eventually("the record expires", || async { !seen.check("acme", "a").await.unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_claims_succeeds_and_may_be_repeated() {
    let server = redis_server().await;
    let seen = Seen::new(redis(&server).await, "once", DEFAULT_TTL);
    let claims = (0..50).map(|n| {
        let (seen, owner) = (seen.clone(), format!("owner-{n}"));
        async move { seen.claim("acme", "job", &owner).await.unwrap().then_some(owner) }
    });
    let owners: Vec<String> = futures::future::join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(owners.len(), 1);
    assert!(seen.claim("acme", "job", &owners[0]).await.unwrap());
    assert!(!seen.claim("acme", "job", "another").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_kept_and_rebuilt() {
    let server = redis_server().await;
    let model = ReadModel::new(redis(&server).await, "open", Duration::from_mins(1));
    let first = fields(&[("conversation", "cnv_1"), ("queue", "sales")]);
    assert_eq!(model.get("acme", "con_1").await.unwrap(), None);
    model.put("acme", "con_1", &first).await.unwrap();
    assert_eq!(model.get("acme", "con_1").await.unwrap(), Some(first.clone()));
    assert_eq!(model.get_many("acme", &["con_2", "con_1"]).await.unwrap(), [None, Some(first.clone())]);
    assert_eq!(model.get("acme2", "con_1").await.unwrap(), None);
    model.merge("acme", "con_1", &fields(&[("queue", "care")])).await.unwrap();
    assert_eq!(model.get("acme", "con_1").await.unwrap().unwrap()["queue"], "care");
    // A put replaces: what it does not name is gone.
    model.put("acme", "con_1", &fields(&[("conversation", "cnv_2")])).await.unwrap();
    assert_eq!(model.get("acme", "con_1").await.unwrap().unwrap().len(), 1);
    assert!(model.touch("acme", "con_1").await.unwrap());

    flush(&server).await;
    assert!(!model.touch("acme", "con_1").await.unwrap());
    let rebuilt =
        model.get_or_rebuild("acme", "con_1", || async { Ok::<_, Infallible>(Some(first.clone())) }).await;
    assert_eq!(rebuilt.unwrap().as_ref(), Some(&first));
    assert_eq!(model.get("acme", "con_1").await.unwrap(), Some(first));
    model.remove("acme", "con_1").await.unwrap();
    assert_eq!(model.get("acme", "con_1").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_question_of_an_address_is_recalled() {
    use heliograph_store::questions::{Asked, Questions};
    let server = redis_server().await;
    let questions = Questions::new(redis(&server).await);
    let option =
        |id: &str| Asked { id: id.to_owned(), title: format!("Title {id}"), payload: "p".to_owned() };
    assert_eq!(questions.recall("acme", "sms", "main", "+1").await.unwrap(), None);
    questions.remember("acme", "sms", "main", "+1", "msg_1", &[option("a")]).await.unwrap();
    questions.remember("acme", "sms", "main", "+1", "msg_2", &[option("b"), option("c")]).await.unwrap();
    let found = questions.recall("acme", "sms", "main", "+1").await.unwrap().unwrap();
    assert_eq!((found.message_id.as_str(), found.options.len()), ("msg_2", 2));
    assert_eq!(found.answer("2"), Some(&option("c")));
    assert_eq!(questions.recall("other", "sms", "main", "+1").await.unwrap(), None);
    flush(&server).await;
    assert_eq!(questions.recall("acme", "sms", "main", "+1").await.unwrap(), None);
}
